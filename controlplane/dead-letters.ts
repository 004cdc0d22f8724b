import type { KafkaMessage } from 'kafkajs';
import type { Target } from '../targets/load-target.ts';
import { readTopics, type ReadTopicsOptions } from '../targets/read-topics.ts';
import type { TopicOffsets } from './topic-offsets.ts';

/** Offsets of records that went to a dead letter topic, ascending and distinct, by their source partition. */
export type DeadLetterOffsets = ReadonlyMap<string, readonly number[]>;

/** Key of {@link DeadLetterOffsets}. */
export function sourceKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/**
 * Reads dead letter topics in full and collects where their records came from.
 * A record without Connect's context headers can't be attributed and is left out.
 */
export async function readDeadLetterOffsets(
  target: Target,
  topics: readonly TopicOffsets[],
  options: ReadTopicsOptions,
): Promise<DeadLetterOffsets> {
  const offsets = new Map<string, Set<number>>();
  await readTopics(
    target,
    topics,
    (_topic, _partition, message) => {
      const source = sourceOf(message);
      if (source === undefined) return;
      const key = sourceKey(source.topic, source.partition);
      const known = offsets.get(key) ?? new Set();
      offsets.set(key, known.add(source.offset));
    },
    options,
  );
  return new Map([...offsets].map(([key, known]) => [key, ascending(known)]));
}

export function ascending(offsets: Iterable<number>): number[] {
  return [...offsets].sort((a, b) => a - b);
}

/** Connect writes the coordinates of a failed record as text, into headers. */
function sourceOf({ headers }: KafkaMessage) {
  const text = (name: string) => headers?.[`__connect.errors.${name}`]?.toString();
  const topic = text('topic');
  const partition = Number(text('partition'));
  const offset = Number(text('offset'));
  if (topic === undefined || !Number.isInteger(partition) || !Number.isInteger(offset)) return undefined;
  return { topic, partition, offset };
}
