import { resolveHome } from '../../core/home.ts';
import { prepareDbt } from '../../dbt/run-dbt.ts';
import { planServices } from '../../embedded/plan-stack.ts';
import { services } from '../../embedded/services/all-services.ts';
import { resolveStackSettings } from '../../embedded/stack.ts';
import { ensureSuperset } from '../../superset/server/environment.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { javaClientClassPath } from './java-client.ts';

/**
 * Fetches the jars and Python packages that the tests need before any of them begins: Maven's local repository is
 * not made for two processes at a time, and the tests' deadlines are not made for downloads.
 */
export async function setup(): Promise<void> {
  const onProgress = (text: string) => process.stdout.write(`${text}\n`);
  const home = resolveHome(process.env);
  const fetchJars = async () => {
    await planServices(resolveStackSettings(process.env), services, { onProgress });
    await javaClientClassPath();
  };
  // Each of them mostly waits for a network or for one processor.
  await Promise.all([
    fetchJars(),
    prepareDbt({ target: loadTarget('embedded'), home, env: process.env, onProgress }),
    ensureSuperset({ home, env: process.env, onProgress }),
  ]);
}
