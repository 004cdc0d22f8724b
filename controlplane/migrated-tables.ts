import { loadMigrations, type Migration } from '../clickhouse/migration-files.ts';

const statementPattern =
  /^(?:\s*--[^\n]*\n)*\s*(CREATE|DROP)\s+TABLE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?[`"]?(\w+)/i;

/** The tables that exist once the migrations are applied. */
export function migratedTables(
  migrations: readonly Pick<Migration, 'statement'>[] = loadMigrations(),
): ReadonlySet<string> {
  const tables = new Set<string>();
  for (const { statement } of migrations) {
    const [, verb = '', table = ''] = statementPattern.exec(statement) ?? [];
    if (/create/i.test(verb)) tables.add(table);
    else if (/drop/i.test(verb)) tables.delete(table);
  }
  return tables;
}
