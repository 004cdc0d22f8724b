import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ChdbResult } from 'chdb';
import { isAbort } from '../../core/errors.ts';
import { authenticate, type Credentials } from './credentials.ts';
import type { Engine } from './engine.ts';
import type { EngineSession, SessionState } from './engine-session.ts';
import { clickHouseException, toClickHouseException } from './exceptions.ts';
import { contentTypeOf } from './formats.ts';
import { statementInBody, statementInUrl, type StatementWithData } from './request-body.ts';
import { decodeBody, engineCompression } from './request-encodings.ts';
import type { RequestFiles } from './request-files.ts';
import { readForm } from './request-form.ts';
import { readOptions, type RequestOptions } from './request.ts';
import type { ResultPipes } from './result-pipes.ts';
import { ResultWriter, sendException, type AnswerCoding } from './result-writer.ts';
import {
  checkParameterNames,
  insertFile,
  outputFormat,
  streamSelect,
  type DataFile,
} from './run-statement.ts';
import type { Slots } from './slots.ts';
import type { StickySessions } from './sticky-sessions.ts';

/** What all requests share. */
export interface Endpoint {
  engine: Engine;
  credentials: Credentials;
  files: RequestFiles;
  pipes: ResultPipes;
  /** As many statements run at once as there are threads for them; the others wait. */
  slots: Slots;
  sticky: StickySessions;
}

/** Bytes of an answer that are held back by default: as large as ClickHouse's own buffer. */
const defaultBufferBytes = 1024 * 1024;

/** Answers one request, whatever happens. */
export async function handleRequest(
  endpoint: Endpoint,
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
    response.setHeader('X-ClickHouse-Server-Display-Name', endpoint.engine.facts.hostName);
    if (url.pathname === '/ping' || url.pathname === '/replicas_status') {
      sendText(response, 200, 'Ok.\n');
      return;
    }
    if (url.pathname !== '/') {
      sendText(response, 404, `There is no handle ${url.pathname}\n`);
      return;
    }
    authenticate(request, url.searchParams, endpoint.credentials);
    const form = await readForm(request);
    const options = readOptions(request, url.searchParams, form ?? new Map<string, string>());
    coding = answerCoding(options);
    response.setHeader('X-ClickHouse-Query-Id', options.queryId);
    if (isReadOnly(request) && options.query === '') {
      sendText(response, 200, 'Ok.\n');
      return;
    }
    await answerStatement(endpoint, {
      request,
      response,
      options,
      coding,
      signal: gone.signal,
      hasForm: form !== undefined,
    });
  } catch (error) {
    if (gone.signal.aborted || response.destroyed) return;
    // The rest of a body that was not read would be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    await sendException(response, toClickHouseException(error), coding);
  }
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  options: RequestOptions;
  coding: AnswerCoding;
  signal: AbortSignal;
  hasForm: boolean;
}

async function answerStatement(endpoint: Endpoint, exchange: Exchange): Promise<void> {
  const { request, options, signal } = exchange;
  checkParameterNames(options.parameters.keys());
  checkSettingNames(endpoint.engine, options.settings.keys());
  const read = await readStatement(endpoint, exchange);
  const { statement } = read;
  if (isReadOnly(request)) rejectWrite(read);
  const file =
    statement.kind === 'insert-data' ? await storeData(endpoint, read, options, signal) : undefined;
  try {
    const state: SessionState = {
      database: options.database,
      // What SET changes must not be undone, so nothing is set for the time of the request.
      settings: statement.kind === 'session' ? new Map() : options.settings,
      parameters: options.parameters,
    };
    const held = await holdSession(endpoint, read.text, state, options, signal);
    try {
      await held.session.prepare(state);
      await runAndAnswer(endpoint, exchange, read, held.session, file);
    } finally {
      held.release();
    }
  } finally {
    if (file) await endpoint.files.remove(file.path);
  }
}

async function readStatement(endpoint: Endpoint, exchange: Exchange): Promise<StatementWithData> {
  const { request, options, signal, hasForm } = exchange;
  // Data that follows a statement in the URL stays compressed: the engine reads it so.
  if (options.query !== '') {
    const read = await statementInUrl(options.query, hasForm ? emptyBody() : request);
    if (read.dataIsBody || options.contentEncoding === undefined) return read;
    const body = await decodeBody(request, options.contentEncoding, { ...endpoint, signal });
    return statementInUrl(options.query, body);
  }
  const body = options.contentEncoding
    ? await decodeBody(request, options.contentEncoding, { ...endpoint, signal })
    : request;
  return statementInBody(body);
}

async function storeData(
  { files }: Endpoint,
  read: StatementWithData,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<DataFile> {
  const stillCompressed = read.dataIsBody && options.query !== '' ? options.contentEncoding : undefined;
  const compression = stillCompressed === undefined ? undefined : engineCompression(stillCompressed);
  const { path } = await files.write(read.data, signal);
  return { path, compression };
}

/** A session and, after it, a slot to run on. */
async function holdSession(
  { engine, sticky, slots }: Endpoint,
  text: string,
  state: SessionState,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<{ session: EngineSession; release: () => void }> {
  if (options.session) {
    const held = await sticky.acquire(options.session, signal);
    try {
      const freeSlot = await slots.acquire(signal);
      return {
        session: held.session,
        release: () => {
          freeSlot();
          held.release();
        },
      };
    } catch (error) {
      held.release();
      throw error;
    }
  }
  const freeSlot = await slots.acquire(signal);
  const session = engine.acquire(text, state);
  return {
    session,
    release: () => {
      engine.release(session);
      freeSlot();
    },
  };
}

async function runAndAnswer(
  { engine, pipes }: Endpoint,
  { response, options, coding, signal }: Exchange,
  read: StatementWithData,
  session: EngineSession,
  file: DataFile | undefined,
): Promise<void> {
  const { statement } = read;
  const format = outputFormat(statement, options.defaultFormat);
  const exceptionTag = randomBytes(8).toString('hex');
  const writer = new ResultWriter(response, {
    coding,
    bufferBytes: options.waitEndOfQuery ? Infinity : (options.bufferBytes ?? defaultBufferBytes),
    exceptionTag,
  });
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader('X-ClickHouse-Timezone', engine.facts.timezone);
  response.setHeader('Content-Type', contentTypeOf(format));
  const marker = `\n/* request ${exceptionTag} */`;
  // Like ClickHouse, a write that has begun is finished although nobody waits for it.
  const kill = () => {
    engine.kill(marker.trimStart()).catch(() => undefined);
  };
  const mayKill = statement.kind === 'select' || (statement.kind === 'other' && statement.isRead);
  if (mayKill) signal.addEventListener('abort', kill, { once: true });
  try {
    const result = await run();
    await writer.end(summaryOf(result, statement.kind === 'insert-data'));
  } catch (error) {
    if (signal.aborted || isAbort(error)) return;
    await writer.fail(toClickHouseException(error));
  } finally {
    signal.removeEventListener('abort', kill);
  }

  async function run(): Promise<ChdbResult> {
    if (statement.kind === 'select') {
      return streamSelect(session, { ...read, statement }, { format, marker, pipes, writer });
    }
    if (statement.kind === 'insert-data') {
      if (file === undefined) throw new Error('The data of an INSERT is not stored');
      return insertFile(session, { ...read, statement }, { file, defaultFormat: options.defaultFormat });
    }
    const text = read.bytes.toString('utf8', 0, statement.end);
    if (statement.kind === 'session') {
      try {
        return await session.runOnSession(text);
      } finally {
        if (!options.session) session.retire();
      }
    }
    const result = await session.run(text + marker, format);
    await writer.write(Buffer.from(result.bytes()));
    return result;
  }
}

function checkSettingNames(engine: Engine, names: Iterable<string>): void {
  for (const name of names) {
    if (!engine.facts.settingNames.has(name)) {
      throw clickHouseException(
        'UNKNOWN_SETTING',
        `Setting ${name} is neither a builtin setting nor started with the prefix 'SQL_' registered for user-defined settings`,
      );
    }
  }
}

function rejectWrite({ statement }: StatementWithData): void {
  if (statement.kind === 'select' || statement.kind === 'session') return;
  if (statement.kind === 'other' && statement.isRead) return;
  throw clickHouseException(
    'READONLY',
    'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries',
  );
}

function answerCoding(options: RequestOptions): AnswerCoding {
  if (options.compressBlocks) return 'blocks';
  return options.acceptedEncodings.includes('gzip') ? 'gzip' : 'identity';
}

function summaryOf(result: ChdbResult, isInsert: boolean): string {
  const rows = String(result.rowsRead);
  const bytes = String(result.bytesRead);
  return JSON.stringify({
    read_rows: rows,
    read_bytes: bytes,
    // The engine counts the rows of an inserted file as read.
    written_rows: isInsert ? rows : '0',
    written_bytes: isInsert ? bytes : '0',
    total_rows_to_read: '0',
    result_rows: rows,
    result_bytes: bytes,
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  });
}

function isReadOnly(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

function emptyBody(): Readable {
  return Readable.from([]);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=UTF-8');
  response.end(text);
}
