import type { ClickHouse } from '../clickhouse/client.ts';
import { waitFor } from '../core/wait.ts';
import type { StackSettings } from '../embedded/settings.ts';
import { watchProcesses, type ProcessUse } from './processes.ts';

/** Tables that records land in, and what is counted there. */
export interface LandingTables {
  raw: string;
  ledger: string;
  /** One row for each insert that reached the raw table, with its size. */
  inserts: string;
}

export interface LandingOptions {
  clickhouse: ClickHouse;
  settings: Pick<StackSettings, 'home'>;
  tables: LandingTables;
  topic: string;
  /** Distinct records that are to land. */
  records: number;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface Landing {
  /** From the start of whatever lands them to the last record in its table. */
  seconds: number;
  rowsPerSecond: number;
  /** From the first rows in the table to the last ones: without connecting and joining the group. */
  steadyRowsPerSecond: number;
  inserts: number;
  medianInsertRows: number;
  /** Parts that inserts made, and those that merges had left at the end. */
  partsMade: number;
  partsActive: number;
  processes: ProcessUse[];
}

const pollIntervalMs = 200;

/** Counts inserts into `tables.raw` from now on; both contestants carry this view. */
export async function countInserts(clickhouse: ClickHouse, { raw, inserts }: LandingTables): Promise<void> {
  await clickhouse.command(`CREATE TABLE ${inserts} (rows UInt64) ENGINE = MergeTree ORDER BY tuple()`);
  await clickhouse.command(
    `CREATE MATERIALIZED VIEW ${inserts}_feed TO ${inserts} AS SELECT count() AS rows FROM ${raw}`,
  );
}

/** Times `start` and what it sets in motion until every record landed. Deliveries beyond the first do not count. */
export async function timeLanding(options: LandingOptions, start: () => Promise<void>): Promise<Landing> {
  const { clickhouse, settings, tables, topic, records, timeoutMs, signal } = options;
  const watch = watchProcesses(settings);
  const startedAt = performance.now();
  let first: { at: number; rows: number } | undefined;
  try {
    await start();
    await waitFor(
      async () => {
        const rows = await countLanded(clickhouse, tables, topic, records);
        if (rows > 0) first ??= { at: performance.now(), rows };
        return rows >= records;
      },
      { what: `${records} records in ${tables.raw}`, timeoutMs, pollIntervalMs, signal },
    );
  } finally {
    watch.stop();
  }
  const endedAt = performance.now();
  const seconds = (endedAt - startedAt) / 1000;
  const steadySeconds = (endedAt - (first?.at ?? startedAt)) / 1000;
  return {
    seconds,
    rowsPerSecond: records / seconds,
    steadyRowsPerSecond: (records - (first?.rows ?? 0)) / steadySeconds,
    ...(await countParts(clickhouse, tables)),
    processes: watch.use(),
  };
}

/** Distinct records, which are counted only once there may be enough of them: counting takes time from landing. */
async function countLanded(
  clickhouse: ClickHouse,
  { ledger }: LandingTables,
  topic: string,
  records: number,
): Promise<number> {
  const read = async (sql: string) => {
    const [row] = await clickhouse.query(sql, { params: { topic } });
    return Number(row?.['landed']);
  };
  const rows = await read(`SELECT sum(rows) AS landed FROM ${ledger} WHERE topic = {topic:String}`);
  if (rows < records) return rows;
  return read(
    `SELECT sum(offsets) AS landed FROM (
       SELECT groupBitmapMerge(offsets) AS offsets FROM ${ledger} WHERE topic = {topic:String} GROUP BY partition)`,
  );
}

async function countParts(clickhouse: ClickHouse, { raw, inserts }: LandingTables) {
  const [row] = await clickhouse.query(
    `SELECT
       (SELECT count() FROM ${inserts}) AS inserts,
       (SELECT toUInt64(median(rows)) FROM ${inserts}) AS median_rows,
       count() AS parts_active,
       -- Parts of a table are numbered one after the other as they are inserted.
       max(max_block_number) - min(min_block_number) + 1 AS parts_made
     FROM system.parts WHERE database = currentDatabase() AND table = {raw:String} AND active`,
    { params: { raw } },
  );
  return {
    inserts: Number(row?.['inserts']),
    medianInsertRows: Number(row?.['median_rows']),
    partsMade: Number(row?.['parts_made']),
    partsActive: Number(row?.['parts_active']),
  };
}
