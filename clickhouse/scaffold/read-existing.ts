import type { DescribedTables } from '../describe-tables.ts';
import type { ExistingTable } from './plan-migrations.ts';

/** The tables as the plan compares them, by name. */
export function toExisting(tables: DescribedTables): Map<string, ExistingTable> {
  return new Map(
    Object.entries(tables).map(([table, columns]) => [
      table,
      {
        columns: columns.map(({ name, type, comment, defaultKind, isInPartitionKey, isInSortingKey }) => ({
          name,
          type,
          comment,
          hasDefault: defaultKind !== '',
          isInKey: isInPartitionKey || isInSortingKey,
        })),
      },
    ]),
  );
}
