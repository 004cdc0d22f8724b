import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError, PipelineError } from './errors.ts';

export interface WaitOptions {
  /** What is awaited, as it appears in "Timed out after 30 s waiting for <what>". */
  what: string;
  timeoutMs: number;
  /** Pause between two probes. Default 100. */
  pollIntervalMs?: number;
  signal?: AbortSignal;
  /** What the reader can do when the deadline passes. */
  todo?: string;
}

/**
 * Calls `probe` until it returns something other than `undefined` or `false`, and returns that.
 * A probe that throws ends the wait with its error: a probe says "not yet" by returning.
 */
export async function waitFor<T>(
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { what, timeoutMs, pollIntervalMs = 100, signal, todo }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (signal?.aborted) throw new InterruptedError();
    const result = await probe();
    if (result !== undefined && result !== false) return result;
    if (performance.now() >= deadline) {
      throw new PipelineError('TIMED_OUT', {
        what: `Timed out after ${Math.round(timeoutMs / 1000)} s waiting for ${what}`,
        ...(todo === undefined ? {} : { todo }),
        retryable: true,
      });
    }
    await sleep(pollIntervalMs, signal);
  }
}

/** Resolves after `ms`; rejects with {@link InterruptedError} as soon as `signal` aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new InterruptedError();
  }
}
