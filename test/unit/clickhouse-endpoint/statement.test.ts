import { describe, expect, test } from 'vitest';
import { sqlTokens } from '../../../embedded/clickhouse/sql-tokens.ts';
import { analyseStatement, isRead } from '../../../embedded/clickhouse/statement.ts';

const analyse = (text: string) => {
  const statement = analyseStatement(text, true);
  if (statement === undefined) throw new Error('More text was asked for');
  return statement;
};

describe('tokens', () => {
  test('leave out comments and keep strings and quoted names whole', () => {
    const text =
      "SELECT 'it''s \\' -- no comment', `a``b`, \"c;d\", $tag$ '; $tag$ /* ; */ -- ;\n# ;\n#! ;\n;";
    expect([...sqlTokens(text)].map(({ type, text: found }) => `${type} ${found}`)).toEqual([
      'word SELECT',
      "string 'it''s \\' -- no comment'",
      'symbol ,',
      'quoted `a``b`',
      'symbol ,',
      'quoted "c;d"',
      'symbol ,',
      "string $tag$ '; $tag$",
      'semicolon ;',
    ]);
  });

  test('know when the text ends in the middle of one', () => {
    expect([...sqlTokens("SELECT 'abc")].at(-1)).toMatchObject({ type: 'string', complete: false });
    expect([...sqlTokens('SELECT 1 /* never closed')]).toHaveLength(2);
  });
});

describe('the kind of a statement', () => {
  test.each([
    ['SELECT 1', 'select', true],
    ['  /* a */ with 1 as x select x', 'select', true],
    ['((SELECT 1)) UNION ALL (SELECT 2)', 'select', true],
    ['FROM t SELECT *', 'select', true],
    ['SHOW TABLES', 'other', true],
    ['explain select 1', 'other', true],
    ['CREATE TABLE t (x Int8) ENGINE = Memory', 'other', false],
    ['ALTER TABLE t ADD COLUMN y Int8', 'other', false],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', 'other', false],
    ['INSERT INTO t SELECT 1', 'other', false],
    ['INSERT INTO t (a, b) (SELECT 1, 2)', 'other', false],
    ['SET a = 1', 'session', true],
    ['USE db', 'session', true],
    ['CREATE TEMPORARY TABLE t (x Int8)', 'session', true],
    ['CREATE OR REPLACE TEMPORARY TABLE t (x Int8)', 'session', true],
    ['INSERT INTO t VALUES (1)', 'insert-data', false],
    ["INSERT INTO FUNCTION file('x', 'CSV') VALUES (1)", 'insert-data', false],
  ])('%s', (text, kind, read) => {
    const statement = analyse(text);
    expect([statement.kind, isRead(statement)]).toEqual([kind, read]);
  });
});

describe('the FORMAT clause', () => {
  test.each([
    ['SELECT 1 FORMAT JSON', 'JSON'],
    ['SELECT 1 format TSV;', 'TSV'],
    ['SELECT 1 FORMAT JSON SETTINGS a = 1', 'JSON'],
    ['SELECT 1 SETTINGS a = 1 FORMAT JSON', 'JSON'],
    ['SELECT * FORMAT CSV', 'CSV'],
    ['SELECT a FROM (SELECT 1 AS a) FORMAT CSV -- x', 'CSV'],
    ['SELECT 1 AS format', undefined],
    ['SELECT format FROM t', undefined],
    ['SELECT * FROM format f', undefined],
    ['SELECT format SETTINGS a = 1', undefined],
    ["SELECT ' FORMAT JSON'", undefined],
    ["SELECT format('{}', 1)", undefined],
  ])('%s', (text, expected) => {
    const statement = analyse(text);
    expect(
      'format' in statement && typeof statement.format === 'object' ? statement.format.name : undefined,
    ).toBe(expected);
  });
});

describe('where the data of an INSERT begins', () => {
  test.each([
    ['INSERT INTO t FORMAT CSV 1,2', '1,2', 'CSV', 'INSERT INTO t '],
    ['INSERT INTO t FORMAT CSV\n1,2', '1,2', 'CSV', 'INSERT INTO t '],
    ['INSERT INTO t FORMAT TSV\n\n1', '\n1', 'TSV', 'INSERT INTO t '],
    ['INSERT INTO t FORMAT TSV \t\r\n\t1', '\t1', 'TSV', 'INSERT INTO t '],
    ['INSERT INTO t (a, b) VALUES (1, 2)', ' (1, 2)', 'Values', 'INSERT INTO t (a, b) '],
    ['insert into t(a)values(1)', '(1)', 'Values', 'insert into t(a)'],
    ["INSERT INTO t SETTINGS x = 'VALUES' FORMAT CSV 1", '1', 'CSV', 'INSERT INTO t '],
    ['INSERT INTO `VALUES` FORMAT CSV 1', '1', 'CSV', 'INSERT INTO `VALUES` '],
    ['INSERT INTO db.format FORMAT CSV 1', '1', 'CSV', 'INSERT INTO db.format '],
    ['INSERT INTO t (format) FORMAT CSV 1', '1', 'CSV', 'INSERT INTO t (format) '],
  ])('%j', (text, data, format, head) => {
    const statement = analyse(text);
    if (statement.kind !== 'insert-data') throw new Error(`It was taken for ${statement.kind}`);
    expect([text.slice(statement.dataStart), statement.format, text.slice(0, statement.headEnd)]).toEqual([
      data,
      format,
      head,
    ]);
  });

  test('is found however little of the text has arrived, and never too early', () => {
    const text = "/* c */ INSERT INTO t (a, b) SETTINGS x = 'FORMAT CSV' FORMAT RowBinary\n\n\0data";
    const whole = analyse(text);
    for (let length = 0; length < text.length; length += 1) {
      const statement = analyseStatement(text.slice(0, length), false);
      if (statement !== undefined) expect(statement).toEqual(whole);
    }
    expect(analyseStatement(text.slice(0, text.length - 2), false)).toEqual(whole);
  });
});

describe('what is refused', () => {
  test.each([
    ['SELECT 1; SELECT 2', 62],
    ['DROP TABLE a; DROP TABLE b', 62],
    ['   ', 62],
    ['-- only a comment', 62],
    ["SELECT 1 INTO OUTFILE 'x'", 113],
    ["INSERT INTO t FROM INFILE 'x' FORMAT CSV", 78],
  ])('%s', (text, code) => {
    expect(() => analyse(text)).toThrow(expect.objectContaining({ code }) as Error);
  });

  test('but semicolons at the end are not', () => {
    expect(analyse('SELECT 1 ; -- x\n;')).toMatchObject({ kind: 'select', end: 'SELECT 1'.length });
  });
});
