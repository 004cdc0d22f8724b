import path from 'node:path';
import { projectRoot } from '../../core/home.ts';
import { endpointEnvironment } from '../clickhouse/thread-pool.ts';
import { commonFailures } from './common-failures.ts';
import { answers } from './http-probe.ts';
import type { Service } from './service.ts';

/** Node's own heap; the engine's cap is set by the endpoint (clickhouse/engine-limits.ts). */
const maxHeapMegabytes = 256;

/** The ClickHouse engine behind its HTTP endpoint. */
export const clickhouse: Service = {
  name: 'clickhouse',
  port: 'clickhouse',
  internalPorts: [],
  needs: [],
  jars: [],
  needsSink: false,
  plan: ({ settings, dataFolder }) => ({
    file: process.execPath,
    args: [
      `--max-old-space-size=${maxHeapMegabytes}`,
      '--import',
      'tsx',
      path.join(projectRoot, 'embedded', 'clickhouse', 'main.ts'),
      '--port',
      String(settings.ports.clickhouse),
      '--data',
      path.join(dataFolder, 'engine'),
    ],
    env: {
      ...threadPool(),
      CLICKHOUSE_USER: settings.clickhouse.user,
      CLICKHOUSE_PASSWORD: settings.clickhouse.password,
      TMPDIR: path.join(dataFolder, 'tmp'),
    },
  }),
  isReady: (port) => answers(`http://127.0.0.1:${port}/ping`, /^Ok\./),
  readyTimeoutMs: 60_000,
  stopTimeoutMs: 20_000,
  knownFailures: [
    {
      pattern: /Code: 76\b|Cannot lock file|Another process .*has the ClickHouse data folder/,
      code: 'DATA_FOLDER_LOCKED',
      what: 'its data folder is used by another process',
      todo: 'Stop that process, or choose another state folder with PIPELINE_HOME.',
    },
    ...commonFailures,
  ],
};

/** The endpoint runs each statement on a thread of Node's pool, which is sized before the start. */
function threadPool(): Record<string, string> {
  const { UV_THREADPOOL_SIZE: size } = endpointEnvironment({});
  return size === undefined ? {} : { UV_THREADPOOL_SIZE: size };
}
