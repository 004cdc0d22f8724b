import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { answerStatement, type Exchange, type Resources } from './answer-statement.ts';
import type { AnswerCoding } from './compression/answer-encoder.ts';
import { decodeBlocks } from './compression/compressed-blocks.ts';
import { authenticate, type Credentials } from './credentials.ts';
import type { Engine } from './engine.ts';
import { clickHouseException, toClickHouseException } from './exceptions.ts';
import { statementInBody, statementInUrl, type RequestBody, type StatementWithData } from './request-body.ts';
import { decodeBody, engineCompressionOf } from './request-encodings.ts';
import { readForm } from './request-form.ts';
import { readOptions, type RequestOptions } from './request.ts';
import { sendException } from './result-writer.ts';
import { isRead } from './statement.ts';

/** Answers one request, whatever happens. */
export async function handleRequest(
  resources: Resources,
  credentials: Credentials,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  let coding: AnswerCoding = 'identity';
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('X-ClickHouse-Server-Display-Name', resources.engine.facts.hostName);
    if (answerWithoutStatement(url, request, response)) return;
    authenticate(request, url.searchParams, credentials);
    const form = await readForm(request);
    const options = readOptions(request, url.searchParams, form ?? new Map<string, string>());
    coding = answerCoding(options);
    response.setHeader('X-ClickHouse-Query-Id', options.queryId);
    checkNames(options, resources.engine);
    const exchange: Exchange = { response, options, coding, signal: gone.signal };
    const read = await readStatement(resources, exchange, form === undefined ? request : Readable.from([]));
    if (isGet(request) && !isRead(read.statement)) throw readOnly();
    await answerStatement(resources, exchange, read);
  } catch (error) {
    if (response.destroyed || response.headersSent) return;
    // What was not read of the body would be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    await sendException(response, toClickHouseException(error), coding);
  }
}

/** Health checks and addresses that are none of ours; true when the request is answered. */
function answerWithoutStatement(url: URL, request: IncomingMessage, response: ServerResponse): boolean {
  const isPing =
    url.pathname === '/ping' ||
    url.pathname === '/replicas_status' ||
    (url.pathname === '/' && isGet(request) && !url.searchParams.has('query'));
  if (!isPing && url.pathname === '/') return false;
  response.statusCode = isPing ? 200 : 404;
  response.setHeader('Content-Type', 'text/html; charset=UTF-8');
  response.end(isPing ? 'Ok.\n' : `There is no handle ${url.pathname}\n`);
  return true;
}

function readStatement(
  resources: Resources,
  { options, signal }: Exchange,
  raw: Readable,
): Promise<StatementWithData> {
  const compression = options.contentEncoding ? engineCompressionOf(options.contentEncoding) : undefined;
  const body: RequestBody = {
    raw,
    engineCompression: options.decompressBlocks ? undefined : compression,
    decode: () => {
      const plain = compression ? decodeBody(raw, compression, { ...resources, signal }) : raw;
      return options.decompressBlocks ? decodeBlocks(plain) : plain;
    },
  };
  return options.query === '' ? statementInBody(body) : statementInUrl(options.query, body);
}

/** These names become part of statements. */
function checkNames(options: RequestOptions, engine: Engine): void {
  if (options.defaultFormat !== undefined && !/^\w+$/.test(options.defaultFormat)) {
    throw clickHouseException('UNKNOWN_FORMAT', `Unknown format ${options.defaultFormat}`);
  }
  for (const name of options.parameters.keys()) {
    if (!/^\w+$/.test(name)) {
      throw clickHouseException('BAD_ARGUMENTS', `Invalid name of a query parameter: ${name}`);
    }
  }
  for (const name of options.settings.keys()) {
    if (!engine.facts.settingNames.has(name)) {
      throw clickHouseException(
        'UNKNOWN_SETTING',
        `Setting ${name} is neither a builtin setting nor a parameter`,
      );
    }
  }
}

function answerCoding(options: RequestOptions): AnswerCoding {
  if (options.compressBlocks) return 'blocks';
  // LZ4 first: it costs a tenth of the time of gzip.
  return (
    (['lz4', 'gzip'] as const).find((coding) => options.acceptedEncodings.includes(coding)) ?? 'identity'
  );
}

function isGet(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function readOnly(): Error {
  return clickHouseException(
    'READONLY',
    'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. ' +
      'You should use method POST for modifying queries',
  );
}
