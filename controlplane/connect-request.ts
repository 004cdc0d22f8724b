import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { z } from 'zod';
import { InterruptedError, PipelineError, codeOf } from '../core/errors.ts';
import { retry } from '../core/retry.ts';
import type { Mask } from './secrets.ts';

export interface ConnectOptions {
  /** Base address of the worker, or of any worker of the cluster; may carry `user:password@`. */
  url: string;
  /** For one request. Writes were seen to block for 12.8 s during a rebalance; default 30,000. */
  timeoutMs?: number;
  /** Attempts after the first where the worker says "not now". Default 8, about half a minute with the pauses. */
  retries?: number;
}

export interface Request {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** What is being done, as in "Cannot <purpose>". */
  purpose: string;
  /** Hides what must not be repeated from an error the server words. */
  mask?: Mask;
}

/** 2xx, or 404 where the worker itself says that there is no such connector. */
export interface Answer {
  status: number;
  body: unknown;
}

/**
 * Sends one request and repeats it while the worker says that it may be repeated.
 *
 * Throws a PipelineError with one of these codes:
 * - `CONNECT_UNREACHABLE`: nothing listens at the address
 * - `CONNECT_TIMED_OUT`, `CONNECT_NO_ANSWER`, `CONNECT_FAILED`: a write may have taken effect all the same
 * - `CONNECT_REBALANCING`: the workers were busy with themselves for too long
 * - `CONNECT_REJECTED`, `CONNECT_FORBIDDEN`: the request is wrong
 * - `CONNECT_NOT_THERE`: something else answers there
 */
export type Send = (request: Request, options?: SendOptions) => Promise<Answer>;

export interface SendOptions {
  signal?: AbortSignal | undefined;
  /** After a failure that leaves open whether the request took effect: true when it did. */
  tookEffect?: () => Promise<boolean>;
}

const ambiguousCodes: ReadonlySet<string> = new Set([
  'CONNECT_FAILED',
  'CONNECT_NO_ANSWER',
  'CONNECT_TIMED_OUT',
]);
/** A starting worker serves its web server's own 404 page for about two seconds before its resources exist. */
const startingMs = 5000;
/** Connect words a refusal with the whole list of errors; more than this helps nobody. */
const longestMessage = 400;
const errorSchema = z.object({ message: z.string() });
/** How the worker itself says that something does not exist; a gateway's 404 looks different. */
const notFoundSchema = z.object({ error_code: z.literal(404) });

/** @returns the sender, and the address without credentials for messages */
export function createSender({ url, timeoutMs = 30_000, retries = 8 }: ConnectOptions): {
  send: Send;
  address: string;
} {
  const { username, password, origin, pathname, hostname } = new URL(url);
  const address = (origin + pathname).replace(/\/+$/, '');
  const http = axios.create({
    baseURL: address,
    timeout: timeoutMs,
    // What comes back is judged below: a redirect, an error or a page of HTML is an answer like any other.
    validateStatus: () => true,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    maxContentLength: 64 * 1024 * 1024,
    // A POST without a body would otherwise go out as a form, which Connect refuses with 415.
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    ...(username === ''
      ? {}
      : { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }),
    // A proxy for the world outside cannot reach this machine's own services.
    ...(['127.0.0.1', 'localhost', '[::1]'].includes(hostname) ? { proxy: false } : {}),
  });
  const send: Send = (request, { signal, tookEffect } = {}) => {
    const startedAt = performance.now();
    return retry(
      async () => {
        try {
          return await sendOnce(http, { address, request, signal, startedAt });
        } catch (error) {
          const isAmbiguous = error instanceof PipelineError && ambiguousCodes.has(error.code);
          if (isAmbiguous && (await tookEffect?.()) === true) return { status: 200, body: undefined };
          throw error;
        }
      },
      { retries, ...(signal === undefined ? {} : { signal }) },
    );
  };
  return { send, address };
}

interface Attempt {
  address: string;
  request: Request;
  signal: AbortSignal | undefined;
  /** Of the first attempt, by `performance.now()`. */
  startedAt: number;
}

async function sendOnce(http: AxiosInstance, attempt: Attempt): Promise<Answer> {
  const { request, signal } = attempt;
  let response: AxiosResponse<string>;
  try {
    response = await http.request<string>({
      method: request.method,
      url: request.path,
      ...(request.body === undefined ? {} : { data: request.body }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError();
    throw noAnswer(error, attempt);
  }
  const { status, data } = response;
  const body = parseJson(data);
  const isEmpty = status < 300 && data === '';
  const isNotFound = status === 404 && notFoundSchema.safeParse(body).success;
  if ((body === undefined && !isEmpty) || (status === 404 && !isNotFound))
    throw notConnect(response, attempt);
  if (status < 300) return { status, body };
  if (isNotFound && (request.method === 'GET' || request.method === 'DELETE')) return { status, body };
  throw refused(status, body, attempt);
}

/** `undefined` for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error of the HTTP library carries the request with the secrets in its body: it is not passed on. */
function noAnswer(error: unknown, { address, request: { purpose } }: Attempt): PipelineError {
  const code = codeOf(error) ?? 'no code';
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return new PipelineError('CONNECT_UNREACHABLE', {
      what: `Cannot ${purpose}: Kafka Connect does not answer (${code})`,
      where: address,
      todo: 'Start it (embedded: npm run up), or correct CONNECT_URL.',
    });
  }
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') {
    return new PipelineError('CONNECT_TIMED_OUT', {
      what: `Cannot ${purpose}: Kafka Connect did not answer in time`,
      where: address,
      todo: 'Look at the worker (npm run logs -- connect): it may be rebalancing or out of memory.',
    });
  }
  return new PipelineError('CONNECT_NO_ANSWER', {
    what: `Cannot ${purpose}: the connection to Kafka Connect broke (${code})`,
    where: address,
    todo: lookAndRepeat,
    retryable: true,
  });
}

const lookAndRepeat = 'Look at the worker (npm run logs -- connect), then run the command again.';

function notConnect({ status, headers }: AxiosResponse, { address, startedAt }: Attempt): PipelineError {
  const type = String(headers['content-type'] ?? 'no content type').split(';', 1)[0] ?? '';
  return new PipelineError('CONNECT_NOT_THERE', {
    what: `This is not Kafka Connect's REST API: it answered ${String(status)} with ${type}`,
    where: address,
    todo: 'Correct CONNECT_URL. A worker that has just been started may need some seconds more.',
    retryable: type.includes('html') && status >= 400 && performance.now() - startedAt < startingMs,
  });
}

function refused(status: number, body: unknown, { address, request }: Attempt): PipelineError {
  const message = errorSchema.safeParse(body).data?.message ?? `HTTP ${String(status)}`;
  // An invalid configuration is worded in three paragraphs; the last one points to another endpoint.
  const worded = message.split('You can also find the above list')[0] ?? message;
  const said = (request.mask?.(worded) ?? worded).replaceAll(/\s+/g, ' ').trim().slice(0, longestMessage);
  const init = { what: `Cannot ${request.purpose}: ${said}`, where: address };
  if (status === 401 || status === 403) {
    return new PipelineError('CONNECT_FORBIDDEN', { ...init, todo: 'Check the credentials in CONNECT_URL.' });
  }
  if (status === 409) {
    return new PipelineError('CONNECT_REBALANCING', {
      ...init,
      todo: 'The workers are rebalancing: run the command again in a moment.',
      // The one conflict that waiting does not settle.
      retryable: !message.includes('already exists'),
    });
  }
  if (status === 400 || status === 422) {
    return new PipelineError('CONNECT_REJECTED', { ...init, todo: 'Correct the declaration.' });
  }
  return new PipelineError('CONNECT_FAILED', {
    ...init,
    todo: lookAndRepeat,
    retryable: status === 429 || status >= 500,
  });
}
