import type { Admin } from 'kafkajs';
import type { PartitionBounds } from '../clickhouse/ledger.ts';
import { PipelineError } from '../core/errors.ts';

export interface TopicOffsets {
  topic: string;
  /** What the broker holds: `low` grows as retention removes records, `high` is the next offset to be given out. */
  partitions: PartitionBounds[];
}

/** The topics of `names` that exist, by name. */
export async function readTopicOffsets(
  admin: Admin,
  names: readonly string[],
): Promise<Map<string, TopicOffsets>> {
  // Asking for an unknown topic's offsets would repeat for seconds, and could create it.
  const existing = new Set(await admin.listTopics());
  const found = names.filter((name) => existing.has(name));
  if (found.length === 0) return new Map();
  const offsets = await Promise.all(
    found.map(async (topic) => ({
      topic,
      partitions: (await admin.fetchTopicOffsets(topic))
        .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
        .sort((a, b) => a.partition - b.partition),
    })),
  );
  return new Map(offsets.map((entry) => [entry.topic, entry]));
}

/** @throws PipelineError `TOPIC_NOT_FOUND` naming every topic that is not there */
export function requireTopics(
  offsets: ReadonlyMap<string, TopicOffsets>,
  names: readonly string[],
  brokers: readonly string[],
): TopicOffsets[] {
  const missing = names.filter((name) => !offsets.has(name));
  if (missing.length > 0) {
    throw new PipelineError('TOPIC_NOT_FOUND', {
      what: `The broker has no topic ${missing.join(', ')}`,
      where: brokers.join(', '),
      todo: 'Run "npm run topics:apply".',
    });
  }
  return names.flatMap((name) => offsets.get(name) ?? []);
}

/** The first offset of each partition whose record is as young as that; the end where there is none. */
export async function startAt(admin: Admin, topic: string, atMs: number): Promise<Map<number, number>> {
  const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, atMs);
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
}
