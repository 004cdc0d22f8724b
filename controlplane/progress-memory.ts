import type { LiveConnector } from './connector-service.ts';
import type { Progress } from './consumer-lag.ts';
import { partitionKey } from './consumer-lag.ts';

/** What has to be remembered of a connector to tell how it goes from one look to the next; plain JSON. */
export interface ConnectorMemory {
  /** By `topic/partition`: what is committed, and since when records wait for more; null where none do. */
  partitions: Record<string, { committed: number; waitingSince: number | null }>;
  /** Records ever written to the dead letter topic, at some moments of the last minutes; oldest first. */
  deadLetters: { at: number; written: number }[];
  /** Since when it has been neither running, failed nor paused; null while it is one of them. */
  unsettledSince: number | null;
}

/** What the memory says now. */
export interface Trend {
  /** The partition that has waited longest for a commit although it has records to read; null where none does. */
  stuck: { partition: string; lag: number; forMs: number } | null;
  /** Dead letters of the last {@link deadLetterWindowMs}. */
  recentDeadLetters: number;
  unsettledMs: number;
}

export const deadLetterWindowMs = 300_000;
/** Moments kept of the window: enough for the rate, few enough for a file that is written every few seconds. */
const sampleIntervalMs = 10_000;

export const emptyMemory: ConnectorMemory = { partitions: {}, deadLetters: [], unsettledSince: null };

/**
 * Adds one look to the memory. Pure; `at` may be any clock that does not go backwards.
 *
 * @param progress null where Kafka could not be asked: what was known stays known, and nothing is called stuck
 */
export function remember(
  memory: ConnectorMemory,
  live: LiveConnector | undefined,
  progress: Progress | null,
  at: number,
): { memory: ConnectorMemory; trend: Trend } {
  const unsettledSince = isUnsettled(live) ? (memory.unsettledSince ?? at) : null;
  const unsettledMs = unsettledSince === null ? 0 : at - unsettledSince;
  if (progress === null) {
    return {
      memory: { ...memory, unsettledSince },
      trend: { stuck: null, recentDeadLetters: growth(memory.deadLetters, at), unsettledMs },
    };
  }
  const reads = live?.state === 'RUNNING';
  const partitions: ConnectorMemory['partitions'] = {};
  let stuck: Trend['stuck'] = null;
  for (const { topic, partition, lag, committed } of progress.partitions) {
    const key = partitionKey(topic, partition);
    const before = memory.partitions[key];
    // A connector that was paused or failed has a whole limit's time again once it runs.
    const isWaiting = reads && lag > 0;
    const since = before?.committed === committed ? before.waitingSince : null;
    const waitingSince = isWaiting ? (since ?? at) : null;
    partitions[key] = { committed, waitingSince };
    const forMs = at - (waitingSince ?? at);
    if (forMs > (stuck?.forMs ?? 0)) stuck = { partition: key, lag, forMs };
  }
  const deadLetters = sample(memory.deadLetters, progress.deadLettersWritten, at);
  return {
    memory: { partitions, deadLetters, unsettledSince },
    trend: { stuck, recentDeadLetters: growth(deadLetters, at), unsettledMs },
  };
}

const settledStates: ReadonlySet<string> = new Set(['RUNNING', 'FAILED', 'PAUSED', 'STOPPED', 'DEGRADED']);

function isUnsettled(live: LiveConnector | undefined): boolean {
  if (live === undefined) return false;
  if (live.state === 'PAUSED' || live.state === 'STOPPED') return false;
  const states = [live.state ?? 'UNASSIGNED', ...live.tasks.map(({ state }) => state)];
  return live.tasks.length === 0 || states.some((state) => !settledStates.has(state));
}

function sample(
  samples: ConnectorMemory['deadLetters'],
  written: number | null,
  at: number,
): ConnectorMemory['deadLetters'] {
  if (written === null) return [];
  const last = samples.at(-1);
  // Fewer than before: the topic was made anew.
  if (last === undefined || written < last.written) return [{ at, written }];
  // One sample older than the window stays, to count from.
  const startsAt = samples.findLastIndex((one) => at - one.at >= deadLetterWindowMs);
  const recent = samples.slice(Math.max(0, startsAt));
  const replacesLast = recent.length > 1 && at - (recent.at(-2)?.at ?? at) < sampleIntervalMs;
  return [...(replacesLast ? recent.slice(0, -1) : recent), { at, written }];
}

function growth(samples: ConnectorMemory['deadLetters'], at: number): number {
  const newest = samples.at(-1);
  const oldest = samples.findLast((one) => at - one.at >= deadLetterWindowMs) ?? samples[0];
  return newest === undefined || oldest === undefined ? 0 : newest.written - oldest.written;
}
