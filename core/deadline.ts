import { InterruptedError, PipelineError } from './errors.ts';

/**
 * Runs `work` with a signal that aborts when `signal` does or when `deadlineMs` have passed, and waits for it no
 * longer than that, whether it heeds the signal or not. Leaves nothing behind on `signal`: AbortSignal.any would add
 * to a signal that lives as long as the process with every call (nodejs/node issue 54614).
 *
 * @param what as in "<what> did not answer within 10 s"
 * @throws InterruptedError, PipelineError `TIMED_OUT`, or what `work` throws
 */
export async function withDeadline<T>(
  { what, deadlineMs, signal }: { what: string; deadlineMs: number; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new InterruptedError();
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => undefined;
  const cut = new Promise<never>((_, reject) => {
    const end = (error: PipelineError) => {
      reject(error);
      ended.abort(error);
    };
    onAbort = () => {
      end(new InterruptedError());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    timer = setTimeout(() => {
      const seconds = String(deadlineMs / 1000);
      end(
        new PipelineError('TIMED_OUT', {
          what: `${what} did not answer within ${seconds} s`,
          retryable: true,
        }),
      );
    }, deadlineMs);
  });
  try {
    return await Promise.race([work(ended.signal), cut]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
