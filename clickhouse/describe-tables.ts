import { z } from 'zod';
import { PipelineError, messageOf } from '../core/errors.ts';
import { parseWith } from '../core/parse.ts';
import type { Migration } from './migration-files.ts';

const columnSchema = z.object({
  name: z.string(),
  type: z.string(),
  comment: z.string(),
  /** Empty, `DEFAULT`, `MATERIALIZED`, `ALIAS` or `EPHEMERAL`. */
  defaultKind: z.string(),
  isInPartitionKey: z.coerce.boolean(),
  isInSortingKey: z.coerce.boolean(),
});

/** Tables and views by name, each with its columns in their order. */
export const tablesSchema = z.record(z.string(), z.array(columnSchema));

export type DescribedColumn = z.infer<typeof columnSchema>;
export type DescribedTables = z.infer<typeof tablesSchema>;

/** What {@link toTables} reads. */
export const describeStatement = `
  SELECT table, name, type, comment, default_kind AS defaultKind,
         is_in_partition_key AS isInPartitionKey, is_in_sorting_key AS isInSortingKey
  FROM system.columns WHERE database = currentDatabase() ORDER BY table, position`;

/** @param where the address that answered, for messages */
export function toTables(rows: readonly unknown[], where: string): DescribedTables {
  const what = 'ClickHouse described its tables in an unknown form';
  const parsed = parseWith(z.array(columnSchema.extend({ table: z.string() })), rows, what, where);
  const tables: DescribedTables = {};
  for (const { table, ...column } of parsed) (tables[table] ??= []).push(column);
  return tables;
}

/**
 * The tables and views that the migrations make: applied to an empty engine and read back, so that no SQL has to be
 * understood here.
 *
 * @throws PipelineError `MIGRATION_FAILED` naming the migration
 */
export function describeMigrated(
  migrations: readonly Pick<Migration, 'name' | 'statement'>[],
  run: (sql: string) => readonly unknown[],
): DescribedTables {
  for (const { name, statement } of migrations) {
    try {
      run(statement);
    } catch (error) {
      throw new PipelineError('MIGRATION_FAILED', {
        what: `The migration ${name}.sql failed: ${messageOf(error)}`,
        where: `clickhouse/migrations/${name}.sql`,
        todo: 'Correct it; it can not be applied to an empty ClickHouse.',
        cause: error,
      });
    }
  }
  return toTables(run(describeStatement), 'the throw-away engine');
}
