import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { waitUntilReconciled } from '../controlplane/reconcile.ts';
import { sleep } from '../core/wait.ts';
import { produceLive } from '../producers/runs/produce.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';

const rate = 1000;
const durationMs = 30_000;
const pollIntervalMs = 20;

/** The first poll that saw a partition grow to `offset`. */
interface Sighting {
  offset: number;
  at: number;
}

/**
 * Produced -> queryable at 1,000 events/s: from a record's `produced_at` to the first of a series of queries,
 * 20 ms apart, that sees it in its raw table. The clocks are those of one machine.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target, settings } = stack;
  const catalog = await preparePipeline(stack);
  await applyConnectors(stack, catalog);
  const clickhouse = createClickHouse(target);
  const done = new AbortController();
  try {
    const watching = watch(clickhouse, done.signal);
    const produced = await produceLive({
      target,
      catalog,
      rate,
      durationMs,
      seed: 1,
      home: settings.home,
      signal,
      onProgress: () => undefined,
    });
    await waitUntilReconciled({ target, catalog, timeoutMs: 30_000, signal });
    done.abort();
    const latencies = await latenciesOf(clickhouse, await watching);
    const p95 = quantile(latencies, 0.95);
    return [
      {
        name: `produced -> queryable at ${integer((produced.total * 1000) / produced.elapsedMs)}/s, p50`,
        value: `${integer(quantile(latencies, 0.5))} ms`,
        target: '-',
        ok: true,
      },
      { name: 'the same, p95', value: `${integer(p95)} ms`, target: '< 2,000 ms', ok: p95 < 2000 },
      { name: 'payments measured', value: integer(latencies.length), target: '-', ok: latencies.length > 0 },
    ];
  } finally {
    done.abort();
    await clickhouse.close();
  }
}

async function watch(clickhouse: ClickHouse, signal: AbortSignal): Promise<Map<string, Sighting[]>> {
  const sightings = new Map<string, Sighting[]>();
  while (!signal.aborted) {
    const rows = await clickhouse.query(
      'SELECT kafka_partition, max(kafka_offset) AS offset FROM raw_payments GROUP BY kafka_partition',
    );
    const at = Date.now();
    for (const row of rows) {
      const partition = String(row['kafka_partition']);
      const offset = Number(row['offset']);
      const seen = sightings.get(partition) ?? [];
      if ((seen.at(-1)?.offset ?? -1) < offset) seen.push({ offset, at });
      sightings.set(partition, seen);
    }
    await sleep(pollIntervalMs, signal).catch(() => undefined);
  }
  return sightings;
}

async function latenciesOf(clickhouse: ClickHouse, sightings: Map<string, Sighting[]>): Promise<number[]> {
  const rows = await clickhouse.query(
    'SELECT kafka_partition, kafka_offset, toUnixTimestamp64Milli(produced_at) AS produced FROM raw_payments',
  );
  return rows.flatMap((row) => {
    const offset = Number(row['kafka_offset']);
    const seen = sightings.get(String(row['kafka_partition']))?.find((sighting) => sighting.offset >= offset);
    return seen === undefined ? [] : [seen.at - Number(row['produced'])];
  });
}
