import {
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseSettings,
} from '@clickhouse/client';
import { InterruptedError, PipelineError, codeOf, messageOf } from '../core/errors.ts';
import { httpsAgent, tlsFailure } from '../core/tls.ts';
import type { Target } from '../targets/load-target.ts';

export interface ClickHouseOptions {
  /** Default: the target's database. Name another one only to create that database. */
  database?: string;
  /** A request that takes longer fails as unreachable. Default 60000. */
  requestTimeoutMs?: number;
}

interface StatementOptions {
  /** Values of `{name:Type}` placeholders. */
  params?: Record<string, unknown>;
  settings?: ClickHouseSettings;
  signal?: AbortSignal;
}

/** A connection pool to one database. Every failure is a {@link PipelineError}. */
export interface ClickHouse {
  readonly database: string;
  /** Address of the server, without credentials: for messages. */
  readonly url: string;
  /** Runs a SELECT. 64-bit integers come as strings, because a number would lose their last digits. */
  query(sql: string, options?: StatementOptions): Promise<Record<string, unknown>[]>;
  /** Runs a SELECT; returns the column names and types with the rows as arrays. */
  queryTable(sql: string, options?: StatementOptions): Promise<ResultTable>;
  /** Runs a statement that returns nothing, and waits until it took effect. */
  command(sql: string, options?: StatementOptions): Promise<void>;
  /** Inserts rows; date and time columns take whatever ClickHouse parses. */
  insert(table: string, rows: readonly object[], options?: Omit<StatementOptions, 'params'>): Promise<void>;
  close(): Promise<void>;
}

export interface ResultTable {
  columns: { name: string; type: string }[];
  rows: unknown[][];
}

/** Codes of ClickHouse that mean wrong credentials or missing rights. */
const authenticationCodes = new Set(['192', '193', '194', '497', '516']);

/** Codes after which the same statement may succeed: busy, overloaded, starting, or a lost connection. */
const retryableCodes = new Set(['159', '164', '202', '203', '209', '210', '241', '242', '252', '319', '425']);

/**
 * Connects to the target's ClickHouse; no request is made until the first statement.
 *
 * Every statement may throw a PipelineError with one of these codes:
 * - `CLICKHOUSE_UNREACHABLE` (retryable): nobody answers at the address, or not in time
 * - `CLICKHOUSE_TLS`: the server is not to be trusted, or does not speak TLS
 * - `CLICKHOUSE_AUTHENTICATION`: the user or the password is wrong, or the user lacks a right
 * - `CLICKHOUSE_QUERY`: ClickHouse refused the statement; the message carries its code and first line
 * - `INTERRUPTED`: the signal aborted
 */
export function createClickHouse(
  target: Pick<Target, 'clickhouse'>,
  { database = target.clickhouse.database, requestTimeoutMs = 60_000 }: ClickHouseOptions = {},
): ClickHouse {
  const { url, user, password, tls } = target.clickhouse;
  const client = createClient({
    // The client's own agent would obey NODE_TLS_REJECT_UNAUTHORIZED.
    ...(url.startsWith('https:') && {
      http_agent: httpsAgent(tls && { certificateFile: '', keyFile: '', keyPassphrase: '', ...tls }),
    }),
    url,
    username: user,
    password,
    database,
    request_timeout: requestTimeoutMs,
    // Errors are thrown; a second report on stderr would only leak the library's words.
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: {
      // DDL and inserts are finished when the answer comes.
      wait_end_of_query: 1,
      output_format_json_quote_64bit_integers: 1,
      date_time_input_format: 'best_effort',
    },
  });
  const run = <T>(attempt: (client: ClickHouseClient) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    if (signal?.aborted) return Promise.reject(new InterruptedError());
    return attempt(client).catch((error: unknown) => {
      throw toPipelineError(error, { url, user, requestTimeoutMs, aborted: signal?.aborted === true });
    });
  };
  return {
    database,
    url,
    query: (sql, options = {}) =>
      run(
        async (connection) =>
          (await connection.query({ query: sql, format: 'JSONEachRow', ...requestOf(options) })).json<
            Record<string, unknown>
          >(),
        options.signal,
      ),
    queryTable: (sql, options = {}) =>
      run(async (connection) => {
        const result = await connection.query({ query: sql, format: 'JSONCompact', ...requestOf(options) });
        const { meta = [], data } = await result.json<unknown[]>();
        return { columns: meta, rows: data };
      }, options.signal),
    command: (sql, options = {}) =>
      run(async (connection) => {
        await connection.command({ query: sql, ...requestOf(options) });
      }, options.signal),
    insert: (table, rows, options = {}) =>
      run(async (connection) => {
        await connection.insert({ table, values: rows, format: 'JSONEachRow', ...requestOf(options) });
      }, options.signal),
    close: () => client.close(),
  };
}

/** `` `name` ``, quoted so that any name is one identifier. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll(/[\\`]/g, (character) => `\\${character}`)}\``;
}

/** `'text'`, quoted for the few places of a statement that take no parameter (a table's comment). */
export function quoteString(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`;
}

function requestOf({ params, settings, signal }: StatementOptions) {
  return {
    ...(params === undefined ? {} : { query_params: params }),
    ...(settings === undefined ? {} : { clickhouse_settings: settings }),
    ...(signal === undefined ? {} : { abort_signal: signal }),
  };
}

function toPipelineError(
  error: unknown,
  {
    url,
    user,
    requestTimeoutMs,
    aborted,
  }: {
    url: string;
    user: string;
    requestTimeoutMs: number;
    aborted: boolean;
  },
): PipelineError {
  if (aborted) return new InterruptedError();
  if (!(error instanceof ClickHouseError)) {
    const untrusted = tlsFailure(error);
    if (untrusted !== undefined) {
      return new PipelineError('CLICKHOUSE_TLS', {
        what: `The encrypted connection to ClickHouse failed: ${untrusted}`,
        where: url,
        todo: 'Correct CLICKHOUSE_URL, or CLICKHOUSE_CA_FILE, which names the authority to trust.',
        cause: error,
      });
    }
    const timedOut = messageOf(error) === 'Timeout error.';
    return new PipelineError('CLICKHOUSE_UNREACHABLE', {
      what: timedOut
        ? `ClickHouse did not answer within ${Math.round(requestTimeoutMs / 1000)} s`
        : `ClickHouse does not answer (${codeOf(error) ?? messageOf(error)})`,
      where: url,
      todo: 'Start the stack with "npm run up", or point CLICKHOUSE_URL to a running server.',
      retryable: true,
      cause: error,
    });
  }
  if (authenticationCodes.has(error.code)) {
    return new PipelineError('CLICKHOUSE_AUTHENTICATION', {
      what: `ClickHouse refused the user "${user}" (code ${error.code})`,
      where: url,
      todo: 'Set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or grant the user what it lacks.',
      cause: error,
    });
  }
  return new ClickHouseQueryError(error, url);
}

/** ClickHouse refused a statement. */
export class ClickHouseQueryError extends PipelineError {
  /** ClickHouse's number of the error, such as `57`. */
  readonly clickhouseCode: string;

  constructor(error: ClickHouseError, url: string) {
    super('CLICKHOUSE_QUERY', {
      what: `ClickHouse refused a statement: ${messageOf(error).trim()} (code ${error.code})`,
      where: url,
      ...(retryableCodes.has(error.code) ? { retryable: true, todo: 'This may pass: run it again.' } : {}),
      cause: error,
    });
    this.clickhouseCode = error.code;
  }
}
