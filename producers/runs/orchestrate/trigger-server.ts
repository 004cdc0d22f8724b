import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { PipelineError, codeOf, messageOf } from '../../../core/errors.ts';
import { check } from '../../../core/parse.ts';
import type { Batches } from './trigger.ts';

/** A token that somebody typed in a hurry can be guessed. */
const minTokenLength = 16;
const maxBodyBytes = 4096;
/** What a batch may be asked for. */
export const batchLimits = { events: 1_000_000, rate: 1_000_000, seconds: 86_400 } as const;

const batchSchema = z.strictObject({
  events: z.int().min(1).max(batchLimits.events),
  rate: z.number().min(0.1).max(batchLimits.rate).optional(),
});

export interface TriggerServerOptions {
  batches: Batches;
  /** 0 takes any free port. */
  port: number;
  /** What clients send as `Authorization: Bearer`. */
  token: string;
  /** Events per second of a batch that names no rate. */
  rate: number;
  /** How long a client may take to send its request. Default 10000. */
  requestTimeoutMs?: number;
}

export interface TriggerServer {
  url: string;
  /** Answers until the running batch has ended, then stops listening. */
  close: () => Promise<void>;
}

/** An answer that is not what the client hoped for. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** @throws PipelineError `PRODUCE_TOKEN_INVALID` for a token that is missing, too short, or no header can carry */
export function checkToken(token = ''): string {
  const problem = problemOfToken(token);
  if (problem === undefined) return token;
  throw new PipelineError('PRODUCE_TOKEN_INVALID', {
    what: problem,
    where: 'the environment variable PRODUCE_TOKEN',
    todo: 'Set it, for example: export PRODUCE_TOKEN=$(openssl rand -hex 16)',
  });
}

function problemOfToken(token: string): string | undefined {
  if (token === '') return 'There is no token, and without one anybody on this machine could start a batch';
  if (!/^[\x21-\x7e]+$/.test(token))
    return 'The token has spaces or other characters that no header can carry';
  if (token.length >= minTokenLength) return undefined;
  return `The token has ${token.length} characters; it needs at least ${minTokenLength}`;
}

/**
 * Serves batches over HTTP, on the loopback interface only.
 *
 * `POST /batches` {"events": 1000, "rate": 500} starts one: 202 with its address; `GET /batches/ID` tells how it
 * goes; `GET /healthz` needs no token.
 *
 * @throws PipelineError `PORT_TAKEN`, `CANNOT_LISTEN`
 */
export async function startTriggerServer(options: TriggerServerOptions): Promise<TriggerServer> {
  const { batches, port, requestTimeoutMs = 10_000 } = options;
  let isClosing = false;
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, requestTimeoutMs),
    },
    (request, response) => {
      if (isClosing) response.setHeader('connection', 'close');
      answer(options, request, response).catch((error: unknown) => {
        if (error instanceof Refusal) {
          const { status, code, message, headers } = error;
          send(response, status, { error: { code, message } }, headers);
        } else if (!response.headersSent) {
          send(response, 500, { error: { code: 'UNEXPECTED', message: messageOf(error) } });
        } else response.destroy();
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = codeOf(error) === 'EADDRINUSE';
      reject(
        new PipelineError(isTaken ? 'PORT_TAKEN' : 'CANNOT_LISTEN', {
          what: isTaken ? `Port ${port} is taken by another process` : `Cannot listen: ${messageOf(error)}`,
          where: `127.0.0.1:${port}`,
          todo: 'Name another port with --listen.',
          cause: error,
        }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${actual}`,
    close: async () => {
      isClosing = true;
      await batches.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      });
    },
  };
}

async function answer(
  { batches, token, rate: defaultRate }: TriggerServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '/' } = request;
  const [path = '/'] = url.split('?', 1);
  if (path === '/healthz') {
    demandMethod(method, 'GET');
    send(response, 200, { status: 'ok' });
    return;
  }
  const [, collection, id, ...rest] = path.split('/');
  if (collection !== 'batches' || rest.length > 0 || id === '') throw notFound();
  demandToken(request, token);
  if (id === undefined) {
    demandMethod(method, 'POST');
    const { events, rate = defaultRate } = parseBatch(await readBody(request));
    if (events / rate > batchLimits.seconds) {
      throw new Refusal(
        400,
        'INVALID_INPUT',
        `rate: ${events} events at ${rate}/s would take more than a day`,
      );
    }
    const batch = startBatch(batches, { events, rate });
    send(response, 202, batch, { location: `/batches/${batch.id}` });
    return;
  }
  demandMethod(method, 'GET');
  const batch = batches.find(id);
  if (batch === undefined) throw notFound();
  send(response, 200, batch);
}

function startBatch(batches: Batches, request: { events: number; rate: number }) {
  try {
    return batches.start(request);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    throw new Refusal(error.code === 'BATCH_RUNNING' ? 409 : 503, error.code, error.message);
  }
}

function demandMethod(method: string, allowed: string): void {
  if (method === allowed) return;
  throw new Refusal(405, 'METHOD_NOT_ALLOWED', `only ${allowed} is possible here`, { allow: allowed });
}

/** Compares digests, in a time that does not depend on where they differ. */
function demandToken({ headers }: IncomingMessage, token: string): void {
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  if (timingSafeEqual(digest(given), digest(token))) return;
  throw new Refusal(401, 'UNAUTHORIZED', 'send the token as "Authorization: Bearer ..."', {
    'www-authenticate': 'Bearer',
    // Whatever else the client wanted to send is not read.
    connection: 'close',
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function parseBatch(text: string) {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'INVALID_INPUT', 'the body is not JSON');
  }
  const { value, problems } = check(batchSchema, body);
  if (value !== undefined) return value;
  throw new Refusal(
    400,
    'INVALID_INPUT',
    problems.map(({ path, message }) => `${path}: ${message}`).join('; '),
  );
}

async function readBody(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new Refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'send the batch as application/json', {
      connection: 'close',
    });
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request
      .on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxBodyBytes) chunks.push(chunk);
        else {
          request.pause();
          const message = `the body is larger than ${maxBodyBytes} bytes`;
          reject(new Refusal(413, 'TOO_LARGE', message, { connection: 'close' }));
        }
      })
      .once('end', () => {
        resolve(Buffer.concat(chunks).toString('utf8'));
      })
      .once('error', reject);
  });
}

function notFound(): Refusal {
  return new Refusal(404, 'NOT_FOUND', 'there is no such thing here');
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}
