import { messageOf } from '../../core/errors.ts';

/** The exception codes this endpoint raises itself, as ClickHouse numbers and names them. */
const exceptionCodes = {
  BAD_ARGUMENTS: 36,
  CHECKSUM_DOESNT_MATCH: 40,
  NOT_IMPLEMENTED: 48,
  LOGICAL_ERROR: 49,
  SYNTAX_ERROR: 62,
  UNKNOWN_FORMAT: 73,
  UNKNOWN_TYPE_OF_QUERY: 78,
  UNKNOWN_COMPRESSION_METHOD: 89,
  INTO_OUTFILE_NOT_ALLOWED: 113,
  UNKNOWN_SETTING: 115,
  READONLY: 164,
  NOT_ENOUGH_SPACE: 243,
  CANNOT_DECOMPRESS: 271,
  ZLIB_INFLATE_FAILED: 354,
  SESSION_NOT_FOUND: 372,
  INVALID_SESSION_TIMEOUT: 374,
  AUTHENTICATION_FAILED: 516,
} as const;

type ExceptionName = keyof typeof exceptionCodes;

/** An exception as a ClickHouse server reports it: a number, a name and a message. */
export class ClickHouseException extends Error {
  readonly code: number;

  constructor(code: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClickHouseException';
    this.code = code;
  }
}

export function clickHouseException(
  name: ExceptionName,
  message: string,
  cause?: unknown,
): ClickHouseException {
  const code = exceptionCodes[name];
  return new ClickHouseException(code, `Code: ${code}. DB::Exception: ${message} (${name})`, cause);
}

/** Any thrown value as an exception: the engine's carry their code in the message, Node's become a code of ClickHouse. */
export function toClickHouseException(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error;
  const text = error instanceof Error ? error.message : String(error);
  // The reader of FROM INFILE wraps the parser's message into a second one with the same prefix.
  const message = text.replace(/^(Code: \d+\. DB::Exception: )\1/, '$1');
  const engineCode = /^Code: (\d+)\./.exec(message)?.[1];
  if (engineCode !== undefined) return new ClickHouseException(Number(engineCode), message, error);
  if (isDiskFull(error)) {
    return clickHouseException(
      'NOT_ENOUGH_SPACE',
      'No space left on device for the data of this request',
      error,
    );
  }
  return clickHouseException('LOGICAL_ERROR', messageOf(error), error);
}

function isDiskFull(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * The HTTP status of an exception code. Source: `exceptionCodeToHTTPStatus` of the ClickHouse server; codes that
 * are not listed there are 500.
 */
export function httpStatusOf(code: number): number {
  return statusByCode.get(code) ?? 500;
}

const statusByCode = new Map<number, number>(
  (
    [
      [401, [194]],
      [403, [192, 193, 497, 512, 516]],
      // Anything wrong with the request: arguments, values that do not parse, syntax, types.
      [
        400,
        [
          6, 15, 16, 25, 26, 27, 36, 38, 41, 44, 53, 56, 62, 69, 72, 117, 167, 168, 222, 223, 318, 427, 441,
          675, 676,
        ],
      ],
      // What the request names does not exist.
      [404, [46, 47, 50, 60, 63, 73, 78, 81, 102, 103, 115, 336, 511]],
      [413, [229]],
      [501, [48]],
      [503, [76, 209, 439]],
      [411, [381]],
      [408, [159]],
    ] as const
  ).flatMap(([status, codes]) => codes.map((code) => [code, status] as const)),
);
