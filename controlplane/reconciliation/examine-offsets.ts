import {
  commonRanges,
  lowestOffsets,
  toRanges,
  unitedRanges,
  withoutRanges,
  type OffsetRange,
} from '../../clickhouse/offset-ranges.ts';
import { PipelineError } from '../../core/errors.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics, type TopicRange } from '../../targets/read-topics.ts';
import { partitionKey } from '../consumer-lag.ts';
import { ascending } from '../dead-letters.ts';
import { groupBy } from '../dlq/group-by.ts';

/** What the broker has at offsets that did not land. */
export interface Examined {
  /** No record: compacted away, or a transaction's marker, or a record of a transaction that was aborted. */
  empty: readonly OffsetRange[];
  /** Records without a value, which say that a key is gone: sinks skip them. */
  tombstones: readonly OffsetRange[];
}

/** Offsets that did not land, as far as they are worth a look. */
export interface Suspects {
  topic: string;
  partition: number;
  ranges: readonly OffsetRange[];
}

/** Finds out, by reading exactly them, which offsets hold no record that could land. Remembers what it has seen. */
export interface OffsetExaminer {
  examine(suspects: readonly Suspects[], signal?: AbortSignal): Promise<void>;
  /** What is known of a partition so far. */
  of(topic: string, partition: number): Examined;
}

/** Of one topic at one look: a million records are read in some ten seconds. */
const maxOffsets = 1_000_000;
const readTimeoutMs = 120_000;

interface Memory {
  /** Whatever was read of, record or not. */
  seen: OffsetRange[];
  empty: OffsetRange[];
  tombstones: OffsetRange[];
}

export function createExaminer(target: Target): OffsetExaminer {
  const memories = new Map<string, Memory>();
  const memoryOf = (topic: string, partition: number): Memory => {
    const key = partitionKey(topic, partition);
    const known = memories.get(key) ?? { seen: [], empty: [], tombstones: [] };
    memories.set(key, known);
    return known;
  };
  return {
    of: memoryOf,
    examine: async (suspects, signal) => {
      const fresh = suspects
        .map(({ topic, partition, ranges }) => ({
          topic,
          partition,
          ranges: lowestOffsets(withoutRanges(ranges, memoryOf(topic, partition).seen), maxOffsets),
        }))
        .filter(({ ranges }) => ranges.length > 0);
      if (fresh.length === 0) return;
      const found = new Map(
        fresh.map(({ topic, partition }) => [partitionKey(topic, partition), newFindings()] as const),
      );
      try {
        await readTopics(
          target,
          toTopicRanges(fresh),
          (topic, partition, { offset, value }) => {
            const own = found.get(partitionKey(topic, partition));
            (value === null ? own?.tombstones : own?.records)?.push(Number(offset));
          },
          {
            timeoutMs: readTimeoutMs,
            onRead: (topic, partition, last) => {
              const own = found.get(partitionKey(topic, partition));
              if (own !== undefined) own.last = Math.max(own.last, last);
            },
            ...(signal === undefined ? {} : { signal }),
          },
        );
      } catch (error) {
        // What could not be read in time stays what it was: missing, until somebody proves that it is not.
        if (!(error instanceof PipelineError) || error.code !== 'TIMED_OUT') throw error;
      }
      for (const { topic, partition, ranges } of fresh) {
        const own = found.get(partitionKey(topic, partition)) ?? newFindings();
        remember(memoryOf(topic, partition), ranges, own);
      }
    },
  };
}

/** What was read of a partition, in whatever order, and up to where. */
interface Findings {
  records: number[];
  tombstones: number[];
  last: number;
}

function newFindings(): Findings {
  return { records: [], tombstones: [], last: -1 };
}

function remember(
  memory: Memory,
  asked: readonly OffsetRange[],
  { records, tombstones, last }: Findings,
): void {
  const read = withoutRanges(asked, [{ first: last + 1, last: Infinity }]);
  const [withValue, without] = [toRanges(ascending(records)), toRanges(ascending(tombstones))];
  memory.seen = unitedRanges(memory.seen, read);
  memory.empty = unitedRanges(memory.empty, withoutRanges(withoutRanges(read, withValue), without));
  memory.tombstones = unitedRanges(memory.tombstones, commonRanges(without, read));
}

/** In the form {@link readTopics} takes. */
export function toTopicRanges(suspects: readonly Suspects[]): TopicRange[] {
  const byTopic = groupBy(suspects, ({ topic }) => topic);
  return [...byTopic].map(([topic, own]) => ({
    topic,
    partitions: own.flatMap(({ partition, ranges }) =>
      ranges.map(({ first, last }) => ({ partition, low: first, high: last + 1 })),
    ),
  }));
}
