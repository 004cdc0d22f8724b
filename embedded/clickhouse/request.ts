import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a request asks for besides its statement: from the URL, the headers and, if it has one, the multipart form. */
export interface RequestOptions {
  queryId: string;
  /** `query` of the URL or of the form. */
  query: string;
  database: string | undefined;
  /** The format of an answer, and of an INSERT, whose statement names none. */
  defaultFormat: string | undefined;
  /** `param_x`, without the prefix. */
  parameters: ReadonlyMap<string, string>;
  /** Everything that is not reserved is a setting of ClickHouse. */
  settings: ReadonlyMap<string, string>;
  session: { id: string; timeoutSeconds: number | undefined; mustExist: boolean } | undefined;
  /** Answer in ClickHouse's own compressed blocks. */
  compressBlocks: boolean;
  /** The body is in ClickHouse's own compressed blocks. */
  decompressBlocks: boolean;
  /** Codings the client accepts for the answer, where it also asks for one with enable_http_compression. */
  acceptedEncodings: readonly string[];
  contentEncoding: string | undefined;
  /** Send nothing before the query has ended, so that its errors have a status. */
  waitEndOfQuery: boolean;
  /** Bytes of the answer that are held back before the first is sent; the server's default when undefined. */
  bufferBytes: number | undefined;
}

/** Parameters of the HTTP interface itself. All others are settings. */
const reserved = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'role',
  'quota_key',
  'buffer_size',
  'wait_end_of_query',
  'compress',
  'decompress',
  'session_id',
  'session_timeout',
  'session_check',
  'close_session',
  'stacktrace',
  'replica_num',
  'client_protocol_version',
  'enable_http_compression',
  'http_zlib_compression_level',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'cancel_http_readonly_queries_on_client_close',
]);

export function readOptions(
  request: IncomingMessage,
  url: URLSearchParams,
  form: ReadonlyMap<string, string>,
): RequestOptions {
  // The form is read after the URL, so that it wins, as with ClickHouse.
  const values = new Map([...url, ...form]);
  const header = (name: string) => {
    const value = request.headers[name];
    return (Array.isArray(value) ? value[0] : value) || undefined;
  };
  const parameters = new Map<string, string>();
  const settings = new Map<string, string>();
  for (const [name, value] of values) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (!reserved.has(name) && name !== '') settings.set(name, value);
  }
  const sessionId = values.get('session_id');
  return {
    queryId: values.get('query_id') || randomUUID(),
    query: values.get('query') ?? '',
    database: values.get('database') || header('x-clickhouse-database'),
    defaultFormat: values.get('default_format') || header('x-clickhouse-format'),
    parameters,
    settings,
    session: sessionId
      ? {
          id: sessionId,
          timeoutSeconds: toNumber(values.get('session_timeout')),
          mustExist: isOn(values.get('session_check')),
        }
      : undefined,
    compressBlocks: isOn(values.get('compress')),
    decompressBlocks: isOn(values.get('decompress')),
    acceptedEncodings: isOn(values.get('enable_http_compression'))
      ? acceptedBy(header('accept-encoding'))
      : [],
    contentEncoding: encodingOf(header('content-encoding')),
    waitEndOfQuery: isOn(values.get('wait_end_of_query')),
    bufferBytes: toNumber(values.get('buffer_size')),
  };
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

function toNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

function encodingOf(value: string | undefined): string | undefined {
  const encoding = value?.trim().toLowerCase();
  return encoding === 'identity' ? undefined : encoding;
}

function acceptedBy(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((part) => part.split(';').map((piece) => piece.trim().toLowerCase()))
    .filter(([, quality]) => quality !== 'q=0')
    .map(([name]) => name ?? '');
}
