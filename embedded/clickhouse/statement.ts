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
        return complete ? { kind: 'other', end: scan(text, tokens).end, isRead: false } : undefined;
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

function analyseOther(text: string, head: readonly SqlToken[], tokens: Generator<SqlToken, void>): Statement {
  const scanned = scan(text, chain(head, tokens));
  const { end, format, firstWords } = scanned;
  const first = head.at(-1)?.text ?? '';
  const isTemporary = firstWords.slice(1).includes('TEMPORARY');
  if (first === 'SET' || first === 'USE' || (isTemporary && (first === 'CREATE' || first === 'REPLACE'))) {
    return { kind: 'session', end };
  }
  const isSelect = first === 'SELECT' || first === 'FROM' || (first === 'WITH' && !scanned.hasInsert);
  if (isSelect) return { kind: 'select', end, ...(format && { format }) };
  return { kind: 'other', end, isRead: readers.has(first), ...(format && { format }) };
}

function* chain(head: readonly SqlToken[], tokens: Generator<SqlToken, void>): Generator<SqlToken, void> {
  yield* head;
  yield* tokens;
}

interface Scanned {
  /** The end of the statement proper: semicolons and comments may follow. */
  end: number;
  /** The FORMAT clause that ends a query, possibly followed by SETTINGS. */
  format?: { name: string; start: number };
  /** True for `WITH ... INSERT`. */
  hasInsert: boolean;
  firstWords: string[];
}

/** Goes through a statement to its end, keeping no more than the last tokens: some have millions of them. */
function scan(text: string, tokens: Generator<SqlToken, void>): Scanned {
  const scanned: Scanned = { end: 0, hasInsert: false, firstWords: [] };
  let last: (SqlToken | undefined)[] = [];
  let depth = 0;
  let hasEnded = false;
  for (;;) {
    const token = tokens.next().value ?? undefined;
    if (depth === 0) {
      const format = formatClause(text, last, token);
      if (format) scanned.format = format;
    }
    if (token === undefined) return scanned;
    if (token.type === 'semicolon') hasEnded = true;
    else if (hasEnded) {
      // The engine would run them all and answer with the last.
      throw clickHouseException('SYNTAX_ERROR', 'Syntax error (Multi-statements are not allowed)');
    } else scanned.end = token.end;
    if (token.type === 'open') depth += 1;
    if (token.type === 'close') depth -= 1;
    if (token.type === 'word' && scanned.firstWords.length < 4) scanned.firstWords.push(token.text);
    if (token.type === 'word' && depth === 0) {
      if (token.text === 'INSERT') scanned.hasInsert = true;
      if (token.text === 'OUTFILE' && last.at(-1)?.text === 'INTO') {
        throw clickHouseException('INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed');
      }
    }
    last = [...last.slice(-2), token];
  }
}

/** The FORMAT clause in the last three tokens, where `after` does not go on with something else. */
function formatClause(
  text: string,
  [before, keyword, name]: readonly (SqlToken | undefined)[],
  after: SqlToken | undefined,
): { name: string; start: number } | undefined {
  const endsThere = after === undefined || after.type === 'semicolon' || after.text === 'SETTINGS';
  const isClause = keyword?.type === 'word' && keyword.text === 'FORMAT' && mayEndQuery(before);
  if (!endsThere || !isClause || name?.type !== 'word' || name.text === 'SETTINGS') return undefined;
  return { name: text.slice(name.start, name.end), start: keyword.start };
}

/** After these a name is expected, so `format` there is a table or a column that is called so. */
const expectName = new Set('FROM JOIN TABLE SELECT AS BY WHERE AND OR ON IN NOT'.split(' '));

function mayEndQuery(token: SqlToken | undefined): boolean {
  if (token === undefined) return false;
  if (token.type === 'word') return !expectName.has(token.text);
  return token.type !== 'open' && (token.type !== 'symbol' || token.text === '*');
}
