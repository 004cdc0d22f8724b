import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import { InterruptedError, codeOf, messageOf } from '../../core/errors.ts';

export interface DownloadOptions {
  /** From the request to the answer's headers, redirects included. */
  answerTimeoutMs: number;
  /** The longest pause between two pieces of the body. */
  stallTimeoutMs: number;
  /** For all of it. */
  totalTimeoutMs: number;
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** What kept a file from being downloaded, as a clause: "the server answered 404 Not Found". */
export class DownloadError extends Error {}

/**
 * Downloads `url` into `file` and returns the SHA-256 of what came, in hex.
 *
 * @throws DownloadError when the server is out of reach, slow, refuses, or sends less or more than it should
 * @throws InterruptedError when `signal` aborts; faults of the local disk are thrown as they are
 */
export async function downloadFile(url: string, file: string, options: DownloadOptions): Promise<string> {
  if (options.signal?.aborted) throw new InterruptedError();
  const stop = new AbortController();
  const deadline = createDeadline(stop);
  const onAbort = () => {
    stop.abort(new InterruptedError());
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const total = setTimeout(() => {
    stop.abort(new DownloadError(`it took longer than ${seconds(options.totalTimeoutMs)}`));
  }, options.totalTimeoutMs);
  try {
    deadline.set(options.answerTimeoutMs, `no answer within ${seconds(options.answerTimeoutMs)}`);
    const response = await request(url, stop.signal);
    return await save(response, file, options, stop.signal, deadline);
  } finally {
    clearTimeout(total);
    deadline.clear();
    options.signal?.removeEventListener('abort', onAbort);
    // Also lets go of the connection where the body was not read to its end.
    stop.abort();
  }
}

async function request(url: string, signal: AbortSignal): Promise<Response> {
  const response = await orReason(fetch(url, { signal }), signal, 'the server cannot be reached');
  if (!response.ok) throw new DownloadError(`the server answered ${response.status} ${response.statusText}`);
  return response;
}

async function save(
  response: Response,
  file: string,
  { maxBytes, stallTimeoutMs }: DownloadOptions,
  signal: AbortSignal,
  deadline: Deadline,
): Promise<string> {
  const tooLarge = new DownloadError(`it is larger than ${Math.round(maxBytes / 1e6)} MB`);
  const declared = Number(response.headers.get('content-length') ?? Number.NaN);
  // Comparing with NaN, where the server does not say, is false.
  if (declared > maxBytes) throw tooLarge;
  const hash = createHash('sha256');
  const output = await open(file, 'wx');
  try {
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    let receivedBytes = 0;
    while (reader !== undefined) {
      deadline.set(stallTimeoutMs, `nothing came for ${seconds(stallTimeoutMs)}`);
      const piece = await orReason(reader.read(), signal, 'the connection broke off');
      deadline.clear();
      if (piece.done) break;
      receivedBytes += piece.value.byteLength;
      if (receivedBytes > maxBytes) throw tooLarge;
      hash.update(piece.value);
      await output.writeFile(piece.value);
    }
    await output.sync();
  } finally {
    await output.close();
  }
  return hash.digest('hex');
}

/** Awaits a step of the transfer; its failure becomes the abort's reason, or says what the network did. */
async function orReason<T>(step: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (signal.reason instanceof Error) throw signal.reason;
    // fetch says only "fetch failed"; what happened is its cause.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new DownloadError(`${what}: ${codeOf(cause) ?? messageOf(cause)}`, { cause: error });
  }
}

interface Deadline {
  set(afterMs: number, reason: string): void;
  clear(): void;
}

function createDeadline(stop: AbortController): Deadline {
  let timer: NodeJS.Timeout | undefined;
  return {
    set(afterMs, reason) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stop.abort(new DownloadError(reason));
      }, afterMs);
    },
    clear() {
      clearTimeout(timer);
    },
  };
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
