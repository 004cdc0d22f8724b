import { createReadStream } from 'node:fs';
import type { ChdbResult } from 'chdb';
import type { EngineSession } from './engine-session.ts';
import { ClickHouseException } from './exceptions.ts';
import { defaultOutputFormat } from './formats.ts';
import type { RequestFiles } from './request-files.ts';
import type { ResultPipes } from './result-pipes.ts';
import type { ResultWriter } from './result-writer.ts';
import { quoteString } from './sql-tokens.ts';
import type { Statement } from './statement.ts';

type Select = Extract<Statement, { kind: 'select' }>;
type InsertData = Extract<Statement, { kind: 'insert-data' }>;
type Other = Extract<Statement, { kind: 'other' }>;

/** A statement, and the text its offsets refer to. */
interface Analysed<S extends Statement> {
  bytes: Buffer;
  statement: S;
}

/** The format a statement's answer will have. */
export function outputFormat(statement: Statement, requested: string | undefined): string {
  const named =
    'format' in statement && typeof statement.format === 'object' ? statement.format.name : undefined;
  return named ?? requested ?? defaultOutputFormat;
}

/** Runs a SELECT and writes its result as the engine produces it. */
export async function streamSelect(
  session: EngineSession,
  { bytes, statement }: Analysed<Select>,
  {
    format,
    marker,
    pipes,
    writer,
  }: { format: string; marker: string; pipes: ResultPipes; writer: ResultWriter },
): Promise<ChdbResult> {
  const pipe = pipes.open();
  // APPEND opens what exists; without it the engine refuses to write to an existing name.
  const target = `${quoteString(pipe.path)} APPEND`;
  const destination = `\nINTO OUTFILE ${target}`;
  const sql = `${withDestination(bytes, statement, destination, format)}\n${marker}`;
  // Whatever happens to the query, the stream has to end.
  const ended = session.run(sql, format).finally(pipe.finish);
  ended.catch(() => undefined);
  try {
    for await (const chunk of pipe.stream as AsyncIterable<Buffer>) await writer.write(chunk);
    return await ended;
  } catch (error) {
    // With nobody reading, a query that goes on writing fails: it does not outlive its answer.
    pipe.stream.destroy();
    await ended.catch(() => undefined);
    throw withoutText(error, destination, target, marker);
  } finally {
    await pipe.release();
  }
}

/** Runs a SELECT to its end and only then hands out its result, which meanwhile lies in a file. */
export async function storeSelect(
  session: EngineSession,
  { bytes, statement }: Analysed<Select>,
  {
    format,
    marker,
    files,
    onResult,
  }: {
    format: string;
    marker: string;
    files: RequestFiles;
    onResult: (result: ChdbResult, content: AsyncIterable<Buffer>) => Promise<void>;
  },
): Promise<ChdbResult> {
  const file = files.reserve();
  const destination = `\nINTO OUTFILE ${quoteString(file)}`;
  try {
    const result = await session.run(
      `${withDestination(bytes, statement, destination, format)}\n${marker}`,
      format,
    );
    await onResult(result, createReadStream(file, { highWaterMark: 1024 * 1024 }));
    return result;
  } catch (error) {
    throw withoutText(error, destination, quoteString(file), marker);
  } finally {
    await files.remove(file);
  }
}

/** Runs an INSERT on data that lies in a file. */
export async function insertFile(
  session: EngineSession,
  { bytes, statement }: Analysed<InsertData>,
  {
    file,
    compression,
    defaultFormat,
  }: {
    file: string;
    /** As the engine calls it; undefined for plain data. */
    compression: string | undefined;
    defaultFormat: string | undefined;
  },
): Promise<ChdbResult> {
  const head = bytes.toString('utf8', 0, statement.headEnd);
  const source = `\nFROM INFILE ${quoteString(file)}${compression ? ` COMPRESSION ${quoteString(compression)}` : ''}\n`;
  // The file comes before the settings; the other way round is a syntax error.
  const settings = statement.settings
    ? bytes.toString('utf8', statement.settings.start, statement.settings.end)
    : '';
  try {
    return await session.run(
      `${head}${source}${settings}\nFORMAT ${statement.format ?? defaultFormat ?? 'Values'}`,
    );
  } catch (error) {
    throw withoutText(error, source, file);
  }
}

/** Runs a statement whose answer is small. */
export async function runOther(
  session: EngineSession,
  { bytes, statement }: Analysed<Other>,
  { format, marker, writer }: { format: string; marker: string; writer: ResultWriter },
): Promise<ChdbResult> {
  const result = await session.run(`${bytes.toString('utf8', 0, statement.end)}\n${marker}`, format);
  await writer.write(Buffer.from(result.bytes()));
  return result;
}

/** The query with its result redirected: the clause belongs before FORMAT and after everything else. */
function withDestination(
  bytes: Buffer,
  { end, format: clause }: Select,
  destination: string,
  format: string,
): string {
  if (clause === undefined) return `${bytes.toString('utf8', 0, end)}${destination} FORMAT ${format}`;
  return `${bytes.toString('utf8', 0, clause.start)}${destination}\n${bytes.toString('utf8', clause.start, end)}`;
}

/** Takes what the endpoint added to a statement out of the error that quotes it. */
function withoutText(error: unknown, ...texts: readonly string[]): unknown {
  if (!(error instanceof ClickHouseException)) return error;
  const message = texts.reduce(
    (text, added) => text.replaceAll(added, '').replaceAll(added.trim(), ''),
    error.message,
  );
  return new ClickHouseException(error.code, message, error.cause);
}
