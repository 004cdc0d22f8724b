import { describe, expect, it } from 'vitest';
import type { Migration } from '../../../clickhouse/migration-files.ts';
import { pendingMigrations } from '../../../clickhouse/migration-plan.ts';
import { PipelineError } from '../../../core/errors.ts';

const migration = (name: string, checksum = name, chain = checksum): Migration => ({
  name,
  checksum,
  chain,
  statement: 'SELECT 1',
});
const [a, b, c] = [migration('0001_a'), migration('0002_b'), migration('0003_c')];

function refusal(files: readonly Migration[], applied: readonly Migration[]): PipelineError {
  try {
    pendingMigrations(files, applied);
  } catch (error) {
    if (error instanceof PipelineError) return error;
  }
  throw new Error('was not refused');
}

describe('pendingMigrations', () => {
  it('returns what follows the applied ones', () => {
    expect(pendingMigrations([a, b, c], [a])).toEqual([b, c]);
    expect(pendingMigrations([a, b, c], [a, b, c])).toEqual([]);
    expect(pendingMigrations([a], [])).toEqual([a]);
  });

  it.each([
    ['an edited file', [a, migration('0002_b', 'other')], [a, b], '0002_b.sql was edited', '0002_b.sql'],
    ['a missing file', [a, c], [a, b, c], '0002_b.sql has no file', '0002_b.sql'],
    ['a missing last file', [a], [a, b], '0002_b.sql has no file', '0002_b.sql'],
    [
      'a renamed file',
      [a, migration('0002_x', b.checksum)],
      [a, b],
      'is now called 0002_x.sql',
      '0002_x.sql',
    ],
    [
      'a file before an applied one',
      [a, migration('0002_new'), migration('0003_b'), c],
      [a, migration('0003_b')],
      '0002_new.sql comes before 0003_b.sql',
      '0002_new.sql',
    ],
    [
      'a record that does not follow from the ones before it',
      [a, b],
      [a, migration('0002_b', b.checksum, 'forged')],
      'The record of 0002_b',
      'schema_migrations',
    ],
  ])('refuses %s', (_, files, applied, what, where) => {
    const error = refusal(files, applied);
    expect(error.code).toBe('MIGRATION_HISTORY');
    expect(error.message).toContain(what);
    expect(error.where).toContain(where);
  });
});
