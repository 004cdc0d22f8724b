import type { Readable } from 'node:stream';
import { clickHouseException } from './exceptions.ts';
import { analyseStatement, type Statement } from './statement.ts';

/** A request's body, which is read once: either as it came or decoded. */
export interface RequestBody {
  raw: Readable;
  /** How the engine calls the compression of {@link raw}, where the engine can read it as it is. */
  engineCompression: string | undefined;
  /** Undoes whatever the client has done to it. */
  decode: () => AsyncIterable<Buffer>;
}

/** A request's statement, and the data that follows it. */
export interface StatementWithData {
  statement: Statement;
  /** The text that the statement's offsets refer to. */
  bytes: Buffer;
  /** An INSERT's data; for other statements there is none. */
  data: AsyncIterable<Buffer>;
  /** How {@link data} is compressed, as the engine calls it. */
  dataCompression: string | undefined;
}

/** No statement is longer than this; data of an INSERT is not part of it. */
const maxStatementBytes = 32 * 1024 * 1024;

/** Takes the statement from the URL. The body is an INSERT's data, or else the rest of the statement. */
export async function statementInUrl(query: string, body: RequestBody): Promise<StatementWithData> {
  const bytes = Buffer.from(query, 'utf8');
  const statement = analyse(bytes);
  if (statement.kind === 'insert-data') {
    const inline = bytes.subarray(statement.dataStart);
    const isBlank = inline.toString('latin1').trim() === '';
    if (isBlank && body.engineCompression !== undefined) {
      return { statement, bytes, data: body.raw, dataCompression: body.engineCompression };
    }
    const data = isBlank ? body.decode() : concatenate(inline, Buffer.from('\n'), body.decode());
    return { statement, bytes, data, dataCompression: undefined };
  }
  const rest = await readAll(body.decode(), bytes.length);
  if (rest.length === 0) return { statement, bytes, ...noData };
  const whole = Buffer.concat([bytes, Buffer.from('\n'), rest]);
  return { statement: analyse(whole), bytes: whole, ...noData };
}

/** Takes the statement from the beginning of the body, reading no further than needed. */
export async function statementInBody(body: RequestBody): Promise<StatementWithData> {
  const chunks = body.decode()[Symbol.asyncIterator]();
  let read: Buffer = Buffer.alloc(0);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  // Looking at the text again only when it has doubled keeps the whole linear.
  let lookAtBytes = 0;
  for (;;) {
    const next = await chunks.next();
    const isLast = next.done === true;
    if (!isLast) {
      pending.push(next.value);
      pendingBytes += next.value.length;
      if (read.length + pendingBytes < lookAtBytes) continue;
    }
    read = Buffer.concat([read, ...pending]);
    pending = [];
    pendingBytes = 0;
    lookAtBytes = read.length * 2;
    const statement = analyseStatement(read.toString('latin1'), isLast);
    if (statement?.kind === 'insert-data') {
      const data = concatenate(read.subarray(statement.dataStart), { [Symbol.asyncIterator]: () => chunks });
      return { statement, bytes: read, data, dataCompression: undefined };
    }
    if (statement !== undefined) return { statement, bytes: read, ...noData };
    if (read.length > maxStatementBytes) throw tooLong();
  }
}

const noData = { data: concatenate(), dataCompression: undefined };

function analyse(bytes: Buffer): Statement {
  const statement = analyseStatement(bytes.toString('latin1'), true);
  if (statement === undefined) throw new Error('A complete text was taken for an incomplete one');
  return statement;
}

async function* concatenate(...parts: readonly (Buffer | AsyncIterable<Buffer>)[]): AsyncGenerator<Buffer> {
  for (const part of parts) {
    if (!Buffer.isBuffer(part)) yield* part;
    else if (part.length > 0) yield part;
  }
}

async function readAll(body: AsyncIterable<Buffer>, alreadyRead: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = alreadyRead;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxStatementBytes) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLong(): Error {
  return clickHouseException(
    'SYNTAX_ERROR',
    `Max query size exceeded: a statement has at most ${maxStatementBytes} bytes`,
  );
}
