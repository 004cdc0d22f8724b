import { planServices } from '../../embedded/plan-stack.ts';
import { services } from '../../embedded/services/all-services.ts';
import { resolveStackSettings } from '../../embedded/stack.ts';
import { javaClientClassPath } from './java-client.ts';

/**
 * Fetches what the tests need from Maven Central before any of them begins: Maven's local repository is not made
 * for two processes at a time, and the tests' deadlines are not made for downloads.
 */
export async function setup(): Promise<void> {
  const onProgress = (text: string) => process.stdout.write(`${text}\n`);
  await planServices(resolveStackSettings(process.env), services, { onProgress });
  await javaClientClassPath();
}
