import type { Readable } from 'node:stream';
import { clickHouseException } from './exceptions.ts';
import { analyseStatement, type Statement } from './statement.ts';

/** A request's statement, and the data that follows it. */
export interface StatementWithData {
  /** The statement's text. Of an INSERT with data only what comes before the data. */
  text: string;
  /** Offsets refer to {@link bytes}. */
  statement: Statement;
  bytes: Buffer;
  /** What the statement's own text held as data, followed by what of the body was not read yet. */
  data: AsyncIterable<Buffer>;
  /** True when nothing in {@link data} has been decompressed or taken from the statement's text. */
  dataIsBody: boolean;
}

/** No statement is longer than this; data of an INSERT is not part of it. */
const maxStatementBytes = 32 * 1024 * 1024;

/** Takes the statement from the URL. The body is an INSERT's data, or else the rest of the statement. */
export async function statementInUrl(query: string, body: Readable): Promise<StatementWithData> {
  const bytes = Buffer.from(query, 'utf8');
  const statement = analyse(bytes, true);
  if (statement.kind === 'insert-data') {
    const inline = bytes.subarray(statement.dataStart);
    const isBlank = inline.toString('latin1').trim() === '';
    const data = isBlank ? body : concatenate([inline, Buffer.from('\n')], body);
    return { text: query, statement, bytes, data, dataIsBody: isBlank };
  }
  const rest = await readAll(body, bytes.length);
  if (rest.length === 0) return { text: query, statement, bytes, data: body, dataIsBody: true };
  const whole = Buffer.concat([bytes, Buffer.from('\n'), rest]);
  const wholeStatement = analyse(whole, true);
  return {
    text: whole.toString('utf8'),
    statement: wholeStatement,
    bytes: whole,
    data: body,
    dataIsBody: true,
  };
}

/** Takes the statement from the beginning of the body, reading no further than needed. */
export async function statementInBody(body: Readable): Promise<StatementWithData> {
  const chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let read: Buffer = Buffer.alloc(0);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  // Looking at the text again each time it has doubled keeps the whole linear.
  let lookAt = 0;
  for (;;) {
    const next = await chunks.next();
    const isLast = next.done === true;
    if (!isLast) {
      pending.push(next.value);
      pendingBytes += next.value.length;
    }
    if (read.length + pendingBytes < lookAt && !isLast) continue;
    read = Buffer.concat([read, ...pending]);
    pending = [];
    pendingBytes = 0;
    lookAt = read.length * 2;
    const statement = analyseStatement(read.toString('latin1'), isLast);
    if (statement !== undefined) {
      const dataStart = statement.kind === 'insert-data' ? statement.dataStart : read.length;
      return {
        text: read.toString('utf8', 0, dataStart),
        statement,
        bytes: read,
        data: concatenate([read.subarray(dataStart)], isLast ? [] : { [Symbol.asyncIterator]: () => chunks }),
        dataIsBody: false,
      };
    }
    if (read.length > maxStatementBytes) throw tooLong();
  }
}

function analyse(bytes: Buffer, complete: boolean): Statement {
  const statement = analyseStatement(bytes.toString('latin1'), complete);
  if (statement === undefined)
    throw clickHouseException('SYNTAX_ERROR', 'Syntax error: the statement is not complete');
  return statement;
}

async function* concatenate(
  first: readonly Buffer[],
  rest: Iterable<Buffer> | AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  for (const chunk of first) if (chunk.length > 0) yield chunk;
  yield* rest;
}

async function readAll(body: Readable, alreadyRead: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = alreadyRead;
  for await (const chunk of body as AsyncIterable<Buffer>) {
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
