import { describe, expect, it } from 'vitest';
import { loadMigrations } from '../../../clickhouse/migration-files.ts';
import { placeStatement } from '../../../clickhouse/placement.ts';

const replicated = { engines: 'replicated', cluster: 'main' } as const;
const statementOf = (name: string) => loadMigrations().find((one) => one.name === name)?.statement ?? '';

describe('placeStatement', () => {
  it('leaves every migration as it is written for one server', () => {
    for (const { statement } of loadMigrations()) {
      expect(placeStatement(statement, {})).toBe(statement);
      expect(placeStatement(statement, { engines: 'local', cluster: '' })).toBe(statement);
    }
  });

  it('creates raw tables replicated, on the whole cluster, with the window of replicated tables', () => {
    const placed = placeStatement(statementOf('0001_raw_customers'), replicated);
    expect(placed).toContain("CREATE TABLE IF NOT EXISTS raw_customers ON CLUSTER 'main'\n(");
    expect(placed).toContain('\nENGINE = ReplicatedReplacingMergeTree\n');
    expect(placed).toContain('\nSETTINGS replicated_deduplication_window = 10000\n');
    // What the comments say of it is not code.
    expect(placed).not.toContain('non_replicated');
  });

  it('keeps the ledger without a window, which replicated tables have by default', () => {
    for (const engines of ['replicated', 'shared'] as const) {
      const placed = placeStatement(statementOf('0004_ledger'), { engines });
      expect(placed).toMatch(
        /ORDER BY \(topic, partition, hour\)\nSETTINGS replicated_deduplication_window = 0\nCOMMENT 'Distinct/,
      );
      expect(placed.includes('ReplicatedAggregatingMergeTree')).toBe(engines === 'replicated');
      expect(placed).not.toContain('ON CLUSTER');
    }
  });

  it('changes every migration on a cluster, and none of them twice', () => {
    for (const { name, statement } of loadMigrations()) {
      const placed = placeStatement(statement, replicated);
      expect(placed.match(/ ON CLUSTER 'main'/g), name).toHaveLength(1);
      expect(placed, name).not.toMatch(/ENGINE = (?!Replicated)\w*MergeTree/);
      expect(placed.match(/Replicated\w*MergeTree/g)?.length ?? 0, name).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    ['DROP TABLE IF EXISTS `a b`', "DROP TABLE IF EXISTS `a b` ON CLUSTER 'main'"],
    ['RENAME TABLE a TO `b`', "RENAME TABLE a TO `b` ON CLUSTER 'main'"],
    ['CREATE DATABASE IF NOT EXISTS `x`', "CREATE DATABASE IF NOT EXISTS `x` ON CLUSTER 'main'"],
    ['ALTER TABLE t MODIFY COLUMN a Int64', "ALTER TABLE t ON CLUSTER 'main' MODIFY COLUMN a Int64"],
    ['SELECT 1', 'SELECT 1'],
    [
      "CREATE TABLE t (a String COMMENT 'ENGINE = MergeTree') /* ENGINE = Log */ ENGINE = MergeTree ORDER BY a",
      "CREATE TABLE t ON CLUSTER 'main' (a String COMMENT 'ENGINE = MergeTree') /* ENGINE = Log */ ENGINE = ReplicatedMergeTree ORDER BY a\nSETTINGS replicated_deduplication_window = 0",
    ],
    [
      'CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 1',
      "CREATE TABLE t ON CLUSTER 'main' (a Int8) ENGINE = ReplicatedMergeTree ORDER BY a SETTINGS replicated_deduplication_window = 0, index_granularity = 1",
    ],
    [
      'CREATE TABLE t (a Int8) ENGINE = ReplicatedMergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 5',
      "CREATE TABLE t ON CLUSTER 'main' (a Int8) ENGINE = ReplicatedMergeTree ORDER BY a SETTINGS replicated_deduplication_window = 5",
    ],
    ['CREATE TABLE t (a Int8) ENGINE = Memory', "CREATE TABLE t ON CLUSTER 'main' (a Int8) ENGINE = Memory"],
  ])('places %s', (statement, expected) => {
    expect(placeStatement(statement, replicated)).toBe(expected);
  });
});
