import { describe, expect, it } from 'vitest';
import { splitStatements } from '../../../clickhouse/sql-statements.ts';

describe('splitStatements', () => {
  it('splits at semicolons and drops what is empty or only a comment', () => {
    expect(splitStatements('SELECT 1;\n;\nSELECT 2; -- done\n/* ; */\n')).toEqual(['SELECT 1', 'SELECT 2']);
  });

  it('takes a file that ends without a semicolon for one statement, its comments included', () => {
    expect(splitStatements('-- why; because\nSELECT 1\n')).toEqual(['-- why; because\nSELECT 1']);
  });

  it.each([
    ['a string', "SELECT 'a;b'"],
    ['a string with an escaped quote', String.raw`SELECT 'a\';b'`],
    ['a string with a doubled quote', "SELECT 'it''s;'"],
    ['a string that ends in a backslash', String.raw`SELECT 'a\\' AS x`],
    ['a string over lines', "SELECT 'a;\nb'"],
    ['a quoted identifier', 'SELECT 1 AS "a;b"'],
    ['a backquoted identifier', 'SELECT 1 AS `a;b`'],
    ['a heredoc', "SELECT $tag$ ; ' $$ $tag$"],
    ['a line comment', 'SELECT 1 -- a; b'],
    ['a hash comment', 'SELECT 1 # a; b'],
    ['a double slash comment', 'SELECT 1 // a; b'],
    ['a block comment', 'SELECT 1 /* a; b */'],
    ['a nested block comment', 'SELECT 1 /* a /* ; */ ; */ + 1'],
    ['a quote in a comment', "SELECT 1 -- it's; fine"],
    ['a comment opening in a string', "SELECT '--;' , '/*;'"],
    ['an identifier with dollars', 'SELECT 1 AS a$b$'],
  ])('does not split within %s', (_, sql) => {
    expect(splitStatements(sql)).toEqual([sql]);
  });

  it('splits after a string that ends in an escaped backslash', () => {
    expect(splitStatements(String.raw`SELECT 'a\\'; SELECT 2`)).toHaveLength(2);
  });

  it('splits between dollars that are part of words', () => {
    expect(splitStatements('SELECT 1 AS a$b$; SELECT 2 AS c$b$')).toHaveLength(2);
  });

  it.each([
    ["SELECT 1;\nSELECT 'a", "line 2: a ' is never closed"],
    ['SELECT `a', 'line 1: a ` is never closed'],
    ['SELECT 1\n\n/* /* */', 'line 3: a comment is never closed'],
  ])('refuses %j', (sql, message) => {
    expect(() => splitStatements(sql)).toThrow(message);
  });
});
