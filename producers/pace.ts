import { sleep as sleepFor } from '../core/wait.ts';

export interface PaceOptions {
  /** Events per second; below 1 is allowed. */
  rate: number;
  durationMs: number;
  signal?: AbortSignal;
  /** A clock that never goes back. Tests put their own in its place. */
  nowMs?: () => number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Long enough to be cheap, short enough not to be noticed as a delay. */
const tickMs = 20;
/** How far a stream may lag before what it missed is left out: longer pauses end in a burst. */
const maxBurstMs = 2000;

/**
 * Yields how many events are due, again and again, until the duration is over. The schedule counts from the
 * start, so short hiccups are made up for; time is never borrowed from the future.
 */
export async function* pace(options: PaceOptions): AsyncGenerator<number> {
  const { rate, durationMs, signal, nowMs = () => performance.now(), sleep = sleepFor } = options;
  const startedAt = nowMs();
  let scheduled = 0;
  for (;;) {
    const elapsedMs = Math.min(durationMs, nowMs() - startedAt);
    const due = Math.round((rate * elapsedMs) / 1000) - scheduled;
    if (due > 0) {
      scheduled += due;
      yield Math.min(due, Math.ceil((rate * maxBurstMs) / 1000));
    }
    const left = durationMs - (nowMs() - startedAt);
    if (elapsedMs >= durationMs) return;
    await sleep(Math.max(1, Math.min(tickMs, left)), signal);
  }
}
