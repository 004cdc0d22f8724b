import type { Producer } from 'kafkajs';
import { expect, it } from 'vitest';
import { isClean, reconcile, waitUntilReconciled } from '../../../controlplane/reconcile.ts';
import { kafkajs } from '../../../core/kafkajs/kafkajs.ts';
import { sleep, waitFor } from '../../../core/wait.ts';
import { createKafka } from '../../../targets/kafka.ts';
import { readTopics } from '../../../targets/read-topics.ts';
import { upTo, type Streams } from './streams.ts';

const timeoutMs = 60_000;

/** Offsets at which no record can land, and the ones beside them at which one should have. */
export function holesSuite(get: () => Streams): void {
  async function transactional(id: string): Promise<Producer> {
    const producer = createKafka(get().stack.target, { clientId: 'reconcile-test' }).producer({
      idempotent: true,
      transactionalId: id,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    return producer;
  }

  const messages = (count: number) =>
    upTo(count).map((key) => ({ partition: 0, key: String(key), value: 'x' }));

  async function awaitEnd(topic: string, end: number): Promise<void> {
    await waitFor(
      async () => (await get().admin.fetchTopicOffsets(topic)).some(({ high }) => high === String(end)),
      { what: `offset ${String(end)} of ${topic}`, timeoutMs },
    );
  }

  it('are markers and records of aborted transactions, also as the last of a partition', async () => {
    const { newTopic, land, produce } = get();
    const { topic, options } = await newTopic();
    const producer = await transactional(topic);
    const committed = await producer.transaction();
    await committed.send({ topic, messages: messages(3) });
    await committed.commit();
    const aborted = await producer.transaction();
    await aborted.send({ topic, messages: messages(2) });
    await aborted.abort();
    await awaitEnd(topic, 7);
    await produce(topic, 0, 2);
    const last = await producer.transaction();
    await last.send({ topic, messages: messages(1) });
    await last.commit();
    await producer.disconnect();
    // 0-2 and their marker at 3, 4-5 aborted at 6, two plain records at 7 and 8, 9 and its marker at 10.
    await awaitEnd(topic, 11);

    await land(topic, 0, [0, 2, 8]);
    expect((await reconcile(options))[0]).toMatchObject({
      produced: 6,
      landed: 3,
      missing: [
        { first: 1, last: 1 },
        { first: 7, last: 7 },
        { first: 9, last: 9 },
      ],
      missingOffsets: 3,
      lag: 1,
      empty: 5,
    });
    await land(topic, 0, [1, 7, 9]);
    const { clean, partitions } = await waitUntilReconciled({ ...options, timeoutMs, pollIntervalMs: 50 });
    expect(clean).toBe(true);
    expect(partitions[0]).toMatchObject({ produced: 6, landed: 6, missing: [], empty: 5, lag: 0 });

    // Sinks read what was aborted, too, unless they are told not to: what landed landed.
    await land(topic, 0, [4, 5]);
    expect((await reconcile(options))[0]).toMatchObject({ produced: 8, landed: 8, missing: [], empty: 3 });
  });

  it('are not those of a transaction that is still open, although its records land', async () => {
    const { newTopic, land, produce } = get();
    const { topic, options } = await newTopic();
    await produce(topic, 0, 2);
    const producer = await transactional(topic);
    const open = await producer.transaction();
    await open.send({ topic, messages: messages(3) });
    await land(topic, 0, upTo(5));
    expect((await reconcile(options))[0]).toMatchObject({ produced: 2, landed: 2, missing: [], lag: 0 });
    await open.commit();
    await producer.disconnect();
    await awaitEnd(topic, 6);
    expect((await reconcile(options))[0]).toMatchObject({ produced: 5, landed: 5, missing: [], empty: 1 });
  });

  it('are what compaction has removed; a tombstone is a record that no sink writes', async () => {
    const { newTopic, land, admin, send, stack } = get();
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.BROKER,
          name: String((await admin.describeCluster()).brokers[0]?.nodeId),
          configEntries: [{ name: 'log.cleaner.backoff.ms', value: '200' }],
        },
      ],
    });
    const { topic, options } = await newTopic({
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.001',
      'max.compaction.lag.ms': '100',
    });
    const record = (key: number, value: string | null = 'x') => ({ partition: 0, key: String(key), value });
    // Four times the same ten keys, then one key is deleted; a segment ends when a record comes after `segment.ms`.
    for (let round = 0; round < 4; round += 1)
      await send(
        topic,
        upTo(10).map((key) => record(key)),
      );
    await send(topic, [record(3, null)]);
    await sleep(150);
    await send(topic, [record(99)]);
    const existing = async () => {
      const offsets = new Set<number>();
      const range = { topic, partitions: [{ partition: 0, low: 0, high: 42 }] };
      await readTopics(stack.target, [range], (_t, _p, { offset }) => offsets.add(Number(offset)), {
        timeoutMs,
      });
      return offsets;
    };
    const kept = await waitFor(
      async () => {
        const offsets = await existing();
        return offsets.size === 11 && offsets;
      },
      { what: 'compaction', timeoutMs, pollIntervalMs: 200 },
    );
    expect([...kept]).toEqual([30, 31, 32, 34, 35, 36, 37, 38, 39, 40, 41]);

    // The sink was there for the first round, and then not until compaction was over.
    await land(topic, 0, [...upTo(10), 30, 31, 32, 34, 36, 41]);
    expect((await reconcile(options))[0]).toMatchObject({
      produced: 21,
      landed: 16,
      missing: [
        { first: 35, last: 35 },
        { first: 37, last: 39 },
      ],
      missingOffsets: 4,
      lag: 0,
      empty: 21,
      tombstones: 1,
    });
    await land(topic, 0, [35, 37, 38, 39]);
    expect(isClean(await reconcile(options))).toBe(true);
  });

  it('lie before the first offset that retention has left: nobody can tell what never landed of them', async () => {
    const { newTopic, produce, land, deadLetter, admin } = get();
    const { topic, dlq, options } = await newTopic();
    await produce(topic, 0, 30);
    await land(topic, 0, [5, 6, ...upTo(30).slice(20)]);
    await deadLetter(dlq, topic, 0, 3);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '20' }] });
    const [partition] = await reconcile(options);
    expect(partition).toMatchObject({ produced: 10, landed: 10, dlq: 0, missing: [], expired: 17 });
    expect(isClean([partition!])).toBe(true);
    expect((await reconcile({ ...options, sinceMs: Date.now() - 60_000 }))[0]).toMatchObject({
      produced: 10,
      expired: 0,
    });
  });

  it('begin where the records are as young as was asked for', async () => {
    const { newTopic, send, land } = get();
    const { topic, options } = await newTopic();
    const now = Date.now();
    const at = (hoursAgo: number, count: number) =>
      upTo(count).map((key) => ({
        partition: 0,
        key: String(key),
        value: 'x',
        timestamp: String(now - hoursAgo * 3_600_000),
      }));
    await send(topic, at(48, 10));
    await send(topic, at(2, 5));
    await land(topic, 0, [12, 13]);
    const since = async (hoursAgo: number) => {
      const [partition] = await reconcile({ ...options, sinceMs: now - hoursAgo * 3_600_000 });
      return { produced: partition?.produced, missing: partition?.missing };
    };
    const missing = [
      { first: 10, last: 11 },
      { first: 14, last: 14 },
    ];
    expect(await since(24)).toEqual({ produced: 5, missing });
    expect(await since(1)).toEqual({ produced: 0, missing: [] });
    expect(await since(72)).toEqual({ produced: 15, missing: [{ first: 0, last: 11 }, missing[1]] });
  });
}
