import { randomUUID } from 'node:crypto';
import type { Admin, IHeaders, ITopicConfig, Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { migrate } from '../../../clickhouse/migrate.ts';
import { isClean, reconcile, waitUntilReconciled } from '../../../controlplane/reconcile.ts';
import { waitFor } from '../../../core/wait.ts';
import { awaitTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog, type Catalog } from '../../../schemas/catalog.ts';
import { createKafka } from '../../../targets/kafka.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

let stack: TestStack;
let admin: Admin;
let producer: Producer;
let clickhouse: ClickHouse;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'clickhouse']);
  const kafka = createKafka(stack.target, { clientId: 'reconcile-test' });
  admin = kafka.admin();
  producer = kafka.producer({ idempotent: true });
  await Promise.all([admin.connect(), producer.connect(), migrate(stack.target)]);
  clickhouse = createClickHouse(stack.target);
});
afterAll(async () => {
  await Promise.all([admin.disconnect(), producer.disconnect(), clickhouse.close()]);
  await stack.stop();
});

async function createTopics(...topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  await awaitTopics(
    admin,
    topics.map(({ topic }) => topic),
  );
}

/** A topic of two partitions with a dead letter topic, both of the test's own. */
async function newTopic(config: Record<string, string> = {}) {
  const topic = `test.${randomUUID()}`;
  const dlq = `${topic}.dlq`;
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  await createTopics({ topic, numPartitions: 2, configEntries }, { topic: dlq, numPartitions: 1 });
  const [entry] = loadCatalog().topics;
  const catalog: Catalog = {
    topics: [{ ...entry!, topic }],
    deadLetterTopics: [{ topic: dlq, partitions: 1, retentionMs: -1 }],
  };
  return { topic, dlq, options: { target: stack.target, catalog } };
}

async function produce(topic: string, partition: number, count: number, headers?: IHeaders) {
  const messages = Array.from({ length: count }, (_, index) => ({
    partition,
    key: `${index}`,
    value: 'x',
    ...(headers === undefined ? {} : { headers }),
  }));
  await producer.send({ topic, messages });
}

/** What the sink does: rows with their coordinates. Rows of one event, so that the raw table keeps just one. */
async function land(topic: string, partition: number, offsets: readonly number[]) {
  await clickhouse.insert(
    'raw_payments',
    offsets.map((offset) => ({ kafka_topic: topic, kafka_partition: partition, kafka_offset: offset })),
    // The tests insert the same rows on purpose; the ledger counts them either way.
    { settings: { insert_deduplicate: 0 } },
  );
}

/** As Connect reports a record that it could not convert. */
async function deadLetter(dlq: string, topic: string, partition: number, offset: number) {
  await produce(dlq, 0, 1, {
    '__connect.errors.topic': topic,
    '__connect.errors.partition': String(partition),
    '__connect.errors.offset': String(offset),
    '__connect.errors.stage': 'VALUE_CONVERTER',
  });
}

const upTo = (end: number) => Array.from({ length: end }, (_, offset) => offset);

describe('reconcile', () => {
  it('finds nothing missing when every offset landed, and counts redeliveries', async () => {
    const { topic, options } = await newTopic();
    await produce(topic, 0, 50);
    await land(topic, 0, upTo(50));
    await land(topic, 0, upTo(7));
    const partitions = await reconcile(options);
    expect(partitions).toMatchObject([
      { topic, partition: 0, produced: 50, landed: 50, dlq: 0, missing: [], duplicates: 7 },
      { topic, partition: 1, produced: 0, landed: 0, dlq: 0, missing: [], duplicates: 0 },
    ]);
    expect(isClean(partitions)).toBe(true);
  });

  it('names exactly what is missing, and not what is in a dead letter topic', async () => {
    const { topic, dlq, options } = await newTopic();
    await produce(topic, 0, 100);
    await produce(topic, 1, 20);
    await land(
      topic,
      0,
      upTo(100).filter((offset) => !(offset >= 12 && offset <= 40) && offset !== 77 && offset < 98),
    );
    // One inside a gap, one at its end, one reported twice, one that landed all the same.
    for (const offset of [20, 40, 20, 50]) await deadLetter(dlq, topic, 0, offset);
    // Of another topic, and without coordinates.
    await deadLetter(dlq, `${topic}-other`, 0, 13);
    await produce(dlq, 0, 1);
    const partitions = await reconcile(options);
    expect(partitions).toMatchObject([
      {
        topic,
        partition: 0,
        produced: 100,
        landed: 68,
        dlq: 3,
        missing: [
          { first: 12, last: 19 },
          { first: 21, last: 39 },
          { first: 77, last: 77 },
          { first: 98, last: 99 },
        ],
        duplicates: 0,
      },
      {
        topic,
        partition: 1,
        produced: 20,
        landed: 0,
        dlq: 0,
        missing: [{ first: 0, last: 19 }],
        duplicates: 0,
      },
    ]);
    expect(isClean(partitions)).toBe(false);
  });

  it('leaves no consumer group behind', async () => {
    const { topic, dlq, options } = await newTopic();
    await produce(topic, 0, 1);
    await deadLetter(dlq, topic, 0, 0);
    expect(await reconcile(options)).toMatchObject([{ dlq: 1, missing: [] }, {}]);
    expect((await admin.listGroups()).groups).toEqual([]);
  });

  it('asks only for what retention left on the broker', async () => {
    const { topic, options } = await newTopic();
    await produce(topic, 0, 30);
    await land(topic, 0, [5, 6, 25, 26, 27, 28, 29]);
    // kafkajs finds a partition's leader only among topics it was asked about before.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '20' }] });
    expect((await reconcile(options))[0]).toMatchObject({
      produced: 10,
      landed: 5,
      missing: [{ first: 20, last: 24 }],
      duplicates: 0,
    });
  });

  it('asks of a compacted topic only for records that still exist', async () => {
    const { topic, options } = await newTopic({ 'cleanup.policy': 'compact' });
    // A transaction ends with a marker that takes an offset and is no record: a gap, as compaction leaves them.
    const transactional = createKafka(stack.target, { clientId: 'reconcile-test' }).producer({
      idempotent: true,
      transactionalId: topic,
      maxInFlightRequests: 1,
    });
    await transactional.connect();
    const transaction = await transactional.transaction();
    await transaction.send({
      topic,
      messages: [0, 1, 2].map((key) => ({ partition: 0, key: `${key}`, value: 'x' })),
    });
    await transaction.commit();
    await transactional.disconnect();
    // The marker is written after the commit was answered; kafkajs names the end of what is committed.
    await waitFor(async () => (await admin.fetchTopicOffsets(topic)).some(({ high }) => high === '4'), {
      what: 'the marker',
      timeoutMs: 10_000,
    });
    await produce(topic, 0, 2);
    await land(topic, 0, [0, 2, 4]);
    expect((await reconcile(options))[0]).toMatchObject({
      topic,
      partition: 0,
      produced: 5,
      landed: 3,
      dlq: 0,
      missing: [
        { first: 1, last: 1 },
        { first: 5, last: 5 },
      ],
      duplicates: 0,
    });
    await land(topic, 0, [1, 5]);
    expect(isClean(await reconcile(options))).toBe(true);
  });

  it('refuses to compare with a topic that was recreated after its records had landed', async () => {
    const { topic, options } = await newTopic();
    await produce(topic, 0, 10);
    await land(topic, 0, upTo(10));
    await admin.deleteTopics({ topics: [topic] });
    await waitFor(async () => !(await admin.listTopics()).includes(topic), {
      what: 'the topic to go',
      timeoutMs: 10_000,
    });
    await createTopics({ topic, numPartitions: 2 });
    await expect(reconcile(options)).rejects.toMatchObject({
      code: 'TOPIC_RECREATED',
      message: expect.stringContaining(`${topic}/0 ends at offset 0, but offset 9 landed`) as string,
    });
  });

  it('names a topic that does not exist', async () => {
    const { options } = await newTopic();
    await expect(reconcile({ ...options, topics: ['test.nowhere'] })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
      message: expect.stringContaining('test.nowhere') as string,
    });
  });

  it('says so when ClickHouse is not migrated', async () => {
    const { options } = await newTopic();
    const target = { ...stack.target, clickhouse: { ...stack.target.clickhouse, database: 'nowhere' } };
    await expect(reconcile({ ...options, target })).rejects.toMatchObject({
      code: 'CLICKHOUSE_NOT_MIGRATED',
    });
  });
});

describe('waitUntilReconciled', () => {
  it('returns as soon as everything landed, and reports on the way', async () => {
    const { topic, options } = await newTopic();
    await produce(topic, 0, 10);
    const seen: number[] = [];
    const { clean, partitions } = await waitUntilReconciled({
      ...options,
      timeoutMs: 30_000,
      pollIntervalMs: 20,
      onProgress: ({ produced, landed }) => {
        expect(produced).toBe(10);
        seen.push(landed);
        if (seen.length === 1) void land(topic, 0, upTo(10));
      },
    });
    expect(clean).toBe(true);
    expect([seen[0], seen.at(-1)]).toEqual([0, 10]);
    expect(partitions[0]).toMatchObject({ landed: 10, missing: [] });
  });

  it('returns what is missing when the time is up', async () => {
    const { topic, options } = await newTopic();
    await produce(topic, 0, 10);
    await land(topic, 0, upTo(9));
    const { clean, partitions } = await waitUntilReconciled({
      ...options,
      timeoutMs: 50,
      pollIntervalMs: 20,
    });
    expect(clean).toBe(false);
    expect(partitions[0]?.missing).toEqual([{ first: 9, last: 9 }]);
  });

  it('stops when the signal aborts', async () => {
    const { topic, options } = await newTopic();
    await produce(topic, 0, 1);
    const abort = new AbortController();
    const waiting = waitUntilReconciled({
      ...options,
      timeoutMs: 60_000,
      pollIntervalMs: 60_000,
      signal: abort.signal,
      onProgress: () => {
        abort.abort();
      },
    });
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('the command', () => {
  it('exits with 2 and the missing ranges, and with 0 when nothing is missing', async () => {
    const env = { ...process.env, ...stack.env };
    const catalog = loadCatalog();
    await createTopics(...catalog.topics.map(({ topic }) => ({ topic, numPartitions: 1 })));
    await produce('billing.payments', 0, 5);
    await land('billing.payments', 0, [0, 1, 4]);

    const lacking = await runCli(env, 'reconcile', '--json');
    expect(lacking.exitCode).toBe(2);
    const none = { partition: 0, produced: 0, landed: 0, dlq: 0, missing: [], duplicates: 0 };
    const payments = { ...none, produced: 5, landed: 3, missing: [{ first: 2, last: 3 }] };
    expect(JSON.parse(lacking.stdout)).toMatchObject(
      catalog.topics.map(({ topic }) => ({ topic, ...(topic === 'billing.payments' ? payments : none) })),
    );

    await land('billing.payments', 0, [2, 3]);
    const clean = await runCli(env, 'reconcile');
    expect([clean.exitCode, clean.stderr]).toEqual([0, '']);
    expect(clean.stdout).toContain('Nothing is missing');
    for (const line of clean.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});
