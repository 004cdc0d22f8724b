import path from 'node:path';
import { commonFailures } from './common-failures.ts';
import { answers } from './http-probe.ts';
import { jvmArguments, jvmEnvironment } from './jvm.ts';
import type { Service } from './service.ts';

const memory = { maxHeapMegabytes: 256, maxDirectMegabytes: 64 };

/** The Confluent-compatible registry, with its schemas in a file. */
export const schemaRegistry: Service = {
  name: 'schema-registry',
  port: 'schemaRegistry',
  internalPorts: [],
  needs: [],
  jars: ['schema-registry'],
  needsSink: false,
  plan: (context) => ({
    file: context.java,
    args: [
      ...jvmArguments(context, memory),
      // A few requests a minute: the second compiler would only cost a slower start and more memory.
      '-XX:TieredStopAtLevel=1',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${context.settings.ports.schemaRegistry}`,
      '-Dquarkus.http.access-log.enabled=false',
      '-Dapicurio.storage.kind=sql',
      '-Dapicurio.storage.sql.kind=h2',
      // WRITE_DELAY=0: a commit is in the file before it is answered, as Kafka's records name its ids for ever.
      `-Dapicurio.datasource.url=jdbc:h2:file:${path.join(context.dataFolder, 'registry')};WRITE_DELAY=0`,
      '-Dapicurio.datasource.jdbc.initial-size=2',
      '-Dapicurio.datasource.jdbc.min-size=2',
      '-Dapicurio.datasource.jdbc.max-size=20',
      // The one jar there is the application; its manifest names those it needs.
      '-cp',
      path.join(context.jars['schema-registry'] ?? '', '*'),
      'io.quarkus.runner.GeneratedMain',
    ],
    env: jvmEnvironment,
  }),
  isReady: async (port) =>
    (await answers(`http://127.0.0.1:${port}/health/ready`)) &&
    (await answers(`http://127.0.0.1:${port}/apis/ccompat/v7/subjects`)),
  readyTimeoutMs: 90_000,
  stopTimeoutMs: 15_000,
  knownFailures: [
    {
      pattern: /Database may be already in use|The file is locked/,
      code: 'DATA_FOLDER_LOCKED',
      what: 'its data folder is used by another registry',
      todo: 'Stop that registry, or choose another state folder with PIPELINE_HOME.',
    },
    ...commonFailures,
  ],
};
