import { PipelineError } from '../core/errors.ts';
import { ClickHouseQueryError, type ClickHouse } from './client.ts';
import { type OffsetRange } from './offset-ranges.ts';
import { forEachRun } from './roaring-bitmap.ts';

/** Which offsets of a partition are looked at: from `low`, below `high`, as the broker names them. */
export interface PartitionBounds {
  partition: number;
  low: number;
  high: number;
}

/** A topic with its partitions. */
export interface TopicBounds {
  topic: string;
  partitions: readonly PartitionBounds[];
}

/** What the ledger knows of one partition. */
export interface LedgerCounts {
  /** Distinct offsets that landed, of those within the bounds. */
  landed: number;
  /** Distinct offsets that landed below the bounds. */
  landedBefore: number;
  /** What did not land of those within the bounds: the lowest ranges, as many as 100,000 in any case. */
  gaps: readonly OffsetRange[];
  /** Offsets that did not land and lie in further ranges. */
  gapsBeyond: number;
  /** Rows delivered beyond the first of their offset, whatever the bounds. */
  duplicates: number;
  /** The highest offset that ever landed, whatever the bounds; -1 when none did. */
  highest: number;
  /** When the newest row landed, by the server's clock, and how long that was ago; null when none did. */
  newest: { at: string; ageMs: number } | null;
}

/** Every partition may list so many gaps; one with more takes from what all of them have together. */
const gapsOfEach = 100_000;
/** Half a million ranges are some 20 MB. Of more nobody needs a list; they are only counted. */
const gapsOfAll = 500_000;

/**
 * Reads what landed of each partition: one query, which gives each partition's offsets as one compressed bitmap.
 * A hundred million offsets take well under a second. (Asking the server for what is missing instead makes it build
 * a bitmap of all that should be there, offset by offset.)
 *
 * @returns for every partition of `topics`, by {@link ledgerKey}
 * @throws PipelineError `CLICKHOUSE_NOT_MIGRATED` when there is no ledger
 */
export async function readLedger(
  clickhouse: ClickHouse,
  topics: readonly TopicBounds[],
  signal?: AbortSignal,
): Promise<Map<string, LedgerCounts>> {
  const rows = await queryLedger(
    clickhouse,
    `SELECT
         topic,
         partition,
         base64Encode(CAST(groupBitmapMergeState(offsets), 'String')) AS landed,
         sum(rows) AS delivered,
         max(last_landed_at) AS newest_at,
         dateDiff('millisecond', newest_at, now64(3, 'UTC')) AS newest_age
     FROM ledger
     WHERE topic IN {topics:Array(String)}
     GROUP BY topic, partition`,
    { topics: topics.map(({ topic }) => topic) },
    signal,
  );
  const found = new Map(
    rows.map((row) => [ledgerKey(String(row['topic']), Number(row['partition'])), row] as const),
  );
  const counts = new Map<string, LedgerCounts>();
  let spare = gapsOfAll;
  for (const { topic, partitions } of topics) {
    for (const bounds of partitions) {
      const key = ledgerKey(topic, bounds.partition);
      const row = found.get(key);
      const landed = typeof row?.['landed'] === 'string' ? row['landed'] : '';
      const gaps = findGaps(bounds, Buffer.from(landed, 'base64'), gapsOfEach + spare);
      spare -= Math.max(0, gaps.ranges.length - gapsOfEach);
      counts.set(key, {
        landed: gaps.inside,
        landedBefore: gaps.before,
        gaps: gaps.ranges,
        gapsBeyond: gaps.beyond,
        duplicates: Number(row?.['delivered'] ?? 0) - gaps.all,
        highest: gaps.highest,
        newest:
          row === undefined
            ? null
            : {
                at: new Date(`${String(row['newest_at']).replace(' ', 'T')}Z`).toISOString(),
                ageMs: Math.max(0, Number(row['newest_age'])),
              },
      });
    }
  }
  return counts;
}

/** Key of {@link readLedger}'s answer. */
export function ledgerKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

interface Gaps {
  /** Distinct offsets: all of them, those below the bounds, those within. */
  all: number;
  before: number;
  inside: number;
  highest: number;
  ranges: OffsetRange[];
  beyond: number;
}

/** Walks over the runs that landed; what lies between them within the bounds is missing. */
function findGaps(
  { low, high }: Pick<PartitionBounds, 'low' | 'high'>,
  landed: Buffer,
  maxGaps: number,
): Gaps {
  const gaps: Gaps = { all: 0, before: 0, inside: 0, highest: -1, ranges: [], beyond: 0 };
  let next = low;
  const missing = (first: number, last: number) => {
    if (first > last) return;
    if (gaps.ranges.length < maxGaps) gaps.ranges.push({ first, last });
    else gaps.beyond += last - first + 1;
  };
  if (landed.length > 0) {
    forEachRun(landed, (first, last) => {
      gaps.all += last - first + 1;
      gaps.highest = last;
      if (first < low) gaps.before += Math.min(last, low - 1) - first + 1;
      const [from, to] = [Math.max(first, low), Math.min(last, high - 1)];
      if (from > to) return;
      gaps.inside += to - from + 1;
      missing(next, from - 1);
      next = to + 1;
    });
  }
  missing(next, high - 1);
  return gaps;
}

/** Says of a missing table what to do about it. */
export async function queryLedger(
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
        what: `The database ${clickhouse.database} has no ledger, or lacks a raw table`,
        where: clickhouse.url,
        todo: 'Run "npm run clickhouse:migrate".',
        cause: error,
      });
    }
    throw error;
  }
}
