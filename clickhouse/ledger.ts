import { PipelineError } from '../core/errors.ts';
import { ClickHouseQueryError, type ClickHouse } from './client.ts';
import { joinRanges, type OffsetRange } from './offset-ranges.ts';

/** Which offsets of a partition are looked at: from `low`, below `high`, as the broker names them. */
export interface PartitionBounds {
  partition: number;
  low: number;
  high: number;
}

/** What the ledger knows of one partition. */
export interface LedgerCounts {
  /** Distinct offsets that landed, of those within the bounds. */
  landed: number;
  /** The first and the last of them; undefined when there is none. */
  span: OffsetRange | undefined;
  /** Rows delivered beyond the first of their offset, whatever the bounds. */
  duplicates: number;
  /** The highest offset that ever landed, whatever the bounds; -1 when none did. */
  highest: number;
}

/** Offsets fetched at a time: 8 MB of memory in the server. */
const pageSize = 1_000_000;

/**
 * Counts what landed of a topic; a partition that never delivered anything is not in the map.
 *
 * @throws PipelineError `CLICKHOUSE_NOT_MIGRATED` when there is no ledger
 */
export async function readLedger(
  clickhouse: ClickHouse,
  topic: string,
  bounds: readonly PartitionBounds[],
  signal?: AbortSignal,
): Promise<Map<number, LedgerCounts>> {
  const rows = await query(
    clickhouse,
    `WITH
         groupBitmapMergeState(offsets) AS all_offsets,
         indexOf({partitions:Array(Int32)}, partition) AS at,
         bitmapSubsetInRange(all_offsets, {lows:Array(UInt64)}[at], {highs:Array(UInt64)}[at]) AS inside
     SELECT
         partition,
         bitmapCardinality(inside) AS landed,
         bitmapMin(inside) AS first,
         bitmapMax(inside) AS last,
         sum(rows) - bitmapCardinality(all_offsets) AS duplicates,
         bitmapMax(all_offsets) AS highest
     FROM ledger
     WHERE topic = {topic:String} AND has({partitions:Array(Int32)}, partition)
     GROUP BY partition`,
    {
      topic,
      partitions: bounds.map(({ partition }) => partition),
      lows: bounds.map(({ low }) => low),
      highs: bounds.map(({ high }) => high),
    },
    signal,
  );
  return new Map(
    rows.map((row) => {
      const landed = Number(row['landed']);
      return [
        Number(row['partition']),
        {
          landed,
          // bitmapMin and bitmapMax of nothing are the greatest and the smallest integer.
          span: landed === 0 ? undefined : { first: Number(row['first']), last: Number(row['last']) },
          duplicates: Number(row['duplicates']),
          highest: Number(row['highest']),
        },
      ];
    }),
  );
}

/**
 * The offsets within `bounds` that the ledger lacks, at most `maxRanges` ranges from the lowest on.
 *
 * Before the first and after the last that landed, the answer is arithmetic. In between, the server subtracts
 * the landed bitmap from a full one: container by container, so that fifty million offsets take a second or
 * two. (Cutting the bitmap into slices instead reads all of it again for each slice.)
 */
export async function findMissing(
  clickhouse: ClickHouse,
  topic: string,
  { partition, low, high }: PartitionBounds,
  { landed, span }: Pick<LedgerCounts, 'landed' | 'span'>,
  { maxRanges, signal }: { maxRanges: number; signal?: AbortSignal },
): Promise<OffsetRange[]> {
  if (span === undefined) return low < high ? [{ first: low, last: high - 1 }] : [];
  const found: OffsetRange[] = [];
  if (low < span.first) found.push({ first: low, last: span.first - 1 });
  const missingInside = span.last - span.first + 1 - landed;
  for (let from = 0; from < missingInside && found.length < maxRanges; from += pageSize) {
    const rows = await query(
      clickhouse,
      `WITH
           (SELECT groupBitmapMergeState(offsets) FROM ledger
            WHERE topic = {topic:String} AND partition = {partition:Int32}) AS landed,
           (SELECT groupBitmapState({first:UInt64} + number)
            FROM numbers({last:UInt64} - {first:UInt64} + 1)) AS expected,
           arraySort(bitmapToArray(
               subBitmap(bitmapAndnot(expected, landed), {from:UInt64}, {page_size:UInt64})
           )) AS missing
       SELECT range[1] AS first, range[-1] AS last
       FROM system.one
       ARRAY JOIN arraySplit((offset, step) -> step != 1, missing, arrayDifference(missing)) AS range`,
      { topic, partition, ...span, from, page_size: pageSize },
      signal,
    );
    for (const row of rows) found.push({ first: Number(row['first']), last: Number(row['last']) });
  }
  if (span.last < high - 1) found.push({ first: span.last + 1, last: high - 1 });
  return joinRanges(found).slice(0, maxRanges);
}

async function query(
  clickhouse: ClickHouse,
  sql: string,
  params: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Record<string, unknown>[]> {
  try {
    return await clickhouse.query(sql, { params, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    const unknownTableOrDatabase = ['60', '81'];
    if (error instanceof ClickHouseQueryError && unknownTableOrDatabase.includes(error.clickhouseCode)) {
      throw new PipelineError('CLICKHOUSE_NOT_MIGRATED', {
        what: `The database ${clickhouse.database} has no ledger`,
        where: clickhouse.url,
        todo: 'Run "npm run clickhouse:migrate".',
        cause: error,
      });
    }
    throw error;
  }
}
