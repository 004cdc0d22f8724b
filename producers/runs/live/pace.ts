import { sleep as sleepFor } from '../../../core/wait.ts';

export interface PaceOptions {
  /** Events per second; below 1 is allowed. */
  rate: number;
  durationMs: number;
  /** How long after its end a stream goes on with what is overdue. Default 1000. */
  graceMs?: number;
  signal?: AbortSignal;
  /** A clock that never goes back. Tests put their own in its place. */
  nowMs?: () => number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * Short enough to look steady. Each tick's events make a request, and a request costs the broker and its readers by
 * the partitions it touches, so longer ticks are cheaper.
 */
const tickMs = 50;
/** What is overdue comes in portions of this much time, so that the end is seen in time. */
const portionMs = 250;

/**
 * Yields how many events are due, again and again, until the duration is over. The schedule counts from the
 * start: what a hiccup delayed is made up for, and nothing is borrowed from the future. A stream that cannot keep
 * up ends shortly after its time with fewer events than it should have.
 */
export async function* pace(options: PaceOptions): AsyncGenerator<number> {
  const { rate, durationMs, graceMs = 1000, signal } = options;
  const { nowMs = () => performance.now(), sleep = sleepFor } = options;
  const startedAt = nowMs();
  const portion = Math.ceil((rate * portionMs) / 1000);
  for (let scheduled = 0; ;) {
    const elapsedMs = nowMs() - startedAt;
    const overdue = Math.round((rate * Math.min(durationMs, elapsedMs)) / 1000) - scheduled;
    const due = Math.min(overdue, portion);
    if (due > 0) {
      scheduled += due;
      yield due;
    }
    const isBehind = overdue > due;
    if (elapsedMs >= durationMs && (!isBehind || elapsedMs > durationMs + graceMs)) return;
    // Even a stream that is behind lets go for a moment, or nobody could interrupt it.
    const leftMs = durationMs - (nowMs() - startedAt);
    await sleep(isBehind ? 0 : Math.max(1, Math.min(tickMs, leftMs)), signal);
  }
}
