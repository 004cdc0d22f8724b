import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../../core/run-command.ts';
import { createKafka } from '../../targets/kafka.ts';
import { commonFailures } from './common-failures.ts';
import { jvmArguments, jvmEnvironment, log4jArguments, renderProperties } from './jvm.ts';
import type { Service, ServiceContext } from './service.ts';

const memory = { maxHeapMegabytes: 512, maxDirectMegabytes: 128 };

/** A record up to 8 MiB: above Kafka's 1 MiB, so that a DLQ record with its headers always fits. */
const maxMessageBytes = 8 * 1024 * 1024;

/** The broker: KRaft, one node that is broker and controller. */
export const kafka: Service = {
  name: 'kafka',
  port: 'kafka',
  internalPorts: ['kafkaController'],
  needs: [],
  jars: ['kafka'],
  needsSink: false,
  plan: (context) => ({
    file: context.java,
    args: [...javaArguments(context), 'kafka.Kafka', propertiesFile(context)],
    env: jvmEnvironment,
    files: { [propertiesFile(context)]: renderProperties(brokerProperties(context)) },
  }),
  prepare: formatStorage,
  isReady,
  readyTimeoutMs: 60_000,
  stopTimeoutMs: 30_000,
  knownFailures: [
    {
      pattern: /Failed to acquire lock on file \.lock/,
      code: 'DATA_FOLDER_LOCKED',
      what: 'its data folder is used by another broker',
      todo: 'Stop that broker, or choose another state folder with PIPELINE_HOME.',
    },
    ...commonFailures,
  ],
};

/** The broker's server.properties. */
export function brokerProperties(
  { settings, dataFolder }: ServiceContext,
  storage = storageFolder(dataFolder),
): Record<string, string | number> {
  const broker = `127.0.0.1:${settings.ports.kafka}`;
  const controller = `127.0.0.1:${settings.ports.kafkaController}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `PLAINTEXT://${broker},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${broker}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    // Static: a dynamic quorum keeps its address in the data, which then refuses to move to another port.
    'controller.quorum.voters': `1@${controller}`,
    'log.dirs': path.join(storage, 'log'),
    // A folder of its own is locked before it is written to. Within log.dirs it is not, and a second broker on
    // the same data spoils the first one's metadata before it notices the lock on the logs.
    'metadata.log.dir': path.join(storage, 'metadata'),
    // Topics come from the catalog; a typing error must not create one.
    'auto.create.topics.enable': 'false',
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Nothing expires: reconciliation compares whole topics, and a stack that was down for a week must not
    // find its consumers' offsets gone (default 7 days) and deliver everything again.
    'log.retention.ms': -1,
    'offsets.retention.minutes': 2_147_483_647,
    'message.max.bytes': maxMessageBytes,
    'replica.fetch.max.bytes': maxMessageBytes,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'num.recovery.threads.per.data.dir': 2,
    // Its buffer is allocated at start; the default is 128 MiB of a heap that has four times that.
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
}

/** Gives the data folder its cluster id. Done aside and moved into place, so that it is all or nothing. */
async function formatStorage(context: ServiceContext, _plan: unknown, signal?: AbortSignal): Promise<void> {
  const storage = storageFolder(context.dataFolder);
  if (existsSync(storage)) return;
  const staging = `${storage}.formatting`;
  const config = path.join(context.dataFolder, 'format.properties');
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await writeFile(config, renderProperties(brokerProperties(context, staging)));
  await runCommand(
    context.java,
    [...javaArguments(context), 'kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', config],
    {
      purpose: "Formatting the broker's storage",
      timeoutMs: 60_000,
      ...(signal === undefined ? {} : { signal }),
    },
  );
  await rename(staging, storage);
  await rm(config);
}

/** 16 random bytes; without the top bit the text never begins with "-", which the tool would take for a flag. */
export function newClusterId(random: (size: number) => Buffer = randomBytes): string {
  const bytes = random(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('base64url');
}

/** Answers requests and knows itself as a broker: before that, topics cannot be created. */
async function isReady(port: number): Promise<boolean> {
  const client = createKafka(
    { kafka: { brokers: [`127.0.0.1:${port}`], replicationFactor: 1 } },
    { clientId: 'embedded-stack', connectionTimeoutMs: 1000, requestTimeoutMs: 3000, retry: { retries: 0 } },
  );
  const admin = client.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length === 1;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function javaArguments(context: ServiceContext): string[] {
  return [
    ...jvmArguments(context, memory),
    ...log4jArguments,
    '-cp',
    path.join(context.jars.kafka ?? '', '*'),
  ];
}

function storageFolder(dataFolder: string): string {
  return path.join(dataFolder, 'storage');
}

function propertiesFile({ dataFolder }: ServiceContext): string {
  return path.join(dataFolder, 'server.properties');
}
