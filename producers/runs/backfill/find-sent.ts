import { setImmediate } from 'node:timers/promises';
import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import { readTopics, type TopicRange } from '../../../targets/read-topics.ts';
import type { Target } from '../../../targets/load-target.ts';
import { readBounds, type Positions, type TopicRoute } from '../../delivery/routes.ts';
import { eventIdOf } from '../../delivery/wire-format.ts';
import type { BillingEvent } from '../../events.ts';
import type { Checkpoint } from './checkpoints.ts';

export interface FindSentOptions {
  target: Target;
  routes: readonly TopicRoute[];
  /** The part's events from the beginning. */
  events: Iterable<BillingEvent[]>;
  checkpoint: Checkpoint;
  isStopped: () => boolean;
}

/** Time for a read that finds nothing new, and for each record of others in between. */
const readTimeoutMs = { least: 120_000, perRecord: 0.2 } as const;

/**
 * Ids of those events after the checkpoint that reached the broker, although nobody lived to note it. Memory
 * follows the distance of two checkpoints, whatever other writers have added to the topics since.
 *
 * @throws PipelineError `RECORDS_GONE`, or that of {@link readTopics}
 */
export async function findSent(options: FindSentOptions): Promise<Set<string>> {
  const { target, routes, checkpoint, isStopped } = options;
  const candidates = await candidatesOf(options);
  const { begin, end } = await readBounds(
    target,
    routes.map(({ topic }) => topic),
  );
  const ranges = rangesToRead(checkpoint, begin, end);
  const records = ranges
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { low, high }) => sum + high - low, 0);
  const sent = new Set<string>();
  const stop = new AbortController();
  const watch = setInterval(() => {
    if (isStopped()) stop.abort();
  }, 100);
  try {
    await readTopics(
      target,
      ranges,
      (_topic, _partition, { value }) => {
        const id = eventIdOf(value);
        if (id !== undefined && candidates.ids.has(id)) sent.add(id);
      },
      { timeoutMs: readTimeoutMs.least + records * readTimeoutMs.perRecord, signal: stop.signal },
    );
  } finally {
    clearInterval(watch);
  }
  // Compaction removes all but the latest record of a key: what came before it was there, too.
  const later = new Set<string>();
  for (const { id, key } of candidates.compacted.reverse()) {
    if (sent.has(id)) later.add(key);
    else if (later.has(key)) sent.add(id);
  }
  return sent;
}

interface Candidates {
  ids: Set<string>;
  /** Of compacted topics, in order. */
  compacted: { id: string; key: string }[];
}

/** The events that may have been sent after the checkpoint and before the next one. */
async function candidatesOf({ events, checkpoint, routes, isStopped }: FindSentOptions): Promise<Candidates> {
  const compactedKeys = new Map(
    routes.filter(({ isCompacted }) => isCompacted).map(({ topic, keyField }) => [topic, keyField]),
  );
  const candidates: Candidates = { ids: new Set(), compacted: [] };
  let number = 0;
  for (const day of events) {
    for (const event of day) {
      number += 1;
      if (number <= checkpoint.told) continue;
      if (number > checkpoint.upTo) return candidates;
      const id = String(event.record['event_id']);
      candidates.ids.add(id);
      const keyField = compactedKeys.get(event.topic);
      if (keyField === undefined) continue;
      candidates.compacted.push({ id, key: `${event.topic}/${String(event.record[keyField])}` });
    }
    await setImmediate();
    if (isStopped()) throw new InterruptedError();
  }
  return candidates;
}

/** From the checkpoint's positions to the topics' ends; a partition that was added since is read from its start. */
export function rangesToRead({ positions }: Checkpoint, begin: Positions, end: Positions): TopicRange[] {
  return Object.entries(end).map(([topic, highs]) => ({
    topic,
    partitions: highs.map((high, partition) => {
      const position = positions[topic]?.[partition] ?? 0;
      if (position > high) {
        throw new PipelineError('RECORDS_GONE', {
          what: `The backfill cannot be continued: records it has sent to ${topic} are gone`,
          where: `partition ${partition} ends at ${high}, it had come to ${position}`,
          todo: 'Was the topic created anew? Begin another business with another --seed.',
        });
      }
      return { partition, low: Math.max(position, begin[topic]?.[partition] ?? 0), high };
    }),
  }));
}
