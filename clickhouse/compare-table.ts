import type { ClickHouse } from './client.ts';
import { queryLedger, type PartitionBounds } from './ledger.ts';
import type { OffsetRange } from './offset-ranges.ts';
import { forEachRun } from './roaring-bitmap.ts';

/** Where the raw table and the ledger disagree about one partition, within its bounds. */
export interface TableComparison {
  /** Offsets that landed and of which no row is left: their event came again, or somebody removed the row. */
  rowless: OffsetRange[];
  /** Offsets of rows that the ledger does not know. */
  unrecorded: OffsetRange[];
  /** Rows whose record reached Kafka so much later than what it tells of had happened. */
  late: number;
}

/** A table where every other row is missing has other troubles than the list of them. */
const maxRanges = 1_000_000;

/**
 * Compares the rows of a raw table with the ledger, as if the table were merged already: of the rows of one event
 * only the last counts. Reads three columns of the whole table and the columns of its key.
 *
 * @returns by partition; those where nothing landed are not in it
 * @throws PipelineError `CLICKHOUSE_NOT_MIGRATED`
 */
export async function compareTable(
  clickhouse: ClickHouse,
  {
    table,
    topic,
    bounds,
    lateAfterMs,
  }: {
    table: string;
    topic: string;
    bounds: readonly PartitionBounds[];
    lateAfterMs: number;
  },
  signal?: AbortSignal,
): Promise<Map<number, TableComparison>> {
  const rows = await queryLedger(
    clickhouse,
    `WITH
         groupBitmapMergeStateIf(offsets, is_ledger) AS in_ledger,
         groupBitmapMergeStateIf(offsets, NOT is_ledger) AS in_table
     SELECT
         partition,
         base64Encode(CAST(bitmapAndnot(in_ledger, in_table), 'String')) AS rowless,
         base64Encode(CAST(bitmapAndnot(in_table, in_ledger), 'String')) AS unrecorded,
         sum(late_rows) AS late
     FROM (
         SELECT partition, offsets, true AS is_ledger, 0 AS late_rows
         FROM ledger
         WHERE topic = {topic:String}
         UNION ALL
         SELECT
             kafka_partition AS partition,
             groupBitmapState(toUInt64(kafka_offset)) AS offsets,
             false AS is_ledger,
             countIf(
                 dateDiff('millisecond', occurred_at, kafka_timestamp) > {late_after:Int64}
                 AND kafka_offset >= {lows:Array(Int64)}[indexOf({partitions:Array(Int32)}, kafka_partition)]
                 AND kafka_offset < {highs:Array(Int64)}[indexOf({partitions:Array(Int32)}, kafka_partition)]
             ) AS late_rows
         FROM {table:Identifier} FINAL
         WHERE kafka_topic = {topic:String}
         GROUP BY partition
     )
     GROUP BY partition`,
    {
      table,
      topic,
      late_after: lateAfterMs,
      partitions: bounds.map(({ partition }) => partition),
      lows: bounds.map(({ low }) => low),
      highs: bounds.map(({ high }) => high),
    },
    signal,
  );
  const byPartition = new Map(rows.map((row) => [Number(row['partition']), row] as const));
  return new Map(
    bounds.flatMap((one) => {
      const row = byPartition.get(one.partition);
      if (row === undefined) return [];
      const read = (column: string) => readRanges(Buffer.from(String(row[column]), 'base64'), one);
      const comparison = {
        rowless: read('rowless'),
        unrecorded: read('unrecorded'),
        late: Number(row['late']),
      };
      return [[one.partition, comparison] as const];
    }),
  );
}

/** As many ids as fit into a statement of ClickHouse's default `max_query_size`, 256 KiB. */
const idsPerQuery = 5000;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Which of these events the table has, whatever their offsets. What is no UUID is none of them. */
export async function findEvents(
  clickhouse: ClickHouse,
  table: string,
  eventIds: readonly string[],
  signal?: AbortSignal,
): Promise<Set<string>> {
  const ids = eventIds.filter((id) => uuid.test(id));
  const found = new Set<string>();
  for (let from = 0; from < ids.length; from += idsPerQuery) {
    // In the statement, because parameters travel in the address, which servers keep short.
    const list = ids.slice(from, from + idsPerQuery).map((id) => `'${id}'`);
    const rows = await clickhouse.query(
      `SELECT DISTINCT toString(event_id) AS id FROM {table:Identifier} WHERE event_id IN (${list.join(',')})`,
      { params: { table }, ...(signal === undefined ? {} : { signal }) },
    );
    for (const row of rows) found.add(String(row['id']));
  }
  return found;
}

function readRanges(state: Buffer, { low, high }: PartitionBounds): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  forEachRun(state, (first, last) => {
    const [from, to] = [Math.max(first, low), Math.min(last, high - 1)];
    if (from <= to && ranges.length < maxRanges) ranges.push({ first: from, last: to });
  });
  return ranges;
}
