import { expect, test } from 'vitest';
import { migratedTables } from '../../../controlplane/migrated-tables.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';

test('tables are followed through the migrations', () => {
  const statements = [
    '-- One row each.\n--\nCREATE TABLE IF NOT EXISTS raw_a (x String) ENGINE = Memory',
    'create table `raw_b` (x String) ENGINE = Memory',
    'CREATE MATERIALIZED VIEW IF NOT EXISTS ledger_a TO ledger AS SELECT 1',
    'ALTER TABLE raw_c ADD COLUMN y String',
    'DROP TABLE IF EXISTS raw_b',
  ];
  expect(migratedTables(statements.map((statement) => ({ statement })))).toEqual(new Set(['raw_a']));
});

test('the migrations create the raw table of every topic', () => {
  const tables = migratedTables();
  expect(loadCatalog().topics.filter(({ rawTable }) => !tables.has(rawTable))).toEqual([]);
});
