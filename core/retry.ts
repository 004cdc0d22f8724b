import pRetry from 'p-retry';
import { InterruptedError, PipelineError } from './errors.ts';

export interface RetryOptions {
  /** Attempts after the first. */
  retries: number;
  /** First pause; doubles each time, with full jitter. Default 200. */
  minDelayMs?: number;
  /** Default 5000. */
  maxDelayMs?: number;
  signal?: AbortSignal;
}

/**
 * The one retry wrapper: repeats `attempt` while it throws a {@link PipelineError} that says `retryable`.
 * Everything else, an abort included, is thrown on at once.
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { retries, minDelayMs = 200, maxDelayMs = 5000, signal }: RetryOptions,
): Promise<T> {
  if (signal?.aborted) throw new InterruptedError();
  const repeated = pRetry(attempt, {
    retries,
    minTimeout: minDelayMs,
    maxTimeout: maxDelayMs,
    randomize: true,
    ...(signal === undefined ? {} : { signal }),
    shouldRetry: ({ error }) => error instanceof PipelineError && error.retryable,
  });
  return repeated.catch((error: unknown) => {
    // During a pause p-retry throws whatever the signal was aborted with.
    throw signal?.aborted === true ? new InterruptedError() : error;
  });
}
