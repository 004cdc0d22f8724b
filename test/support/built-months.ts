import type { ClickHouse } from '../../clickhouse/client.ts';

/** How often each month of each monthly model was built, as in `fact_transaction 2025-02`. */
export async function builtMonths(clickhouse: ClickHouse): Promise<Map<string, number>> {
  const { rows } = await clickhouse.queryTable(
    `SELECT concat(model, ' ', formatDateTime(month, '%Y-%m')), count() FROM dbt_built_months GROUP BY 1`,
  );
  return new Map(rows.map(([month, times]) => [String(month), Number(times)]));
}

/** The months that were built between two looks, in the order of their names. */
export function builtAgain(before: Map<string, number>, after: Map<string, number>): string[] {
  return [...after]
    .filter(([month, times]) => times > (before.get(month) ?? 0))
    .map(([month]) => month)
    .sort();
}

/** The names of the parts of each partition of a table: what is written anew gets other names. */
export async function partsOf(clickhouse: ClickHouse, table: string): Promise<Map<string, string>> {
  const { rows } = await clickhouse.queryTable(
    `SELECT partition, arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.parts
     WHERE database = currentDatabase() AND table = {table:String} AND active GROUP BY partition`,
    { params: { table } },
  );
  return new Map(rows.map(([partition, names]) => [String(partition), String(names)]));
}
