import type { ClickHouse } from '../clickhouse/client.ts';
import { ledgerViewOf } from '../clickhouse/scaffold/migration-sql.ts';
import type { Catalog } from '../schemas/catalog.ts';

/** Far above the offsets of what was really landed, so that later events are new to everybody. */
const firstCopiedOffset = 1_000_000_000;

/** Ids that are shared by all customers, and stay as they are. */
const shared = new Set(['plan_id', 'product_id']);

/**
 * Copies the landed history until there are so many transactions. Every copy has customers, payments and so on of its
 * own, at the same times; reference data is not copied.
 */
export async function multiplyHistory(
  clickhouse: ClickHouse,
  catalog: Catalog,
  transactions: number,
  signal: AbortSignal,
): Promise<{ transactions: number; payments: number }> {
  const count = async (table: string) => {
    const [row] = await clickhouse.query(`SELECT count() AS rows FROM ${table}`);
    return Number(row?.['rows']);
  };
  const copies = Math.ceil(transactions / (await count('raw_transactions'))) - 1;
  for (const { rawTable, key } of catalog.topics) {
    if (key !== 'customer_id') continue;
    const columns = await clickhouse.query(
      `SELECT name, type FROM system.columns
       WHERE database = currentDatabase() AND table = {table:String} ORDER BY position`,
      { params: { table: rawTable } },
    );
    const copied = columns.map(({ name, type }) => copyOf(String(name), String(type), copies));
    const months = await clickhouse.query(
      `SELECT DISTINCT toYYYYMM(occurred_at) AS month FROM ${rawTable} ORDER BY month`,
    );
    // What is copied never was on the broker: reconciliation must not see it.
    const ledgerView = ledgerViewOf(rawTable);
    await clickhouse.command(`DETACH TABLE ${ledgerView}`);
    // A month at a time: each statement writes to one partition, and makes few parts.
    for (const { month } of months) {
      await clickhouse.command(
        `INSERT INTO ${rawTable} SELECT ${copied.join(', ')}
         FROM (SELECT * FROM ${rawTable} WHERE toYYYYMM(occurred_at) = ${String(month)} AND kafka_offset < ${firstCopiedOffset}) AS original
         ARRAY JOIN range(1, ${copies + 1}) AS copy
         SETTINGS max_threads = 2`,
        { signal },
      );
    }
    await clickhouse.command(`ATTACH TABLE ${ledgerView}`);
  }
  return { transactions: await count('raw_transactions'), payments: await count('raw_payments') };
}

function copyOf(name: string, type: string, copies: number): string {
  if (name === 'event_id') return 'generateUUIDv7(copy) AS event_id';
  if (name === 'kafka_offset')
    return `${firstCopiedOffset} + original.kafka_offset * ${copies} + copy AS kafka_offset`;
  const isId = name.endsWith('_id') && type.includes('String') && !shared.has(name);
  if (!isId) return `original.${name} AS ${name}`;
  return `if(empty(original.${name}), '', concat(original.${name}, '-', toString(copy))) AS ${name}`;
}
