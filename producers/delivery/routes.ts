import type { Admin } from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import { retry } from '../../core/retry.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import type { AvroRecord } from '../../schemas/read-schema.ts';
import { withKafkaAdmin } from '../../targets/kafka.ts';
import { kafkajs } from '../../core/kafkajs/kafkajs.ts';
import type { Target } from '../../targets/load-target.ts';

/** All that sending to a topic takes. Plain data, so that it can be handed to a thread. */
export interface TopicRoute {
  topic: string;
  keyField: string;
  /** The broker's count, not the catalog's: consumers expect a key where every other client would put it. */
  partitions: number;
  /** Id of the schema in the registry the consumers ask. */
  schemaId: number;
  definition: AvroRecord;
  /** The broker keeps only the latest record of a key. */
  isCompacted: boolean;
  /** The topic's `max.message.bytes`: what one record, or one batch of them, may take. */
  maxBatchBytes: number;
}

export interface Routes {
  /** Kafka's own id of the cluster: a broker whose data was removed has another one afterwards. */
  clusterId: string;
  topics: readonly TopicRoute[];
}

export interface RoutesOptions {
  target: Target;
  catalog: Catalog;
  /** Ids of the registered schemas, by topic. */
  schemaIds: ReadonlyMap<string, number>;
}

/**
 * Asks the broker who it is and how many partitions each topic has.
 *
 * @throws PipelineError `KAFKA_UNREACHABLE`, `TOPIC_MISSING`
 */
export async function lookUpRoutes({ target, catalog, schemaIds }: RoutesOptions): Promise<Routes> {
  return withKafkaAdmin(target, { clientId: 'billing-producer' }, async (admin) => {
    const partitions = await countPartitions(admin, catalog, target);
    const limits = await readSizeLimits(admin, [...partitions.keys()]);
    const { clusterId } = await admin.describeCluster();
    const topics = catalog.topics.map(({ topic, key, definition, cleanup }) => ({
      topic,
      keyField: key,
      partitions: partitions.get(topic) ?? 1,
      schemaId: schemaIds.get(topic) ?? 0,
      definition,
      isCompacted: cleanup === 'compact',
      maxBatchBytes: limits.get(topic) ?? defaultMaxBatchBytes,
    }));
    return { clusterId, topics };
  });
}

/** An offset for each partition of each topic. */
export type Positions = Readonly<Record<string, readonly number[]>>;

/** Where the topics begin and end now: the oldest offset the broker has, and the next one to be given out. */
export async function readBounds(
  target: Target,
  topics: readonly string[],
): Promise<{ begin: Positions; end: Positions }> {
  // A broker that has just started still elects leaders.
  return retry(async () => askBounds(target, topics), { retries: 5 });
}

async function askBounds(
  target: Target,
  topics: readonly string[],
): Promise<{ begin: Positions; end: Positions }> {
  return withKafkaAdmin(target, { clientId: 'billing-producer' }, async (admin) => {
    const found = await Promise.all(
      topics.map(async (topic) => {
        const partitions = await admin.fetchTopicOffsets(topic);
        partitions.sort((a, b) => a.partition - b.partition);
        return { topic, partitions };
      }),
    );
    const positions = (bound: 'low' | 'high') =>
      Object.fromEntries(
        found.map(({ topic, partitions }) => [topic, partitions.map((entry) => Number(entry[bound]))]),
      );
    return { begin: positions('low'), end: positions('high') };
  });
}

async function countPartitions(admin: Admin, catalog: Catalog, target: Target): Promise<Map<string, number>> {
  const names = catalog.topics.map(({ topic }) => topic);
  const existing = new Set(await admin.listTopics());
  const missing = names.filter((name) => !existing.has(name));
  if (missing.length > 0) {
    throw new PipelineError('TOPIC_MISSING', {
      what: `There is no topic ${missing.join(', ')}`,
      where: target.kafka.brokers.join(', '),
      todo: 'Run "npm run topics:apply".',
    });
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
}

/** Kafka's own default of max.message.bytes. */
const defaultMaxBatchBytes = 1_048_588;

/** By topic; empty where the broker does not let this client read settings. */
async function readSizeLimits(admin: Admin, topics: readonly string[]): Promise<Map<string, number>> {
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const configNames = ['max.message.bytes'];
  try {
    const { resources } = await admin.describeConfigs({
      resources: topics.map((name) => ({ type, name, configNames })),
      includeSynonyms: false,
    });
    return new Map(
      resources.flatMap(({ resourceName, configEntries }) => {
        const bytes = Number(configEntries[0]?.configValue);
        return bytes > 0 ? [[resourceName, bytes] as const] : [];
      }),
    );
  } catch (error) {
    const isDenied = error instanceof kafkajs.KafkaJSProtocolError && error.type.includes('AUTHORIZATION');
    if (isDenied) return new Map();
    throw error;
  }
}
