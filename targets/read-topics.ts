import { randomUUID } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { waitFor } from '../core/wait.ts';
import { createKafka, kafkaError } from './kafka.ts';
import type { Target } from './load-target.ts';

/** What is to be read of a topic: of each partition the offsets from `low` on, `high` not included. */
export interface TopicRange {
  topic: string;
  /** A partition may have several ranges, ascending; what lies between them is skipped where that is worth it. */
  partitions: readonly { partition: number; low: number; high: number }[];
}

export interface ReadTopicsOptions {
  /** Reading that takes longer fails. */
  timeoutMs: number;
  /**
   * Told how far a partition was read: whatever record there is up to `last` was seen. Transactions that are still
   * open reach up to `highWatermark`.
   */
  onRead?: (topic: string, partition: number, last: number, highWatermark: number) => void;
  signal?: AbortSignal;
}

/** Fetching over so many offsets takes less time than asking for another place. */
const skipFrom = 5000;

/**
 * Reads topics from `low` to `high` and leaves no trace: nothing is committed and the consumer group is removed.
 * Records outside may be seen as well, and a record more than once: after a lost connection, reading begins again.
 * What no consumer sees is not seen: records of aborted transactions, and the markers at the end of any.
 *
 * @throws PipelineError `TIMED_OUT`, `KAFKA_UNREACHABLE` or `KAFKA_ERROR`
 */
export async function readTopics(
  target: Target,
  topicRanges: readonly TopicRange[],
  onMessage: (topic: string, partition: number, message: KafkaMessage) => void,
  { timeoutMs, onRead, signal }: ReadTopicsOptions,
): Promise<void> {
  const open = new OpenRanges(topicRanges);
  if (open.isDone()) return;
  const topics = open.topics();

  const groupId = `billing-read-${randomUUID()}`;
  const kafka = createKafka(target, { clientId: groupId });
  // A fetch waits at the end of a partition, and disconnecting waits for the fetch (kafkajs waits up to 5 s).
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  let crash: unknown;
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    // kafkajs starts again by itself after an error that passes, such as a coordinator that is still loading.
    if (!payload.restart) crash ??= payload.error;
  });
  // Whenever it joins, the first time included: a group that commits nothing would begin at the first record.
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    for (const [topic, assigned] of Object.entries(memberAssignment)) {
      for (const partition of assigned) {
        const low = open.next(topic, partition);
        if (low === undefined) consumer.pause([{ topic, partitions: [partition] }]);
        else consumer.seek({ topic, partition, offset: String(low) });
      }
    }
  });
  // Also told of what has no record to show: the end of a transaction, or a stretch that was compacted.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    const { topic, partition } = payload;
    const last = Number(payload.lastOffset);
    onRead?.(topic, partition, last, Number(payload.highWatermark));
    const next = open.advance(topic, partition, last);
    if (next === undefined) consumer.pause([{ topic, partitions: [partition] }]);
    else if (next > last + skipFrom) consumer.seek({ topic, partition, offset: String(next) });
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch: { topic, partition, messages } }) => {
        for (const message of messages) onMessage(topic, partition, message);
        return Promise.resolve();
      },
    });
    await waitFor(
      () => {
        if (crash !== undefined) throw kafkaError(target, crash);
        return open.isDone();
      },
      {
        what: `the last records of ${topics.join(', ')}`,
        timeoutMs,
        pollIntervalMs: 20,
        ...(signal === undefined ? {} : { signal }),
      },
    );
  } catch (error) {
    throw kafkaError(target, error);
  } finally {
    await consumer.disconnect().catch(() => undefined);
    await removeGroup(kafka.admin(), groupId);
  }
}

/** The ranges that have not been read to their end, partition by partition. */
class OpenRanges {
  readonly #partitions = new Map<
    string,
    { topic: string; partition: number; ranges: { low: number; high: number }[] }
  >();

  constructor(topicRanges: readonly TopicRange[]) {
    for (const { topic, partitions } of topicRanges) {
      for (const { partition, low, high } of partitions) {
        if (low >= high) continue;
        const key = `${topic}/${partition}`;
        const known = this.#partitions.get(key) ?? { topic, partition, ranges: [] };
        known.ranges.push({ low, high });
        this.#partitions.set(key, known);
      }
    }
    // The next one is taken from the end.
    for (const { ranges } of this.#partitions.values()) ranges.reverse();
  }

  isDone(): boolean {
    return this.#partitions.size === 0;
  }

  topics(): string[] {
    return [...new Set([...this.#partitions.values()].map(({ topic }) => topic))];
  }

  /** Where the next range of a partition begins; undefined where there is none. */
  next(topic: string, partition: number): number | undefined {
    return this.#partitions.get(`${topic}/${partition}`)?.ranges.at(-1)?.low;
  }

  /** Notes that a partition was read up to `last`; returns where its next range begins, if there is one. */
  advance(topic: string, partition: number, last: number): number | undefined {
    const key = `${topic}/${partition}`;
    const ranges = this.#partitions.get(key)?.ranges ?? [];
    while ((ranges.at(-1)?.high ?? Infinity) - 1 <= last) ranges.pop();
    if (ranges.length === 0) this.#partitions.delete(key);
    return ranges.at(-1)?.low;
  }
}

async function removeGroup(admin: ReturnType<ReturnType<typeof createKafka>['admin']>, groupId: string) {
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // The broker forgets an empty group by itself after a week.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
