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

/**
 * Reads dead letter topics in full, and from the account what was drained of them, and collects where the records
 * came from. A record without Connect's context headers can't be attributed and is left out.
 *
 * @param topics with the account among them, where there is one
 */
export async function readDeadLetterOffsets(
  target: Target,
  topics: readonly TopicOffsets[],
  options: ReadTopicsOptions,
): Promise<DeadLetterOffsets> {
  const offsets = new Map<string, Set<number>>();
  const add = (topic: string, partition: number, offset: number) => {
    const key = sourceKey(topic, partition);
    const known = offsets.get(key) ?? new Set();
    offsets.set(key, known.add(offset));
  };
  await readTopics(
    target,
    topics,
    (topic, _partition, message) => {
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
    },
    options,
  );
  return new Map([...offsets].map(([key, known]) => [key, ascending(known)]));
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
