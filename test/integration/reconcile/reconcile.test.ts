import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isClean, reconcile, waitUntilReconciled } from '../../../controlplane/reconcile.ts';
import { waitFor } from '../../../core/wait.ts';
import { accountantSuite } from './accountant-suite.ts';
import { commandSuite } from './command-suite.ts';
import { holesSuite } from './holes-suite.ts';
import { repairSuite } from './repair-suite.ts';
import { startStreams, upTo, type Streams } from './streams.ts';

let streams: Streams;

beforeAll(async () => {
  streams = await startStreams();
});
afterAll(async () => {
  await streams.stop();
});

describe('reconcile', () => {
  it('finds nothing missing when every offset landed, and counts redeliveries', async () => {
    const { topic, options } = await streams.newTopic();
    await streams.produce(topic, 0, 50);
    await streams.land(topic, 0, upTo(50));
    await streams.land(topic, 0, upTo(7));
    const partitions = await reconcile(options);
    expect(partitions).toMatchObject([
      { topic, partition: 0, produced: 50, landed: 50, dlq: 0, missing: [], duplicates: 7 },
      { topic, partition: 1, produced: 0, landed: 0, dlq: 0, missing: [], duplicates: 0 },
    ]);
    expect(isClean(partitions)).toBe(true);
  });

  it('names exactly what is missing, and not what is in a dead letter topic', async () => {
    const { topic, dlq, options } = await streams.newTopic();
    await streams.produce(topic, 0, 100);
    await streams.produce(topic, 1, 20);
    await streams.land(
      topic,
      0,
      upTo(100).filter((offset) => !(offset >= 12 && offset <= 40) && offset !== 77 && offset < 98),
    );
    // One inside a gap, one at its end, one reported twice, one that landed all the same.
    for (const offset of [20, 40, 20, 50]) await streams.deadLetter(dlq, topic, 0, offset);
    // Of another topic, and without coordinates.
    await streams.deadLetter(dlq, `${topic}-other`, 0, 13);
    await streams.produce(dlq, 0, 1);
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
    const { topic, dlq, options } = await streams.newTopic();
    await streams.produce(topic, 0, 1);
    await streams.deadLetter(dlq, topic, 0, 0);
    expect(await reconcile(options)).toMatchObject([{ dlq: 1, missing: [] }, {}]);
    expect((await streams.admin.listGroups()).groups).toEqual([]);
  });

  it('asks only for what retention left on the broker', async () => {
    const { topic, options } = await streams.newTopic();
    await streams.produce(topic, 0, 30);
    await streams.land(topic, 0, [5, 6, 25, 26, 27, 28, 29]);
    // kafkajs finds a partition's leader only among topics it was asked about before.
    await streams.admin.fetchTopicOffsets(topic);
    await streams.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '20' }] });
    expect((await reconcile(options))[0]).toMatchObject({
      produced: 10,
      landed: 5,
      missing: [{ first: 20, last: 24 }],
      duplicates: 0,
    });
  });

  it('refuses to compare with a topic that was recreated after its records had landed', async () => {
    const { topic, options } = await streams.newTopic();
    await streams.produce(topic, 0, 10);
    await streams.land(topic, 0, upTo(10));
    await streams.admin.deleteTopics({ topics: [topic] });
    await waitFor(async () => !(await streams.admin.listTopics()).includes(topic), {
      what: 'the topic to go',
      timeoutMs: 10_000,
    });
    await streams.createTopics({ topic, numPartitions: 2 });
    await expect(reconcile(options)).rejects.toMatchObject({
      code: 'TOPIC_RECREATED',
      message: expect.stringContaining(`${topic}/0 ends at offset 0, but offset 9 landed`) as string,
    });
  });

  it('names a topic that does not exist', async () => {
    const { options } = await streams.newTopic();
    await expect(reconcile({ ...options, topics: ['test.nowhere'] })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
      message: expect.stringContaining('test.nowhere') as string,
    });
  });

  it('says so when ClickHouse is not migrated', async () => {
    const { options } = await streams.newTopic();
    const target = {
      ...streams.stack.target,
      clickhouse: { ...streams.stack.target.clickhouse, database: 'nowhere' },
    };
    await expect(reconcile({ ...options, target })).rejects.toMatchObject({
      code: 'CLICKHOUSE_NOT_MIGRATED',
    });
  });
});

describe('waitUntilReconciled', () => {
  it('returns as soon as everything landed, and reports on the way', async () => {
    const { topic, options } = await streams.newTopic();
    await streams.produce(topic, 0, 10);
    const seen: number[] = [];
    const { clean, partitions } = await waitUntilReconciled({
      ...options,
      timeoutMs: 30_000,
      pollIntervalMs: 20,
      onProgress: ({ produced, landed }) => {
        expect(produced).toBe(10);
        seen.push(landed);
        if (seen.length === 1) void streams.land(topic, 0, upTo(10));
      },
    });
    expect(clean).toBe(true);
    expect([seen[0], seen.at(-1)]).toEqual([0, 10]);
    expect(partitions[0]).toMatchObject({ landed: 10, missing: [] });
  });

  it('returns what is missing when the time is up', async () => {
    const { topic, options } = await streams.newTopic();
    await streams.produce(topic, 0, 10);
    await streams.land(topic, 0, upTo(9));
    const { clean, partitions } = await waitUntilReconciled({
      ...options,
      timeoutMs: 50,
      pollIntervalMs: 20,
    });
    expect(clean).toBe(false);
    expect(partitions[0]?.missing).toEqual([{ first: 9, last: 9 }]);
  });

  it('stops when the signal aborts', async () => {
    const { topic, options } = await streams.newTopic();
    await streams.produce(topic, 0, 1);
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

describe('offsets without a record', () => {
  holesSuite(() => streams);
});

describe('a repair', () => {
  repairSuite(() => streams);
});

describe('an accountant', () => {
  accountantSuite(() => streams);
});

describe('the command', () => {
  commandSuite(() => streams);
});
