import path from 'node:path';
import { commonFailures } from './common-failures.ts';
import { answers } from './http-probe.ts';
import { jvmArguments, jvmEnvironment, log4jArguments, renderProperties } from './jvm.ts';
import type { Service, ServiceContext } from './service.ts';

/**
 * Batches of 20,000 records are in memory several times: as bytes, as Connect's structures, as rows. A fetch is
 * copied through direct memory, two tasks at a time; declarations cap it at 16 MiB (fetch.max.bytes).
 */
const memory = { maxHeapMegabytes: 768, maxDirectMegabytes: 256 };

/**
 * Avro allocates what a length in the bytes claims, up to 2 GiB: one corrupt record would end the worker, and end
 * it again after each restart. No record is longer than the broker takes; beyond that it is a dead letter.
 */
const avroLimits = ['string', 'bytes', 'collectionItems'].map(
  (kind) => `-Dorg.apache.avro.limits.${kind}.maxLength=${8 * 1024 * 1024}`,
);

/** The Connect worker, distributed, with the Avro converter and the sink on its plugin path. */
export const connect: Service = {
  name: 'connect',
  port: 'connect',
  internalPorts: [],
  // Connectors of the last run start with the worker: without ClickHouse their tasks would fail at once.
  needs: ['kafka', 'schema-registry', 'clickhouse'],
  jars: ['kafka', 'registry-converter'],
  needsSink: true,
  plan: (context) => ({
    file: context.java,
    args: [
      ...jvmArguments(context, memory),
      ...log4jArguments,
      ...avroLimits,
      '-cp',
      path.join(context.jars.kafka ?? '', '*'),
      'org.apache.kafka.connect.cli.ConnectDistributed',
      propertiesFile(context),
    ],
    env: jvmEnvironment,
    files: { [propertiesFile(context)]: renderProperties(workerProperties(context)) },
  }),
  // While it starts it refuses connections, then answers everything with an HTML 404 for two seconds.
  isReady: (port) => answers(`http://127.0.0.1:${port}/health`, /"healthy"/),
  readyTimeoutMs: 90_000,
  stopTimeoutMs: 30_000,
  knownFailures: commonFailures,
};

/** The worker's properties. */
export function workerProperties({
  settings,
  jars,
  sink,
  pluginDiscovery,
}: ServiceContext): Record<string, string | number> {
  return {
    'bootstrap.servers': `127.0.0.1:${settings.ports.kafka}`,
    'group.id': 'billing-connect',
    listeners: `http://127.0.0.1:${settings.ports.connect}`,
    'rest.advertised.host.name': '127.0.0.1',
    'rest.advertised.port': settings.ports.connect,
    // Declarations name their own; these are only what a connector without any gets.
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    'config.storage.topic': 'connect-configs',
    'config.storage.replication.factor': 1,
    'offset.storage.topic': 'connect-offsets',
    'offset.storage.replication.factor': 1,
    'offset.storage.partitions': 1,
    'status.storage.topic': 'connect-status',
    'status.storage.replication.factor': 1,
    'status.storage.partitions': 1,
    // Default 60000: progress would be seen, and after a crash repeated, a minute at a time.
    'offset.flush.interval.ms': 1000,
    // With one worker nothing is gained by waiting for a lost one to come back (default five minutes).
    'scheduled.rebalance.max.delay.ms': 0,
    'connector.client.config.override.policy': 'All',
    'plugin.discovery': pluginDiscovery,
    // Both are elements, not plugins: each subfolder of an element is a plugin with a class loader of its own.
    'plugin.path': [path.dirname(jars['registry-converter'] ?? ''), sink?.folder].filter(Boolean).join(','),
  };
}

function propertiesFile({ dataFolder }: ServiceContext): string {
  return path.join(dataFolder, 'connect.properties');
}
