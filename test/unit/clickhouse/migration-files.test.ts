import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadMigrations } from '../../../clickhouse/migration-files.ts';
import { InvalidInputError } from '../../../core/errors.ts';

const folders: string[] = [];

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

function problemsOf(files: Record<string, string>): string[] {
  try {
    loadMigrations(folderOf(files));
  } catch (error) {
    if (error instanceof InvalidInputError) {
      return error.problems.map(({ path: at, message }) => `${at}: ${message}`);
    }
    throw error;
  }
  return [];
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('loadMigrations', () => {
  it('reads the files in the order of their numbers and ignores everything else', () => {
    const folder = folderOf({ '0002_b.sql': 'SELECT 2;', '0001_a.sql': 'SELECT 1\n', 'README.md': '' });
    expect(loadMigrations(folder).map(({ name, statement }) => [name, statement])).toEqual([
      ['0001_a', 'SELECT 1'],
      ['0002_b', 'SELECT 2'],
    ]);
  });

  it('gives a file the same checksum whatever its line endings', () => {
    const [unix] = loadMigrations(folderOf({ '0001_a.sql': 'SELECT\n1\n' }));
    const [windows] = loadMigrations(folderOf({ '0001_a.sql': 'SELECT\r\n1\r\n' }));
    expect(windows).toEqual(unix);
  });

  it('changes the chain of every later file when an earlier one changes', () => {
    const [, before] = loadMigrations(folderOf({ '0001_a.sql': 'SELECT 1', '0002_b.sql': 'SELECT 2' }));
    const [, after] = loadMigrations(folderOf({ '0001_a.sql': 'SELECT 9', '0002_b.sql': 'SELECT 2' }));
    expect(after?.checksum).toBe(before?.checksum);
    expect(after?.chain).not.toBe(before?.chain);
  });

  it('reports every misnamed, misnumbered and malformed file at once', () => {
    expect(
      problemsOf({
        '0001_a.sql': 'SELECT 1; SELECT 2',
        '0003_c.sql': 'SELECT 3',
        '0003_d.sql': "SELECT 'x",
        '0004_e.sql': '-- nothing\n',
        'five.sql': 'SELECT 5',
      }),
    ).toEqual([
      '0001_a.sql: holds 2 statements; a migration is exactly one, so that it either happened or did not',
      '0003_c.sql: expected number 0002: a file is missing, or this one has the wrong number',
      '0003_d.sql: has the same number as 0003_c.sql',
      "0003_d.sql: line 1: a ' is never closed",
      '0004_e.sql: holds 0 statements; a migration is exactly one, so that it either happened or did not',
      'five.sql: expected a name such as 0001_raw_customers.sql',
    ]);
  });
});

describe('the migrations of the project', () => {
  const migrations = loadMigrations();

  it('can each be applied again, in case recording them failed', () => {
    for (const { name, statement } of migrations) {
      expect([name, /\bIF (NOT )?EXISTS\b/.test(statement)]).toEqual([name, true]);
    }
  });

  it('name no database, so that CLICKHOUSE_DATABASE decides', () => {
    for (const { statement } of migrations) {
      expect(statement).not.toMatch(/\b(EXISTS|TO|FROM|JOIN) +[`"]?\w+[`"]?\./);
    }
  });
});
