import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { InterruptedError, PipelineError, codeOf } from '../core/errors.ts';
import { retry } from '../core/retry.ts';
import { httpsAgent, tlsFailure, type TlsFiles } from '../core/tls.ts';
import { sleep } from '../core/wait.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { createMask, type Mask } from './secrets.ts';

export interface SenderOptions {
  /** Base address; may carry `user:password@`. */
  url: string;
  /** Wins over the credentials in the address. */
  credentials?: { username: string; password: string } | undefined;
  /** Whom to trust, and what to show to a server that demands a certificate; default: what Node and the system trust. */
  tls?: TlsFiles | undefined;
  /** For one request. Writes were seen to block for 12.8 s during a rebalance; default 30,000. */
  timeoutMs?: number;
  /** Attempts after the first where the server says "not now". Default 8, about half a minute with the pauses. */
  retries?: number;
  /** The longest pause a server may ask for; it fails the request otherwise. Default 60,000. */
  longestPauseMs?: number;
  /** A larger answer fails the request. Default 64 MiB, which is some thousand connectors with all they say. */
  largestAnswerBytes?: number;
  /** Never shown, whatever the server repeats; the credentials are among them anyway. */
  secrets?: readonly string[];
}

/** How one kind of server words things, and what to tell a person about it. */
export interface Dialect {
  /** As in "<product> does not answer". */
  product: string;
  /** What a person does about each failure. */
  advice: Readonly<
    Record<'unreachable' | 'timedOut' | 'repeat' | 'otherServer' | 'forbidden' | 'busy', string>
  >;
  /** The server's own words; undefined where the body is none of its errors. */
  messageOf: (body: unknown) => string | undefined;
  /** Whether a 404 is the server's own "there is no such thing": a gateway's looks different. */
  isNotFound: (body: unknown) => boolean;
}

export interface Request {
  method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  /** What is being done, as in "Cannot <purpose>". */
  purpose: string;
}

/** 2xx, or 404 where the server itself says that there is no such thing. */
export interface Answer {
  status: number;
  body: unknown;
}

/**
 * Sends one request and repeats it while the server says that it may be repeated.
 *
 * Throws a PipelineError with one of these codes:
 * - `CONNECT_UNREACHABLE`: nothing listens at the address
 * - `CONNECT_TIMED_OUT`, `CONNECT_NO_ANSWER`, `CONNECT_FAILED`: a write may have taken effect all the same
 * - `CONNECT_REBALANCING`: the server was busy with itself for too long
 * - `CONNECT_RATE_LIMITED`: too many requests, and the pause it asks for is too long to sit through
 * - `CONNECT_REJECTED`, `CONNECT_FORBIDDEN`, `CONNECT_NOT_FOUND`, `CONNECT_UNSUPPORTED`: the request is wrong
 * - `CONNECT_NOT_THERE`: something else answers there
 * - `CONNECT_TLS`: the connection is not to be trusted, or not encrypted as it should be
 * - `CONNECT_MALFORMED`, `CONNECT_TOO_LARGE`: the answer cannot be read
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

/** A server's errors quote what it was sent and what it keeps; the mask knows all of that. */
export interface Discretion {
  /** Adds secrets that the server has or gets. */
  learn: (secrets: readonly string[]) => void;
  mask: Mask;
}

/** @returns the sender, the address without credentials for messages, and what hides secrets in the server's words */
export function createSender(
  {
    url,
    credentials,
    tls,
    timeoutMs = 30_000,
    retries = 8,
    longestPauseMs = 60_000,
    largestAnswerBytes = 64 * 1024 * 1024,
    secrets = [],
  }: SenderOptions,
  dialect: Dialect,
): { send: Send; address: string } & Discretion {
  const { username, password, origin, pathname, hostname, protocol } = new URL(url);
  const address = (origin + pathname).replace(/\/+$/, '');
  const auth =
    credentials ??
    (username === ''
      ? undefined
      : { username: decodeURIComponent(username), password: decodeURIComponent(password) });
  const http = axios.create({
    baseURL: address,
    timeout: timeoutMs,
    // What comes back is judged below: a redirect, an error or a page of HTML is an answer like any other.
    validateStatus: () => true,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    maxContentLength: largestAnswerBytes,
    // A POST without a body would otherwise go out as a form, which Connect refuses with 415.
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
    ...(auth === undefined ? {} : { auth }),
    ...(protocol === 'https:' ? { httpsAgent: httpsAgent(tls) } : {}),
    // A proxy for the world outside cannot reach this machine's own services.
    ...(['127.0.0.1', 'localhost', '[::1]'].includes(hostname) ? { proxy: false } : {}),
  });
  const rateLimit = createRateLimit();
  const { learn, mask } = createDiscretion([...secrets, ...(auth === undefined ? [] : secretsOfLogin(auth))]);
  const send: Send = (request, { signal, tookEffect } = {}) => {
    const startedAt = performance.now();
    return retry(
      async () => {
        try {
          const attempt = { address, dialect, mask, request, signal, startedAt, rateLimit, longestPauseMs };
          return await sendOnce(http, attempt);
        } catch (error) {
          const isAmbiguous = error instanceof PipelineError && ambiguousCodes.has(error.code);
          if (isAmbiguous && (await tookEffect?.()) === true) return { status: 200, body: undefined };
          throw error;
        }
      },
      { retries, ...(signal === undefined ? {} : { signal }) },
    );
  };
  return { send, address, learn, mask };
}

function createDiscretion(initial: readonly string[]): Discretion {
  const known = new Set(initial);
  let mask = createMask(known);
  return {
    learn: (secrets) => {
      const { size } = known;
      for (const secret of secrets) known.add(secret);
      // A watcher learns the same ones at every look.
      if (known.size !== size) mask = createMask(known);
    },
    mask: (text) => mask(text),
  };
}

function secretsOfLogin({ username, password }: { username: string; password: string }): string[] {
  return password === '' ? [] : [password, Buffer.from(`${username}:${password}`).toString('base64')];
}

interface Attempt {
  address: string;
  dialect: Dialect;
  mask: Mask;
  request: Request;
  signal: AbortSignal | undefined;
  /** Of the first attempt, by `performance.now()`. */
  startedAt: number;
  rateLimit: RateLimit;
  longestPauseMs: number;
}

async function sendOnce(http: AxiosInstance, attempt: Attempt): Promise<Answer> {
  const { dialect, rateLimit, request, signal } = attempt;
  const pauseMs = rateLimit.pauseMs();
  if (pauseMs > attempt.longestPauseMs) throw rateLimited(attempt);
  await sleep(pauseMs, signal);
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
  const { status, data, headers } = response;
  const body = parseJson(data);
  rateLimit.note(status, headers);
  if (status === 429) throw rateLimited(attempt);
  const isEmpty = status < 300 && data === '';
  const isNotFound = status === 404 && dialect.isNotFound(body);
  // An overloaded or restarting gateway answers for the server, in HTML or with nothing.
  const isOutage = status >= 502 && status <= 504;
  // Whoever asks for the login, the worker's extension or a proxy before it, need not do it in JSON.
  const isLogin = status === 401;
  if (!isOutage && !isLogin && ((body === undefined && !isEmpty) || (status === 404 && !isNotFound))) {
    throw otherServer(response, attempt);
  }
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
function noAnswer(error: unknown, { address, dialect, request: { purpose } }: Attempt): PipelineError {
  const { product, advice } = dialect;
  const code = codeOf(error) ?? 'no code';
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return new PipelineError('CONNECT_UNREACHABLE', {
      what: `Cannot ${purpose}: ${product} does not answer (${code})`,
      where: address,
      todo: advice.unreachable,
    });
  }
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') {
    return new PipelineError('CONNECT_TIMED_OUT', {
      what: `Cannot ${purpose}: ${product} did not answer in time`,
      where: address,
      todo: advice.timedOut,
    });
  }
  // The HTTP library's own code for an answer beyond `maxContentLength`: nothing else here makes it say so.
  if (code === 'ERR_BAD_RESPONSE') {
    return new PipelineError('CONNECT_TOO_LARGE', {
      what: `Cannot ${purpose}: the answer of ${product} is too large`,
      where: address,
      todo: advice.otherServer,
    });
  }
  const untrusted = tlsFailure(error);
  if (untrusted !== undefined) {
    return new PipelineError('CONNECT_TLS', {
      what: `Cannot ${purpose}: the encrypted connection to ${product} failed: ${untrusted} (${code})`,
      where: address,
      todo:
        'Check https:// or http:// and the port. CONNECT_CA_FILE (or NODE_EXTRA_CA_CERTS, for all services) names the\n' +
        'authority to trust; an expired certificate has to be renewed on the server.',
    });
  }
  // What answers does not speak HTTP, such as a TLS port asked in plain text.
  if (code.startsWith('HPE_')) {
    return new PipelineError('CONNECT_NOT_THERE', {
      what: `Cannot ${purpose}: what answers is no HTTP server (${code})`,
      where: address,
      todo: advice.otherServer,
    });
  }
  return new PipelineError('CONNECT_NO_ANSWER', {
    what: `Cannot ${purpose}: the connection to ${product} broke (${code})`,
    where: address,
    todo: advice.repeat,
    retryable: true,
  });
}

function otherServer(
  { status, headers }: AxiosResponse,
  { address, dialect, request, startedAt }: Attempt,
): PipelineError {
  const type = String(headers['content-type'] ?? 'no content type').split(';', 1)[0] ?? '';
  if (status < 300 && type.includes('json')) {
    return new PipelineError('CONNECT_MALFORMED', {
      what: `Cannot ${request.purpose}: the answer of ${dialect.product} is not valid JSON`,
      where: address,
      todo: dialect.advice.repeat,
    });
  }
  return new PipelineError('CONNECT_NOT_THERE', {
    what: `This is not ${dialect.product}'s REST API: it answered ${String(status)} with ${type}`,
    where: address,
    todo: dialect.advice.otherServer,
    retryable: type.includes('html') && status >= 400 && performance.now() - startedAt < startingMs,
  });
}

/** The pause itself is made before the next request, whoever sends it. */
function rateLimited({ address, dialect, rateLimit, longestPauseMs, request }: Attempt): PipelineError {
  const pauseMs = rateLimit.pauseMs();
  const time = pauseMs > 0 ? ` for ${String(Math.ceil(pauseMs / 1000))} s` : '';
  return new PipelineError('CONNECT_RATE_LIMITED', {
    what: `Cannot ${request.purpose}: ${dialect.product} takes no more requests${time}`,
    where: address,
    todo: 'Run the command again then.',
    retryable: pauseMs <= longestPauseMs,
  });
}

function refused(status: number, body: unknown, { address, dialect, mask, request }: Attempt): PipelineError {
  const { advice } = dialect;
  const message = dialect.messageOf(body) ?? `HTTP ${String(status)}`;
  const said = mask(message).replaceAll(/\s+/g, ' ').trim().slice(0, longestMessage);
  const init = { what: `Cannot ${request.purpose}: ${said}`, where: address };
  if (status === 401 || status === 403) {
    return new PipelineError('CONNECT_FORBIDDEN', { ...init, todo: advice.forbidden });
  }
  if (status === 404) {
    return new PipelineError('CONNECT_NOT_FOUND', {
      ...init,
      todo: 'Run connectors:status to see what is there.',
    });
  }
  if (status === 405 || status === 501) {
    return new PipelineError('CONNECT_UNSUPPORTED', { ...init, todo: 'This server cannot do that.' });
  }
  if (status === 409) {
    return new PipelineError('CONNECT_REBALANCING', {
      ...init,
      todo: advice.busy,
      // The one conflict that waiting does not settle.
      retryable: !message.includes('already exists'),
    });
  }
  if (status === 400 || status === 422) {
    return new PipelineError('CONNECT_REJECTED', { ...init, todo: 'Correct the declaration.' });
  }
  return new PipelineError('CONNECT_FAILED', { ...init, todo: advice.repeat, retryable: status >= 500 });
}
