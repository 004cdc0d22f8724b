import type { Admin } from 'kafkajs';
import { withKafkaAdmin, type KafkaOptions } from '../targets/kafka.ts';
import type { Target } from '../targets/load-target.ts';
import { readTopicOffsets, type TopicOffsets } from './topic-offsets.ts';

/** How far a connector has come, as Kafka sees it. */
export interface Progress {
  /** Records its consumer group has not committed yet; null where one of its topics does not exist. */
  lag: number | null;
  /** The same for each partition of the topics that exist. */
  partitions: readonly PartitionProgress[];
  /** Records in its dead letter topic; null where it has none or the topic does not exist. */
  deadLetters: number | null;
  /** Records ever written there: retention does not make it smaller. Null like `deadLetters`. */
  deadLettersWritten: number | null;
}

export interface PartitionProgress {
  topic: string;
  partition: number;
  /** The next offset the connector's group will read; -1 where it has committed none. */
  committed: number;
  /** The next offset the broker will give out. */
  end: number;
  lag: number;
}

/** What Kafka has to be asked about. */
export interface ProgressQuery {
  /** Commits what was read. */
  consumerGroup: string;
  topics: readonly string[];
  deadLetterTopic: string | undefined;
}

/** What is known where Kafka could not be asked. */
export const unknownProgress: Progress = {
  lag: null,
  partitions: [],
  deadLetters: null,
  deadLettersWritten: null,
};

/**
 * Reads the progress of sink connectors, in the order of `queries`. A worker commits offsets at intervals, so lag
 * is up to `offset.flush.interval.ms` behind.
 */
export async function readProgress(admin: Admin, queries: readonly ProgressQuery[]): Promise<Progress[]> {
  const names = queries.flatMap(({ topics, deadLetterTopic }) => [...topics, deadLetterTopic ?? []].flat());
  const offsets = await readTopicOffsets(admin, [...new Set(names)]);
  return Promise.all(
    queries.map(async ({ consumerGroup, topics, deadLetterTopic }) => {
      const read = topics.flatMap((topic) => offsets.get(topic) ?? []);
      const existing = read.map(({ topic }) => topic);
      const partitions =
        read.length === 0 ? [] : measure(read, await committedOffsets(admin, consumerGroup, existing));
      const isComplete = topics.length > 0 && read.length === topics.length;
      const deadLetters = deadLetterTopic === undefined ? undefined : offsets.get(deadLetterTopic);
      return {
        lag: isComplete ? partitions.reduce((sum, { lag }) => sum + lag, 0) : null,
        partitions,
        deadLetters: sumOf(deadLetters, ({ low, high }) => high - low),
        deadLettersWritten: sumOf(deadLetters, ({ high }) => high),
      };
    }),
  );
}

/**
 * The same for one look, by clients of its own. For each topic a client has not seen, kafkajs reads the metadata of
 * all the topics it has: 200 topics take one client two seconds, and eight clients a fraction of that.
 */
export async function readProgressOnce(
  target: Target,
  options: KafkaOptions,
  queries: readonly ProgressQuery[],
): Promise<Progress[]> {
  const chunks = Array.from({ length: Math.ceil(queries.length / queriesPerClient) }, (_, index) =>
    queries.slice(index * queriesPerClient, (index + 1) * queriesPerClient),
  );
  const progress = await Promise.all(
    chunks.map((chunk) => withKafkaAdmin(target, options, (admin) => readProgress(admin, chunk))),
  );
  return progress.flat();
}

const queriesPerClient = 25;

/** By {@link partitionKey}. */
async function committedOffsets(admin: Admin, groupId: string, topics: readonly string[]) {
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  return new Map(
    committed.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [partitionKey(topic, partition), Number(offset)] as const),
    ),
  );
}

/**
 * Records between what was committed and the end. Nothing committed, which Kafka gives as -1, means all there
 * are; what retention has removed before it was read is no longer there to wait for.
 *
 * @param committedOffsetsByPartition by {@link partitionKey}
 */
export function measure(
  topics: readonly Pick<TopicOffsets, 'topic' | 'partitions'>[],
  committedOffsetsByPartition: ReadonlyMap<string, number>,
): PartitionProgress[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, low, high }) => {
      const committed = committedOffsetsByPartition.get(partitionKey(topic, partition)) ?? -1;
      return { topic, partition, committed, end: high, lag: Math.max(0, high - Math.max(committed, low)) };
    }),
  );
}

function sumOf(
  topic: TopicOffsets | undefined,
  count: (bounds: { low: number; high: number }) => number,
): number | null {
  return topic?.partitions.reduce((sum, bounds) => sum + count(bounds), 0) ?? null;
}

export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${String(partition)}`;
}
