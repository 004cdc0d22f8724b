import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { migrate } from '../../clickhouse/migrate.ts';
import { resolveHome } from '../../core/home.ts';
import { refreshModels } from '../../dbt/refresh.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { startClickHouseEndpoint } from './clickhouse-endpoint.ts';

/** A migrated ClickHouse of a test's own, and dbt to build the models in it. */
export interface ModelsEndpoint {
  clickhouse: ClickHouse;
  /** For commands in processes of their own. */
  env: NodeJS.ProcessEnv;
  /** Builds what is not built yet; afterwards brings the models up to date. */
  refresh: () => Promise<void>;
  stop: () => Promise<void>;
}

export async function startModelsEndpoint(): Promise<ModelsEndpoint> {
  const endpoint = await startClickHouseEndpoint();
  const root = mkdtempSync(path.join(tmpdir(), 'models-'));
  const env = {
    ...process.env,
    PIPELINE_TARGET: 'embedded',
    PIPELINE_HOME: root,
    PIPELINE_CACHE: resolveHome().cache,
    CLICKHOUSE_URL: endpoint.url,
  };
  const target = loadTarget('embedded', env);
  const clickhouse = createClickHouse(target);
  const stop = async () => {
    await clickhouse.close();
    await endpoint.stop();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    await migrate(target);
  } catch (error) {
    await stop();
    throw error;
  }
  const refresh = async () => {
    await refreshModels({ target, home: resolveHome(env), env });
  };
  return { clickhouse, env, refresh, stop };
}
