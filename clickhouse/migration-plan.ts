import { PipelineError } from '../core/errors.ts';
import type { Migration, MigrationIdentity } from './migration-files.ts';

/**
 * What is still to be applied. What was applied must be the beginning of the files, unchanged.
 *
 * @throws PipelineError `MIGRATION_HISTORY` naming the first file that is edited, missing, renamed or out of order
 */
export function pendingMigrations(
  files: readonly Migration[],
  applied: readonly MigrationIdentity[],
): Migration[] {
  for (const [index, done] of applied.entries()) {
    const file = files[index];
    if (file?.name !== done.name) throw divergence(files, applied, index);
    if (file.checksum !== done.checksum) {
      throw historyError(
        `The migration ${file.name}.sql was edited after it was applied`,
        `clickhouse/migrations/${file.name}.sql`,
        'Restore the file, and put the change into a new migration.',
      );
    }
    if (file.chain !== done.chain) {
      throw historyError(
        `The record of ${file.name} does not follow from the ones before it: applied migrations were removed or changed`,
        'table schema_migrations',
        'Restore the table from a backup, or start with an empty database.',
      );
    }
  }
  return files.slice(applied.length);
}

function divergence(
  files: readonly Migration[],
  applied: readonly MigrationIdentity[],
  index: number,
): PipelineError {
  const done = applied[index]?.name ?? '';
  const file = files[index]?.name ?? '';
  if (files.some(({ name }) => name === done)) {
    return historyError(
      `The migration ${file}.sql comes before ${done}.sql, which is applied already`,
      `clickhouse/migrations/${file}.sql`,
      'Give it a number after the last applied one.',
    );
  }
  const sameNumber = file.slice(0, 4) === done.slice(0, 4) && !applied.some(({ name }) => name === file);
  if (sameNumber) {
    return historyError(
      `The applied migration ${done}.sql is now called ${file}.sql`,
      `clickhouse/migrations/${file}.sql`,
      `Name it ${done}.sql again, or restore the original and add yours with a new number.`,
    );
  }
  return historyError(
    `The applied migration ${done}.sql has no file`,
    `clickhouse/migrations/${done}.sql`,
    'Restore the file: this checkout may be older than the database.',
  );
}

function historyError(what: string, where: string, todo: string): PipelineError {
  return new PipelineError('MIGRATION_HISTORY', { what, where, todo });
}
