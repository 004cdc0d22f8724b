import { z } from 'zod';
import { parseWith } from '../../core/parse.ts';
import { createClickHouse, type ClickHouse } from '../client.ts';
import { migrate } from '../migrate.ts';
import type { ExistingColumn, ExistingTable } from './plan-migrations.ts';

const rowSchema = z.array(
  z.object({
    table: z.string(),
    name: z.string(),
    type: z.string(),
    comment: z.string(),
    hasDefault: z.number().transform(Boolean),
  }),
);

/**
 * Every table and view that the migrations make, by name: applied to an empty ClickHouse and read back, so that
 * no SQL has to be understood here.
 *
 * @param url of a ClickHouse that may be written to as `default`, without a password
 */
export async function readMigrated(url: string, signal?: AbortSignal): Promise<Map<string, ExistingTable>> {
  const target = { clickhouse: { url, user: 'default', password: '', database: 'scaffold' } };
  await migrate(target, signal === undefined ? {} : { signal });
  const clickhouse = createClickHouse(target);
  try {
    return await readTables(clickhouse, signal);
  } finally {
    await clickhouse.close();
  }
}

async function readTables(
  clickhouse: ClickHouse,
  signal: AbortSignal | undefined,
): Promise<Map<string, ExistingTable>> {
  const rows = await clickhouse.query(
    `SELECT table, name, type, comment, default_kind != '' AS hasDefault
     FROM system.columns WHERE database = currentDatabase() ORDER BY table, position`,
    signal === undefined ? {} : { signal },
  );
  const what = 'ClickHouse described its tables in an unknown form';
  const tables = new Map<string, { columns: ExistingColumn[] }>();
  for (const { table, ...column } of parseWith(rowSchema, rows, what, clickhouse.url)) {
    const known = tables.get(table) ?? { columns: [] };
    known.columns.push(column);
    tables.set(table, known);
  }
  return tables;
}
