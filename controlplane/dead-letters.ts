import type { KafkaMessage } from 'kafkajs';
import type { Target } from '../targets/load-target.ts';
import { readTopics, type ReadTopicsOptions } from '../targets/read-topics.ts';
import { accountTopic, parseEntry } from './dlq/account-entries.ts';
import type { TopicOffsets } from './topic-offsets.ts';

/** Offsets of records that went to a dead letter topic, ascending and distinct, by their source partition. */
export type DeadLetterOffsets = ReadonlyMap<string, readonly number[]>;

/** Coordinates of the record that became a dead letter. */
export interface SourceRecord {
  topic: string;
  partition: number;
  offset: number;
}

/** Key of {@link DeadLetterOffsets}. */
export function sourceKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** Collects where dead letters came from; asked again, it reads only what has been written since. */
export interface DeadLetterReader {
  /**
   * A record without Connect's context headers can't be attributed and is left out. What was drained of a topic is
   * in the account.
   *
   * @param topics with the account among them, where there is one
   */
  read(topics: readonly TopicOffsets[], options: ReadTopicsOptions): Promise<DeadLetterOffsets>;
}

export function createDeadLetterReader(target: Target): DeadLetterReader {
  let offsets = new Map<string, Set<number>>();
  let ends = new Map<string, number>();
  let sorted: DeadLetterOffsets = new Map();
  const add = (topic: string, partition: number, offset: number) => {
    const key = sourceKey(topic, partition);
    const known = offsets.get(key) ?? new Set();
    offsets.set(key, known.add(offset));
  };
  const onMessage = (topic: string, _partition: number, message: KafkaMessage) => {
    if (topic === accountTopic) {
      const entry = parseEntry(message.value);
      if (entry?.kind !== 'drained') return;
      for (const { topic: source, partition, ranges } of entry.sources) {
        for (const [first, last] of ranges)
          for (let at = first; at <= last; at += 1) add(source, partition, at);
      }
      return;
    }
    const source = sourceOf(message);
    if (source !== undefined) add(source.topic, source.partition, source.offset);
  };
  return {
    read: async (topics, options) => {
      const bounds = topics.flatMap(({ topic, partitions }) =>
        partitions.map((one) => ({ key: sourceKey(topic, one.partition), ...one })),
      );
      // A topic that became shorter is another one of the same name.
      if (bounds.some(({ key, high }) => high < (ends.get(key) ?? 0))) {
        offsets = new Map();
        ends = new Map();
      }
      const isNew = bounds.some(({ key, low, high }) => high > Math.max(low, ends.get(key) ?? 0));
      if (isNew) {
        const ranges = topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition, low, high }) => {
            const known = ends.get(sourceKey(topic, partition)) ?? 0;
            return { partition, low: Math.max(low, known), high };
          }),
        }));
        await readTopics(target, ranges, onMessage, options);
        for (const { key, high } of bounds) ends.set(key, high);
        sorted = new Map([...offsets].map(([key, known]) => [key, ascending(known)]));
      }
      return sorted;
    },
  };
}

export function ascending(offsets: Iterable<number>): number[] {
  return [...offsets].sort((a, b) => a - b);
}

/** Connect writes the coordinates of a failed record as text, into headers. */
export function sourceOf({ headers }: Pick<KafkaMessage, 'headers'>): SourceRecord | undefined {
  const text = (name: string) => headers?.[`__connect.errors.${name}`]?.toString();
  const topic = text('topic');
  const partition = Number(text('partition'));
  const offset = Number(text('offset'));
  if (topic === undefined || !Number.isInteger(partition) || !Number.isInteger(offset)) return undefined;
  return { topic, partition, offset };
}
