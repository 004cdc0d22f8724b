import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { total, waitUntilReconciled } from '../controlplane/reconcile.ts';
import { sleep } from '../core/wait.ts';
import { backfill } from '../producers/runs/backfill/backfill.ts';
import { produceLive } from '../producers/runs/live/produce.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';

/** What the streams go on with. */
const history = { years: 2, customers: 2000 } as const;
const streams = [
  { rate: 1000, durationMs: 30_000 },
  { rate: 10_000, durationMs: 60_000 },
] as const;
const maxP95Ms = 1000;
/** How far the rate may be off. */
const rateTolerance = 0.02;
/** A table of each connector. */
const tables = ['raw_subscriptions', 'raw_invoices', 'raw_payments', 'raw_transactions'] as const;
const pollIntervalMs = 20;
const landingTimeoutMs = 120_000;

/** Polls that saw a partition grow, in their order. */
interface Sightings {
  offsets: number[];
  times: number[];
}

/**
 * Live streams while everything lands: whether the rate is held, whether all of it lands, and how long each record
 * takes from its `produced_at` to the first of a series of queries, 20 ms apart, that sees it in its raw table. The
 * clocks are those of one machine.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target, settings } = stack;
  const catalog = await preparePipeline(stack);
  await applyConnectors(stack, catalog);
  const landed = async () => waitUntilReconciled({ target, catalog, timeoutMs: landingTimeoutMs, signal });
  const clickhouse = createClickHouse(target);
  const measurements: Measurement[] = [];
  try {
    await backfill({ target, catalog, home: settings.home, signal, ...history });
    await landed();
    for (const { rate, durationMs } of streams) {
      const done = new AbortController();
      const startedAt = Date.now();
      const watching = watch(clickhouse, done.signal);
      try {
        const produced = await produceLive({
          target,
          catalog,
          home: settings.home,
          rate,
          durationMs,
          signal,
          onNote: (text) => process.stderr.write(`${text}\n`),
        });
        const { clean, partitions } = await landed();
        done.abort();
        const latencies = await latenciesOf(clickhouse, await watching, startedAt);
        const heldRate = (produced.total * 1000) / produced.elapsedMs;
        const p95 = quantile(latencies, 0.95);
        const name = `live at ${integer(rate)}/s for ${durationMs / 1000} s`;
        measurements.push(
          {
            name: `${name}: rate held`,
            value: `${integer(heldRate)}/s`,
            target: `± ${rateTolerance * 100} %`,
            ok: Math.abs(heldRate / rate - 1) <= rateTolerance,
          },
          {
            name: `${name}: landed of the records on the broker`,
            value: `${integer(total(partitions, 'landed'))} of ${integer(total(partitions, 'produced'))}`,
            target: 'all',
            ok: clean,
          },
          {
            name: `${name}: produced -> queryable, p50`,
            value: `${integer(quantile(latencies, 0.5))} ms`,
            target: '-',
            ok: latencies.length > 0,
          },
          {
            name: `${name}: the same, p95`,
            value: `${integer(p95)} ms`,
            target: `< ${integer(maxP95Ms)} ms`,
            ok: p95 < maxP95Ms,
          },
        );
      } finally {
        done.abort();
        await watching;
      }
    }
    return measurements;
  } finally {
    await clickhouse.close();
  }
}

/** Looks at the tables until `signal` aborts; by table and partition. */
async function watch(clickhouse: ClickHouse, signal: AbortSignal): Promise<Map<string, Sightings>> {
  const sightings = new Map<string, Sightings>();
  const query = tables
    .map(
      (table) =>
        `SELECT '${table}' AS name, kafka_partition, max(kafka_offset) AS offset FROM ${table} GROUP BY kafka_partition`,
    )
    .join(' UNION ALL ');
  while (!signal.aborted) {
    const rows = await clickhouse.query(query);
    const at = Date.now();
    for (const row of rows) {
      const name = `${String(row['name'])}/${String(row['kafka_partition'])}`;
      const offset = Number(row['offset']);
      const seen = sightings.get(name) ?? { offsets: [], times: [] };
      sightings.set(name, seen);
      if ((seen.offsets.at(-1) ?? -1) >= offset) continue;
      seen.offsets.push(offset);
      seen.times.push(at);
    }
    await sleep(pollIntervalMs, signal).catch(() => undefined);
  }
  return sightings;
}

/** Of every record of the watched tables that was produced since then, in milliseconds. */
async function latenciesOf(
  clickhouse: ClickHouse,
  sightings: ReadonlyMap<string, Sightings>,
  since: number,
): Promise<number[]> {
  const latencies: number[] = [];
  for (const table of tables) {
    const rows = await clickhouse.query(
      `SELECT kafka_partition, kafka_offset, toUnixTimestamp64Milli(produced_at) AS produced FROM ${table} WHERE produced >= ${since}`,
    );
    for (const row of rows) {
      const seen = sightings.get(`${table}/${String(row['kafka_partition'])}`);
      const at = seen?.times[firstFrom(seen.offsets, Number(row['kafka_offset']))];
      if (at !== undefined) latencies.push(at - Number(row['produced']));
    }
  }
  return latencies;
}

/** Position of the first of the rising numbers that is at least `wanted`. */
function firstFrom(rising: readonly number[], wanted: number): number {
  let [low, high] = [0, rising.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
