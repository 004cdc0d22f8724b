/** One token of a statement; comments and white space are not tokens. */
export interface SqlToken {
  type: 'word' | 'quoted' | 'string' | 'number' | 'open' | 'close' | 'semicolon' | 'symbol';
  /** The text, in upper case for words. */
  text: string;
  start: number;
  end: number;
  /** False for a string, quoted name or comment that the text ends in the middle of. */
  complete: boolean;
}

const patterns = {
  // Besides ASCII's, the UTF-8 bytes of the no-break space, the spaces of U+2000 and the byte order mark.
  space: /(?:[ \t\r\n\f\v\0]|\xc2\xa0|\xe2\x80[\x80-\x8f]|\xef\xbb\xbf)+/y,
  otherUnicode: /[\x80-\xff]+/y,
  // `#!` and `# ` begin a comment as in MySQL; a comment in /* */ does not nest.
  lineComment: /(?:--|#!|# )[^\n]*/y,
  blockComment: /\/\*[^]*?(\*\/|$)/y,
  word: /[A-Za-z_][\w$]*/y,
  number: /\d[\w.]*/y,
  string: /'(?:[^'\\]|\\[^]|'')*('|$)/y,
  doubleQuoted: /"(?:[^"\\]|\\[^]|"")*("|$)/y,
  backQuoted: /`(?:[^`\\]|\\[^]|``)*(`|$)/y,
  heredoc: /(\$\w*\$)[^]*?(\1|$)/y,
} as const;

/**
 * Splits a statement into tokens by ClickHouse's lexical rules, lazily: the data of an INSERT that follows the
 * statement is never looked at when the caller stops in time.
 *
 * @param text bytes, decoded as latin1: everything with a meaning here is ASCII, and offsets are bytes
 */
export function* sqlTokens(text: string): Generator<SqlToken, void> {
  let position = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = position;
    return pattern.exec(text);
  };
  while (position < text.length) {
    const skipped = match(patterns.space) ?? match(patterns.lineComment) ?? match(patterns.blockComment);
    if (skipped) {
      position += skipped[0].length;
      continue;
    }
    const token = nextToken(text, position, match);
    yield token;
    position = token.end;
  }
}

function nextToken(
  text: string,
  start: number,
  match: (pattern: RegExp) => RegExpExecArray | null,
): SqlToken {
  const character = text.charAt(start);
  const token = (type: SqlToken['type'], found: string, complete = true): SqlToken => ({
    type,
    text: type === 'word' ? found.toUpperCase() : found,
    start,
    end: start + found.length,
    complete,
  });
  const word = match(patterns.word);
  // A word or a number that touches the end may go on in what has not arrived yet: callers that care know it.
  if (word) return token('word', word[0]);
  const number = match(patterns.number);
  if (number) return token('number', number[0]);
  const string = match(patterns.string);
  if (string) return token('string', string[0], string[1] !== '');
  const quoted = match(patterns.doubleQuoted) ?? match(patterns.backQuoted);
  if (quoted) return token('quoted', quoted[0], quoted[1] !== '');
  const heredoc = match(patterns.heredoc);
  if (heredoc) return token('string', heredoc[0], heredoc[2] !== '');
  if (character === '(' || character === '[' || character === '{') return token('open', character);
  if (character === ')' || character === ']' || character === '}') return token('close', character);
  if (character === ';') return token('semicolon', character);
  return token('symbol', match(patterns.otherUnicode)?.[0] ?? character);
}

/** A value as a string literal of ClickHouse. */
export function quoteString(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name as a quoted identifier of ClickHouse. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
