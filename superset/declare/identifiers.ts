/** Words of ClickHouse SQL that may stand in an expression without being columns. */
const keywords = new Set(
  'and or not in is null as between like ilike case when then else end distinct interval day hour minute second month year week quarter true false div mod'.split(
    ' ',
  ),
);

/**
 * The columns that an expression reads: its names that are neither functions, keywords, literals nor placeholders.
 * Expressions of the declarations have no lambdas, aliases or subqueries of their own.
 */
export function columnsRead(expression: string): string[] {
  const bare = expression.replace(/'(?:[^'\\]|\\.|'')*'/g, "''").replace(/\{\w+\}/g, '1');
  const names = [...bare.matchAll(/(?<![\w.])([A-Za-z_]\w*)\b(?!\s*\()/g)].map(([, name = '']) => name);
  return [...new Set(names.filter((name) => !keywords.has(name.toLowerCase())))];
}
