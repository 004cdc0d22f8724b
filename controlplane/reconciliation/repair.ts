import { ClickHouseQueryError, type ClickHouse } from '../../clickhouse/client.ts';
import {
  commonRanges,
  countOffsets,
  lowestOffsets,
  offsetsIn,
  unitedRanges,
  withoutRanges,
  type OffsetRange,
} from '../../clickhouse/offset-ranges.ts';
import { PipelineError } from '../../core/errors.ts';
import { sleep } from '../../core/wait.ts';
import type { Catalog, CatalogTopic } from '../../schemas/catalog.ts';
import { createRegistry } from '../../schemas/registry.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { partitionKey } from '../consumer-lag.ts';
import { readDeclarations } from '../declarations.ts';
import { createDecoder } from '../dlq/decode.ts';
import { groupBy } from '../dlq/group-by.ts';
import { toRepair, type LookOptions, type PartitionReconciliation } from '../reconcile.ts';
import { toTopicRanges, type Suspects } from './examine-offsets.ts';
import { whyOnlyTheSink } from './repeatable.ts';
import { rowOf, type Row } from './row-of.ts';

/** What became of one offset that was to be repaired. */
export interface Refused {
  topic: string;
  partition: number;
  offset: number;
  why: string;
}

export interface RepairReport {
  /** Rows written. */
  landed: number;
  /** Offsets that could not be, and why. */
  refused: Refused[];
}

/** Looks are this far apart while what is on its way is awaited. */
const pollMs = 1000;
/** What has not come for so long, while anything could have, is not on its way. */
const restMs = 3000;
const settleTimeoutMs = 600_000;

/**
 * Finds out what has to be repaired: what does not land by itself. Offsets behind the newest that landed were passed
 * over; for those after it, the sink is waited for as long as it makes progress with them.
 *
 * @param first the look that found something
 * @param deadLetters whether dead letters that did not land belong to it: what can be written of them is
 */
export async function planRepair(
  look: (how: LookOptions) => Promise<PartitionReconciliation[]>,
  first: readonly PartitionReconciliation[],
  {
    deadLetters = false,
    signal,
    onProgress,
  }: { deadLetters?: boolean; signal?: AbortSignal; onProgress?: (text: string) => void } = {},
): Promise<Suspects[]> {
  let open = first.map((one) => ({
    ...one,
    ranges: unitedRanges(toRepair(one), deadLetters ? one.dead : []),
  }));
  let isBehind = open.every(({ lag }) => lag === 0);
  let changedAt = performance.now();
  const deadline = changedAt + settleTimeoutMs;
  if (!isBehind) onProgress?.('Waiting for what may be on its way');
  while (!isBehind && performance.now() - changedAt < restMs && performance.now() < deadline) {
    await sleep(pollMs, signal);
    const now = new Map(
      (await look({ isPatient: true, isQuick: true })).map((one) => [
        partitionKey(one.topic, one.partition),
        one,
      ]),
    );
    const before = countAll(open);
    open = open.map(({ ranges, ...one }) => {
      const missing = now.get(partitionKey(one.topic, one.partition))?.missing ?? [];
      // Whatever the ledger did not lack at first is not found again by looking at the ledger.
      const lasting = withoutRanges(ranges, withoutRanges(one.missing, missing));
      return { ...one, ranges: lasting };
    });
    if (countAll(open) < before) changedAt = performance.now();
    isBehind = open.every(({ topic, partition, ranges }) => {
      const { lag = 0, missing = [] } = now.get(partitionKey(topic, partition)) ?? {};
      return lag === 0 || countOffsets(commonRanges(ranges, missing)) === 0;
    });
  }
  return open
    .map(({ topic, partition, ranges }) => ({ topic, partition, ranges }))
    .filter(({ ranges }) => ranges.length > 0);
}

export function countAll(suspects: readonly Pick<Suspects, 'ranges'>[]): number {
  return suspects.reduce((sum, { ranges }) => sum + countOffsets(ranges), 0);
}

export interface RepairOptions {
  target: Target;
  catalog: Catalog;
  clickhouse: ClickHouse;
  /** Of the connectors' declarations. Default: those of the project. */
  folder?: string;
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
}

/** So many records are read, and written, at a time. */
const chunkOffsets = 10_000;
const readTimeoutMs = 120_000;
/** After so many refused rows it is not the rows. */
const maxRefused = 1000;
/** Codes of ClickHouse that are not about a row: no such table, database or right. */
const notARowsCodes = new Set(['60', '81', '497']);

/**
 * Reads the records at exactly these offsets from their topic, and writes the rows that the sink would have made of
 * them, with their own coordinates: the ledger enters the very offsets that were missing, nothing is produced, and no
 * consumer's place changes. Written twice, by two repairs or by a sink that comes after all, a row counts as
 * delivered again, and the table keeps one.
 *
 * @throws PipelineError `REGISTRY_UNREACHABLE`, `REPAIR_IMPOSSIBLE`, or that a server does not answer
 */
export async function repair(options: RepairOptions, plan: readonly Suspects[]): Promise<RepairReport> {
  const report: RepairReport = { landed: 0, refused: [] };
  const all = countAll(plan);
  const declarations = readDeclarations(options.folder);
  let done = 0;
  for (const [name, suspects] of groupBy(plan, ({ topic }) => topic)) {
    const topic = options.catalog.topics.find((one) => one.topic === name);
    const why = whyOnlyTheSink(declarations, name);
    if (topic === undefined || why !== undefined) {
      throw new PipelineError('REPAIR_IMPOSSIBLE', {
        what: `The rows of ${name} cannot be repaired: ${why ?? 'it is not in the catalog'}`,
        todo: 'Let the connector read them again: connectors:stop, connectors:offsets --reset earliest, connectors:resume.',
      });
    }
    const writer = new Writer(options, topic, report);
    for (const chunk of chunksOf(suspects)) {
      await writer.write(chunk);
      done += countAll(chunk);
      options.onProgress?.(`${done.toLocaleString('en-US')} of ${all.toLocaleString('en-US')} offsets`);
    }
  }
  return report;
}

/** Parts of so many offsets at most, of one partition or of several. */
function* chunksOf(suspects: readonly Suspects[]): Generator<Suspects[]> {
  let chunk: Suspects[] = [];
  let left = chunkOffsets;
  for (const { ranges, ...partition } of suspects) {
    for (let rest: readonly OffsetRange[] = ranges; rest.length > 0;) {
      const part = lowestOffsets(rest, left);
      chunk.push({ ...partition, ranges: part });
      left -= countOffsets(part);
      rest = withoutRanges(rest, part);
      if (left > 0) continue;
      yield chunk;
      [chunk, left] = [[], chunkOffsets];
    }
  }
  if (chunk.length > 0) yield chunk;
}

class Writer {
  readonly #options: RepairOptions;
  readonly #topic: CatalogTopic;
  readonly #report: RepairReport;
  readonly #decode: ReturnType<typeof createDecoder>;

  constructor(options: RepairOptions, topic: CatalogTopic, report: RepairReport) {
    this.#options = options;
    this.#topic = topic;
    this.#report = report;
    this.#decode = createDecoder(createRegistry(options.target.schemaRegistry, options.signal));
  }

  async write(chunk: readonly Suspects[]): Promise<void> {
    const rows: Row[] = [];
    for (const { coordinates, value } of await this.#read(chunk)) {
      const row = await this.#rowOf(coordinates, value);
      if (typeof row === 'string') this.#refuse(coordinates, row);
      else if (row !== undefined) rows.push(row);
    }
    await this.#insert(rows);
  }

  async #read(chunk: readonly Suspects[]) {
    const { target, signal } = this.#options;
    const read = new Map<string, { timestampMs: number; value: Buffer | null }>();
    await readTopics(
      target,
      toTopicRanges(chunk),
      (_topic, partition, { offset, value, timestamp }) =>
        read.set(`${partition}/${offset}`, { timestampMs: Number(timestamp), value }),
      { timeoutMs: readTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    );
    return chunk.flatMap(({ topic, partition, ranges }) =>
      [...offsetsIn(ranges)].flatMap((offset) => {
        const found = read.get(`${partition}/${offset}`);
        if (found === undefined) return [];
        const { timestampMs, value } = found;
        return [{ coordinates: { topic, partition, offset, timestampMs }, value }];
      }),
    );
  }

  /** The row, or why there is none; undefined for a tombstone, which no sink writes. */
  async #rowOf(
    coordinates: Parameters<typeof rowOf>[2],
    value: Buffer | null,
  ): Promise<Row | string | undefined> {
    const decoded = await this.#decode(value);
    if (decoded.kind !== 'record') return decoded.why;
    const { record, definition } = decoded;
    if (record === null || definition === null) return undefined;
    return rowOf(definition, record as Record<string, unknown>, coordinates);
  }

  /** Halves what ClickHouse refuses, so that one bad row keeps no other from landing. */
  async #insert(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const { clickhouse, signal } = this.#options;
    try {
      await clickhouse.insert(this.#topic.rawTable, rows, {
        // The same rows may have been inserted and removed before: ClickHouse would take the block for known.
        settings: { insert_deduplicate: 0, async_insert: 0, max_partitions_per_insert_block: '1000' },
        ...(signal === undefined ? {} : { signal }),
      });
      this.#report.landed += rows.length;
    } catch (error) {
      const isRefused =
        error instanceof ClickHouseQueryError && !error.retryable && !notARowsCodes.has(error.clickhouseCode);
      if (!isRefused || this.#report.refused.length >= maxRefused) throw error;
      const [only] = rows;
      if (rows.length === 1 && only !== undefined) {
        this.#refuse(
          {
            topic: this.#topic.topic,
            partition: Number(only['kafka_partition']),
            offset: Number(only['kafka_offset']),
          },
          error.message,
        );
        return;
      }
      const middle = Math.ceil(rows.length / 2);
      await this.#insert(rows.slice(0, middle));
      await this.#insert(rows.slice(middle));
    }
  }

  #refuse({ topic, partition, offset }: Omit<Refused, 'why'>, why: string): void {
    this.#report.refused.push({ topic, partition, offset, why });
  }
}
