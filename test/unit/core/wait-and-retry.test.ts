import { describe, expect, it } from 'vitest';
import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import { retry } from '../../../core/retry.ts';
import { sleep, waitFor } from '../../../core/wait.ts';

describe('waitFor', () => {
  it('returns what the probe returns once it returns something', async () => {
    let calls = 0;
    const found = await waitFor(() => (++calls === 3 ? 'ready' : undefined), {
      what: 'it',
      timeoutMs: 1000,
      pollIntervalMs: 1,
    });
    expect(found).toBe('ready');
    expect(calls).toBe(3);
  });

  it('gives up at the deadline and says what it waited for', async () => {
    const waiting = waitFor(() => false, { what: 'the broker', timeoutMs: 10, pollIntervalMs: 1 });
    await expect(waiting).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: expect.stringContaining('the broker') as string,
    });
  });

  it('ends with the error of a probe that throws', async () => {
    const broken = new PipelineError('BROKEN', { what: 'broken' });
    const waiting = waitFor(
      () => {
        throw broken;
      },
      { what: 'it', timeoutMs: 1000 },
    );
    await expect(waiting).rejects.toBe(broken);
  });

  it('stops as soon as the signal aborts', async () => {
    const abort = new AbortController();
    const waiting = waitFor(() => false, {
      what: 'it',
      timeoutMs: 60_000,
      pollIntervalMs: 60_000,
      signal: abort.signal,
    });
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(InterruptedError);
  });
});

describe('sleep', () => {
  it('rejects when the signal has aborted already', async () => {
    await expect(sleep(60_000, AbortSignal.abort())).rejects.toBeInstanceOf(InterruptedError);
  });
});

describe('retry', () => {
  const retryable = () => new PipelineError('BUSY', { what: 'busy', retryable: true });

  it('repeats an attempt that failed with a retryable error', async () => {
    let attempts = 0;
    const result = await retry(
      async () => {
        attempts += 1;
        if (attempts < 3) throw retryable();
        return Promise.resolve('done');
      },
      { retries: 3, minDelayMs: 1 },
    );
    expect([result, attempts]).toEqual(['done', 3]);
  });

  it('throws the last error when the attempts are used up', async () => {
    let attempts = 0;
    const failing = retry(
      async () => {
        attempts += 1;
        return Promise.reject(retryable());
      },
      { retries: 2, minDelayMs: 1 },
    );
    await expect(failing).rejects.toMatchObject({ code: 'BUSY' });
    expect(attempts).toBe(3);
  });

  it('throws an error that is not retryable at once', async () => {
    let attempts = 0;
    const failing = retry(
      async () => {
        attempts += 1;
        return Promise.reject(new PipelineError('WRONG', { what: 'wrong' }));
      },
      { retries: 5, minDelayMs: 1 },
    );
    await expect(failing).rejects.toMatchObject({ code: 'WRONG' });
    expect(attempts).toBe(1);
  });

  it('ends a pause when the signal aborts', async () => {
    const abort = new AbortController();
    const failing = retry(
      async () => {
        setImmediate(() => {
          abort.abort();
        });
        return Promise.reject(retryable());
      },
      { retries: 1, minDelayMs: 60_000, maxDelayMs: 60_000, signal: abort.signal },
    );
    await expect(failing).rejects.toBeInstanceOf(InterruptedError);
  });
});
