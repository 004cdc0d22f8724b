import type { Admin } from 'kafkajs';
import { readTopicOffsets, type TopicOffsets } from './topic-offsets.ts';

/** How far a connector has come, as Kafka sees it. */
export interface Progress {
  /** Records its consumer group has not committed yet; null where one of its topics does not exist. */
  lag: number | null;
  /** Records in its dead letter topic; null where it has none or the topic does not exist. */
  deadLetters: number | null;
}

/** What Kafka has to be asked about. */
export interface ProgressQuery {
  /** Commits what was read. */
  consumerGroup: string;
  topics: readonly string[];
  deadLetterTopic: string | undefined;
}

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
      const complete = topics.length > 0 && read.length === topics.length;
      const deadLetters = deadLetterTopic === undefined ? undefined : offsets.get(deadLetterTopic);
      return {
        lag: complete ? sumLag(read, await committedOffsets(admin, consumerGroup, topics)) : null,
        deadLetters: deadLetters === undefined ? null : sumLag([deadLetters], new Map()),
      };
    }),
  );
}

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
 */
export function sumLag(
  topics: readonly Pick<TopicOffsets, 'topic' | 'partitions'>[],
  committed: ReadonlyMap<string, number>,
): number {
  return topics
    .flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, low, high }) =>
        Math.max(0, high - Math.max(committed.get(partitionKey(topic, partition)) ?? -1, low)),
      ),
    )
    .reduce((sum, lag) => sum + lag, 0);
}

export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${String(partition)}`;
}
