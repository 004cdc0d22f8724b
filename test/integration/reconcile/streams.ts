import { randomUUID } from 'node:crypto';
import type { Admin, IHeaders, ITopicConfig, Message, Producer } from 'kafkajs';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { migrate } from '../../../clickhouse/migrate.ts';
import { awaitTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog, type Catalog } from '../../../schemas/catalog.ts';
import { createKafka } from '../../../targets/kafka.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

/** Topics of the tests' own, and what a sink would do with their records. */
export interface Streams {
  stack: TestStack;
  admin: Admin;
  clickhouse: ClickHouse;
  createTopics: (...topics: ITopicConfig[]) => Promise<void>;
  /** A topic of two partitions with a dead letter topic; its rows go to the raw table of `model`. */
  newTopic: (config?: Record<string, string>, model?: string) => Promise<Stream>;
  produce: (topic: string, partition: number, count: number, headers?: IHeaders) => Promise<void>;
  send: (topic: string, messages: Message[]) => Promise<void>;
  /** What the sink does: rows with their coordinates. Rows of one event, so that the raw table keeps just one. */
  land: (topic: string, partition: number, offsets: readonly number[]) => Promise<void>;
  /** As Connect reports a record that it could not convert. */
  deadLetter: (dlq: string, topic: string, partition: number, offset: number) => Promise<void>;
  stop: () => Promise<void>;
}

export interface Stream {
  topic: string;
  dlq: string;
  options: { target: TestStack['target']; catalog: Catalog };
}

export const upTo = (end: number) => Array.from({ length: end }, (_, offset) => offset);

export async function startStreams(): Promise<Streams> {
  const stack = await startTestStack(['kafka', 'schema-registry', 'clickhouse']);
  const kafka = createKafka(stack.target, { clientId: 'reconcile-test' });
  const [admin, producer]: [Admin, Producer] = [kafka.admin(), kafka.producer({ idempotent: true })];
  await Promise.all([admin.connect(), producer.connect(), migrate(stack.target)]);
  const clickhouse = createClickHouse(stack.target);

  const createTopics: Streams['createTopics'] = async (...topics) => {
    await admin.createTopics({ topics, waitForLeaders: false });
    await awaitTopics(
      admin,
      topics.map(({ topic }) => topic),
    );
  };
  const send: Streams['send'] = async (topic, messages) => {
    await producer.send({ topic, messages });
  };
  const produce: Streams['produce'] = async (topic, partition, count, headers) => {
    const message = headers === undefined ? { partition, value: 'x' } : { partition, value: 'x', headers };
    await send(
      topic,
      Array.from({ length: count }, (_, index) => ({ ...message, key: String(index) })),
    );
  };
  return {
    stack,
    admin,
    clickhouse,
    createTopics,
    send,
    produce,
    newTopic: async (config = {}, model = 'billing.payments') => {
      const topic = `test.${randomUUID()}`;
      const dlq = `${topic}.dlq`;
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await createTopics({ topic, numPartitions: 2, configEntries }, { topic: dlq, numPartitions: 1 });
      const entry = loadCatalog().topics.find((one) => one.topic === model)!;
      const catalog: Catalog = {
        topics: [{ ...entry, topic, subject: `${topic}-value` }],
        deadLetterTopics: [{ topic: dlq, partitions: 1, retentionMs: -1 }],
      };
      return { topic, dlq, options: { target: stack.target, catalog } };
    },
    land: async (topic, partition, offsets) => {
      await clickhouse.insert(
        'raw_payments',
        offsets.map((offset) => ({ kafka_topic: topic, kafka_partition: partition, kafka_offset: offset })),
        // The tests insert the same rows on purpose; the ledger counts them either way.
        { settings: { insert_deduplicate: 0 } },
      );
    },
    deadLetter: async (dlq, topic, partition, offset) => {
      await produce(dlq, 0, 1, {
        '__connect.errors.topic': topic,
        '__connect.errors.partition': String(partition),
        '__connect.errors.offset': String(offset),
        '__connect.errors.stage': 'VALUE_CONVERTER',
      });
    },
    stop: async () => {
      await Promise.all([admin.disconnect(), producer.disconnect(), clickhouse.close()]);
      await stack.stop();
    },
  };
}
