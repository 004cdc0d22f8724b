import type { Admin } from 'kafkajs';

/** What status needs of Kafka; null where a topic does not exist. */
export interface TopicProgress {
  /** Records that the connector's consumer group has not committed yet, over all partitions. */
  lag: number | null;
  /** Records in the connector's dead letter topic; null also where it has none. */
  deadLetters: number | null;
}

interface Watermarks {
  partition: number;
  low: string;
  high: string;
}

/** Kafka Connect's name for the consumer group of a sink connector. */
export function groupOf(connector: string): string {
  return `connect-${connector}`;
}

/** Reads how far a connector has come. `admin` is connected. Committed offsets lag by the worker's flush interval. */
export async function readProgress(
  admin: Admin,
  connector: { name: string; topics: readonly string[]; deadLetterTopic: string | undefined },
): Promise<TopicProgress> {
  // Asking for the offsets of a topic that is not there makes kafkajs retry for seconds.
  const existing = new Set(await admin.listTopics());
  const { name, topics, deadLetterTopic } = connector;
  const [lag, deadLetters] = await Promise.all([
    topics.every((topic) => existing.has(topic)) ? lagOf(admin, groupOf(name), topics) : null,
    deadLetterTopic !== undefined && existing.has(deadLetterTopic) ? sizeOf(admin, deadLetterTopic) : null,
  ]);
  return { lag, deadLetters };
}

async function lagOf(admin: Admin, groupId: string, topics: readonly string[]): Promise<number> {
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const lags = await Promise.all(
    committed.map(async ({ topic, partitions }) =>
      sumLag(
        await admin.fetchTopicOffsets(topic),
        new Map(partitions.map(({ partition, offset }) => [partition, offset])),
      ),
    ),
  );
  return lags.reduce((sum, lag) => sum + lag, 0);
}

async function sizeOf(admin: Admin, topic: string): Promise<number> {
  return sumLag(await admin.fetchTopicOffsets(topic), new Map());
}

/** Records between what was committed and the end. Nothing committed, which Kafka gives as -1, means all there are. */
export function sumLag(watermarks: readonly Watermarks[], committed: ReadonlyMap<number, string>): number {
  return watermarks.reduce((sum, { partition, low, high }) => {
    // What retention has removed before it was read is no longer there to wait for.
    const from = Math.max(Number(committed.get(partition) ?? -1), Number(low));
    return sum + Math.max(0, Number(high) - from);
  }, 0);
}
