import { randomUUID } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import { waitFor } from '../core/wait.ts';
import { createKafka, kafkaError } from './kafka.ts';
import type { Target } from './load-target.ts';

/** What is to be read of a topic: of each partition the offsets from `low` on, `high` not included. */
export interface TopicRange {
  topic: string;
  partitions: readonly { partition: number; low: number; high: number }[];
}

export interface ReadTopicsOptions {
  /** Reading that takes longer fails. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Reads topics from `low` to `high` and leaves no trace: nothing is committed and the consumer group is removed.
 * Records beyond `high` may be seen as well, and a record more than once: after a lost connection, reading begins
 * again.
 *
 * @throws PipelineError `TIMED_OUT`, `KAFKA_UNREACHABLE` or `KAFKA_ERROR`
 */
export async function readTopics(
  target: Target,
  ranges: readonly TopicRange[],
  onMessage: (topic: string, partition: number, message: KafkaMessage) => void,
  { timeoutMs, signal }: ReadTopicsOptions,
): Promise<void> {
  const wanted = ranges.filter(({ partitions }) => partitions.some(({ low, high }) => low < high));
  if (wanted.length === 0) return;
  const topics = wanted.map(({ topic }) => topic);
  const ends = new Map<string, number>();
  for (const { topic, partitions } of wanted) {
    for (const { partition, low, high } of partitions)
      if (low < high) ends.set(`${topic}/${partition}`, high);
  }

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
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const { topic, partitions } of wanted) {
      for (const { partition, low, high } of partitions) {
        const begin = Math.min(low, high);
        if (begin > 0) consumer.seek({ topic, partition, offset: String(begin) });
      }
    }
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch: { topic, partition, messages } }) => {
        for (const message of messages) {
          onMessage(topic, partition, message);
          // The last record of a partition survives compaction, so its offset always comes.
          const key = `${topic}/${partition}`;
          if (Number(message.offset) >= (ends.get(key) ?? Infinity) - 1) ends.delete(key);
        }
        return Promise.resolve();
      },
    });
    await waitFor(
      () => {
        if (crash !== undefined) throw kafkaError(target, crash);
        return ends.size === 0;
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
