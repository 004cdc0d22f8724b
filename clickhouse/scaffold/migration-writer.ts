import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PipelineError, codeOf, messageOf } from '../../core/errors.ts';
import { loadMigrations, migrationsFolder } from '../migration-files.ts';
import type { PlannedMigration } from './plan-migrations.ts';

/** A planned migration under the number it gets. */
export interface NumberedMigration extends PlannedMigration {
  /** `0008_raw_orders.sql` */
  file: string;
}

/** Gives the migrations the numbers after the last one of the folder. */
export function numberMigrations(migrations: readonly PlannedMigration[]): NumberedMigration[] {
  const next = loadMigrations().length + 1;
  return migrations.map((migration, index) => ({
    ...migration,
    file: `${String(next + index).padStart(4, '0')}_${migration.name}.sql`,
  }));
}

/**
 * Writes new files; one that is there already is never touched.
 *
 * @throws PipelineError `MIGRATION_NOT_WRITTEN`: those before the named one are written
 */
export function writeMigrations(migrations: readonly NumberedMigration[]): void {
  for (const { file, sql } of migrations) {
    const at = path.join(migrationsFolder, file);
    try {
      writeFileSync(at, sql, { flag: 'wx' });
    } catch (error) {
      // Half a file would be half a statement.
      if (codeOf(error) !== 'EEXIST') rmSync(at, { force: true });
      throw new PipelineError('MIGRATION_NOT_WRITTEN', {
        what: `The migration can not be written: ${messageOf(error)}`,
        where: at,
        todo: 'Make room or correct the rights, and run the command again: it goes on where it stopped.',
        cause: error,
      });
    }
  }
}
