/**
 * What ClickHouse's lexer knows that may hide or hold a semicolon: line comments (`--`, `//`, `# `, `#!`),
 * the opening of a block comment, quoted text with backslash escapes (a doubled quote reads as two strings,
 * which ends in the same place), heredocs (`$tag$ ... $tag$`) and words, which may contain a `$`.
 */
const token = new RegExp(
  [
    String.raw`(?<comment>(?:--|//|#[ !])[^\n]*)`,
    String.raw`(?<block>/\*)`,
    String.raw`(?<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|` + '`(?:[^`\\\\]|\\\\.)*`)',
    String.raw`(?<heredoc>\$(?<tag>\w*)\$.*?\$\k<tag>\$)`,
    String.raw`(?<open>['"` + '`])',
    String.raw`(?<word>\w[\w$]*)`,
    String.raw`(?<space>\s+)`,
    '(?<end>;)',
    '(?<other>.)',
  ].join('|'),
  'suy',
);

/**
 * Splits a file into its statements, as ClickHouse's own lexer would; comments alone are no statement.
 *
 * @throws SyntaxError when a string or a comment does not end
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let hasCode = false;
  const finish = (end: number) => {
    if (hasCode) statements.push(sql.slice(start, end).trim());
    start = end + 1;
    hasCode = false;
  };
  for (let at = 0; at < sql.length;) {
    token.lastIndex = at;
    const found = token.exec(sql);
    const { comment, block, open, space, end } = found?.groups ?? {};
    if (open !== undefined) throw new SyntaxError(`line ${lineOf(sql, at)}: a ${open} is never closed`);
    if (end !== undefined) finish(at);
    else if (comment === undefined && block === undefined && space === undefined) hasCode = true;
    at = block === undefined ? token.lastIndex : endOfBlockComment(sql, at);
  }
  finish(sql.length);
  return statements;
}

/**
 * The statement with spaces for its comments and quoted text: of the same length, so that what is found in it stands
 * in the same place of the statement. Names in backticks stay.
 */
export function codeOnly(sql: string): string {
  let code = '';
  for (let at = 0; at < sql.length;) {
    token.lastIndex = at;
    const { comment, block, quoted, heredoc } = token.exec(sql)?.groups ?? {};
    const end = block === undefined ? token.lastIndex : endOfBlockComment(sql, at);
    const isCode = (comment ?? block ?? heredoc) === undefined && (quoted?.startsWith('`') ?? true);
    code += isCode ? sql.slice(at, end) : ' '.repeat(end - at);
    at = end;
  }
  return code;
}

/** Block comments nest. */
function endOfBlockComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  for (let depth = 0, found = edge.exec(sql); found !== null; found = edge.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  throw new SyntaxError(`line ${lineOf(sql, start)}: a comment is never closed`);
}

function lineOf(sql: string, position: number): number {
  return sql.slice(0, position).split('\n').length;
}
