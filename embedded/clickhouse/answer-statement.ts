import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ChdbResult } from 'chdb';
import { isAbort } from '../../core/errors.ts';
import type { AnswerCoding } from './compression/answer-encoder.ts';
import type { Engine } from './engine.ts';
import type { EngineSession, SessionState } from './engine-session.ts';
import { toClickHouseException } from './exceptions.ts';
import { contentTypeOf } from './formats.ts';
import type { StatementWithData } from './request-body.ts';
import type { RequestFiles } from './request-files.ts';
import type { RequestOptions } from './request.ts';
import type { ResultPipes } from './result-pipes.ts';
import { ResultWriter } from './result-writer.ts';
import { insertFile, outputFormat, runOther, storeSelect, streamSelect } from './run-statement.ts';
import type { Slots } from './slots.ts';
import { isRead, type Statement } from './statement.ts';
import type { StickySessions } from './sticky-sessions.ts';

/** What all requests share. */
export interface Resources {
  engine: Engine;
  files: RequestFiles;
  pipes: ResultPipes;
  /** As many statements run at once as there are threads for them; the others wait. */
  slots: Slots;
  sticky: StickySessions;
}

/** Where an answer goes. */
export interface Exchange {
  response: ServerResponse;
  options: RequestOptions;
  coding: AnswerCoding;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
}

/** Bytes of an answer that are held back by default: as large as ClickHouse's own buffer. */
const defaultBufferBytes = 1024 * 1024;

/** What a request may ask for instead (buffer_size): it is memory. */
const maxBufferBytes = 32 * 1024 * 1024;

/** Pause between two attempts to cancel a statement whose client has gone. */
const killIntervalMs = 500;

/** Runs a statement and answers with its result. What goes wrong before the answer has begun is thrown. */
export async function answerStatement(
  resources: Resources,
  exchange: Exchange,
  read: StatementWithData,
): Promise<void> {
  const { options, signal } = exchange;
  const { statement } = read;
  // A whole INSERT is on disk before it waits for its turn: a slow client keeps nobody from working.
  const file = statement.kind === 'insert-data' ? await resources.files.write(read.data, signal) : undefined;
  try {
    const state: SessionState = {
      database: options.database,
      // What SET changes must not be undone after the request, so nothing is set for the time of it.
      settings: statement.kind === 'session' ? new Map() : options.settings,
      parameters: options.parameters,
    };
    const held = await holdSession(resources, read, state, exchange);
    try {
      await runAndAnswer(resources, exchange, read, held.session, file);
    } finally {
      held.release();
    }
  } finally {
    if (file !== undefined) await resources.files.remove(file);
  }
}

/** A session in the state that the request asks for, and a slot to run on. */
async function holdSession(
  { engine, sticky, slots }: Resources,
  { bytes, statement }: StatementWithData,
  state: SessionState,
  { options, signal }: Exchange,
): Promise<{ session: EngineSession; release: () => void }> {
  const client = options.session ? await sticky.acquire(options.session, signal) : undefined;
  try {
    const freeSlot = await slots.acquire(signal);
    try {
      const session =
        client?.session ?? (await engine.acquire((name) => asksFor(name, bytes, statement), state));
      if (client !== undefined) await session.prepare(state);
      const release = () => {
        // What a client sets without holding a session ends with the request.
        if (client === undefined && statement.kind === 'session') session.retire();
        if (client === undefined) engine.release(session);
        freeSlot();
        client?.release();
      };
      return { session, release };
    } catch (error) {
      freeSlot();
      throw error;
    }
  } catch (error) {
    client?.release();
    throw error;
  }
}

function asksFor(parameter: string, bytes: Buffer, statement: Statement): boolean {
  // The rows of VALUES may hold parameters as well, and are not looked at.
  if (statement.kind === 'insert-data') return (statement.format ?? 'Values') === 'Values';
  return bytes.includes('{') && new RegExp(`\\{\\s*${parameter}\\s*:`).test(bytes.toString('latin1'));
}

async function runAndAnswer(
  { engine, files, pipes }: Resources,
  { response, options, coding, signal }: Exchange,
  read: StatementWithData,
  session: EngineSession,
  file: string | undefined,
): Promise<void> {
  const { statement } = read;
  const format = outputFormat(statement, options.defaultFormat);
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader('X-ClickHouse-Timezone', engine.facts.timezone);
  response.setHeader('Content-Type', contentTypeOf(format));
  const tag = randomBytes(8).toString('hex');
  const bufferBytes = Math.min(options.bufferBytes ?? defaultBufferBytes, maxBufferBytes);
  const writer = new ResultWriter(response, { coding, bufferBytes, exceptionTag: tag });
  const marker = `/* request ${tag} */`;
  // Like ClickHouse, a write that has begun is finished although nobody waits for it.
  const stopKilling = isRead(statement) ? killOnAbort(engine, marker, signal) : undefined;
  try {
    const result = await run();
    await writer.end(summaryOf(result, statement.kind === 'insert-data'));
  } catch (error) {
    if (signal.aborted || isAbort(error)) return;
    await writer.fail(toClickHouseException(error));
  } finally {
    stopKilling?.();
  }

  function run(): Promise<ChdbResult> {
    switch (statement.kind) {
      case 'select':
        if (options.waitEndOfQuery) {
          return storeSelect(
            session,
            { bytes: read.bytes, statement },
            {
              format,
              marker,
              files,
              onResult: (result, content) => writer.writeAll(content, summaryOf(result, false)),
            },
          );
        }
        return streamSelect(session, { bytes: read.bytes, statement }, { format, marker, pipes, writer });
      case 'insert-data':
        return insertFile(
          session,
          { bytes: read.bytes, statement },
          {
            file: file ?? '',
            compression: read.dataCompression,
            defaultFormat: options.defaultFormat,
          },
        );
      case 'session':
        return session.runOnSession(read.bytes.toString('utf8', 0, statement.end));
      case 'other':
        return runOther(session, { bytes: read.bytes, statement }, { format, marker, writer });
    }
  }
}

/** Cancels the statement with this marker when `signal` aborts, until the returned function is called. */
function killOnAbort(engine: Engine, marker: string, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = () => {
    const tryOnce = () => {
      engine.kill(marker).catch(() => undefined);
    };
    tryOnce();
    // A statement that has only just been given to the engine is not in its list yet.
    timer = setInterval(tryOnce, killIntervalMs);
  };
  if (signal.aborted) kill();
  else signal.addEventListener('abort', kill, { once: true });
  return () => {
    signal.removeEventListener('abort', kill);
    clearInterval(timer);
  };
}

/** The header X-ClickHouse-Summary: all numbers are strings. */
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
