import { clickHouseException } from './exceptions.ts';
import { sqlTokens, type SqlToken } from './sql-tokens.ts';

/** What the endpoint has to know of a statement before it gives it to the engine. Offsets count bytes of the text. */
export type Statement =
  /** Its result can be of any size and is streamed. */
  | {
      kind: 'select';
      /** Where the statement ends without its final semicolon. */
      end: number;
      /** The FORMAT clause, if it has one. */
      format?: { name: string; start: number };
    }
  /** An INSERT whose rows follow it as data, inline or in the body. */
  | {
      kind: 'insert-data';
      /** `INSERT INTO table (columns)` ends here. */
      headEnd: number;
      /** The statement's own SETTINGS clause. */
      settings?: { start: number; end: number };
      format?: string;
      /** The first byte of data. */
      dataStart: number;
    }
  /** Changes the session itself: SET, USE, temporary tables. */
  | { kind: 'session'; end: number }
  /** Everything else; the answer is small or empty. */
  | { kind: 'other'; end: number; isRead: boolean; format?: { name: string; start: number } };

/** True for a statement that changes no data, which may come by GET and is cancelled when its client goes. */
export function isRead(statement: Statement): boolean {
  return (
    statement.kind === 'select' ||
    statement.kind === 'session' ||
    (statement.kind === 'other' && statement.isRead)
  );
}

const readers = new Set(['SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', 'CHECK']);

/**
 * Finds out what kind of statement `text` begins with.
 *
 * @param text the statement, decoded as latin1 so that offsets are bytes
 * @param complete false when only the beginning of the body has arrived
 * @returns undefined when more of the text is needed
 */
export function analyseStatement(text: string, complete: boolean): Statement | undefined {
  const tokens = sqlTokens(text);
  const head: SqlToken[] = [];
  // `(SELECT ...) UNION ALL ...`: the first word decides. Not a loop over `tokens`: leaving one ends the generator.
  do {
    const next = tokens.next();
    if (next.done) break;
    head.push(next.value);
  } while (head.at(-1)?.type === 'open');
  const first = head.at(-1);
  if (first === undefined) {
    if (!complete) return undefined;
    throw clickHouseException('SYNTAX_ERROR', 'Syntax error: Empty query');
  }
  if (first.type === 'word' && first.text === 'INSERT') return analyseInsert(text, tokens, complete);
  if (!complete) return undefined;
  return analyseOther(text, head, tokens);
}

function analyseInsert(
  text: string,
  tokens: Generator<SqlToken, void>,
  complete: boolean,
): Statement | undefined {
  let depth = 0;
  let parenthesesOpenedSelect = false;
  let settingsStart: number | undefined;
  let previous: SqlToken | undefined;
  for (const token of tokens) {
    // The last token of an unfinished text may go on in what has not arrived yet.
    if (!complete && (token.end === text.length || !token.complete)) return undefined;
    if (token.type === 'open') depth += 1;
    else if (token.type === 'close') depth -= 1;
    else if (token.type === 'word' && depth > 0) {
      if (previous?.type === 'open' && (token.text === 'SELECT' || token.text === 'WITH')) {
        parenthesesOpenedSelect = true;
      }
    } else if (token.type === 'word' && previous?.text !== '.') {
      if (token.text === 'SELECT' || token.text === 'WITH' || token.text === 'WATCH') {
        return restOfWrite(tokens, complete);
      }
      if (token.text === 'FROM') {
        throw clickHouseException(
          'UNKNOWN_TYPE_OF_QUERY',
          'FROM INFILE is only for clients: send the data as the body',
        );
      }
      if (token.text === 'SETTINGS') settingsStart = token.start;
      if (token.text === 'VALUES' || token.text === 'FORMAT') {
        const settings =
          settingsStart === undefined ? {} : { settings: { start: settingsStart, end: token.start } };
        const headEnd = settingsStart ?? token.start;
        if (token.text === 'VALUES') {
          return { kind: 'insert-data', headEnd, ...settings, format: 'Values', dataStart: token.end };
        }
        const name = tokens.next().value;
        // `INSERT INTO format ...`: a table may be called so.
        if (name?.type === 'word') {
          if (!complete && name.end + 2 > text.length) return undefined;
          const format = text.slice(name.start, name.end);
          return { kind: 'insert-data', headEnd, ...settings, format, dataStart: skipToData(text, name.end) };
        }
        if (name === undefined && !complete) return undefined;
      }
    }
    if (token.type !== 'semicolon') previous = token;
  }
  if (!complete) return undefined;
  if (parenthesesOpenedSelect) return { kind: 'other', end: previous?.end ?? text.length, isRead: false };
  // No FORMAT: the request's default format tells how to read the data, which is the whole body.
  const end = previous?.end ?? text.length;
  const settings = settingsStart === undefined ? {} : { settings: { start: settingsStart, end } };
  return { kind: 'insert-data', headEnd: settingsStart ?? end, ...settings, dataStart: text.length };
}

/** Where data begins after `FORMAT name`: after spaces and one line break, as ClickHouse's parser has it. */
function skipToData(text: string, from: number): number {
  let position = from;
  while (' \t\f'.includes(text.charAt(position)) && position < text.length) position += 1;
  if (text.charAt(position) === ';') position += 1;
  if (text.charAt(position) === '\r') position += 1;
  if (text.charAt(position) === '\n') position += 1;
  return position;
}

function restOfWrite(tokens: Generator<SqlToken, void>, complete: boolean): Statement | undefined {
  if (!complete) return undefined;
  const rest = [...tokens];
  rejectSeveralStatements(rest);
  return { kind: 'other', end: endOf(rest), isRead: false };
}

function analyseOther(text: string, head: SqlToken[], tokens: Generator<SqlToken, void>): Statement {
  const all = [...head, ...tokens];
  rejectSeveralStatements(all);
  const end = endOf(all);
  const words = all.slice(0, 4).filter((token) => token.type === 'word');
  const first = head.at(-1)?.text ?? '';
  const isTemporary = words.slice(1, 4).some((token) => token.text === 'TEMPORARY');
  if (first === 'SET' || first === 'USE' || (isTemporary && (first === 'CREATE' || first === 'REPLACE'))) {
    return { kind: 'session', end };
  }
  const format = findFormat(text, all);
  const isSelect = first === 'SELECT' || first === 'FROM' || (first === 'WITH' && !hasTopLevelInsert(all));
  if (isSelect) return { kind: 'select', end, ...(format && { format }) };
  return { kind: 'other', end, isRead: readers.has(first), ...(format && { format }) };
}

/** The FORMAT clause that ends a query, possibly followed by SETTINGS. */
function findFormat(text: string, tokens: readonly SqlToken[]): { name: string; start: number } | undefined {
  let depth = 0;
  let found: { name: string; start: number } | undefined;
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'open') depth += 1;
    if (token.type === 'close') depth -= 1;
    if (depth > 0 || token.type !== 'word') continue;
    if (token.text === 'OUTFILE' && tokens[index - 1]?.text === 'INTO') {
      throw clickHouseException('INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed');
    }
    if (token.text !== 'FORMAT') continue;
    const before = tokens[index - 1];
    const name = tokens[index + 1];
    const after = tokens[index + 2];
    const endsThere = after === undefined || after.type === 'semicolon' || after.text === 'SETTINGS';
    if (name?.type === 'word' && name.text !== 'SETTINGS' && endsThere && mayEndQuery(before)) {
      found = { name: text.slice(name.start, name.end), start: token.start };
    }
  }
  return found;
}

/** After these a name is expected, so `format` there is a table or a column that is called so. */
const expectName = new Set([
  'FROM',
  'JOIN',
  'TABLE',
  'SELECT',
  'AS',
  'BY',
  'WHERE',
  'AND',
  'OR',
  'ON',
  'IN',
  'NOT',
]);

function mayEndQuery(token: SqlToken | undefined): boolean {
  if (token === undefined) return false;
  if (token.type === 'word') return !expectName.has(token.text);
  return token.type !== 'open' && (token.type !== 'symbol' || token.text === '*');
}

function hasTopLevelInsert(tokens: readonly SqlToken[]): boolean {
  let depth = 0;
  return tokens.some((token) => {
    if (token.type === 'open') depth += 1;
    if (token.type === 'close') depth -= 1;
    return depth === 0 && token.type === 'word' && token.text === 'INSERT';
  });
}

/** ClickHouse takes one statement a request; the engine alone would run them all and answer with the last. */
function rejectSeveralStatements(tokens: readonly SqlToken[]): void {
  const semicolon = tokens.findIndex((token) => token.type === 'semicolon');
  if (semicolon !== -1 && tokens.slice(semicolon).some((token) => token.type !== 'semicolon')) {
    throw clickHouseException('SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed)');
  }
}

/** The end of the statement proper: semicolons and comments may follow. */
function endOf(tokens: readonly SqlToken[]): number {
  return tokens.findLast((token) => token.type !== 'semicolon')?.end ?? 0;
}
