import { createClickHouse } from '../clickhouse/client.ts';
import { total, waitUntilReconciled } from '../controlplane/reconcile.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';
import { producePayments } from './produce.ts';

const records = 1_000_000;

/**
 * Payments that wait on the broker, landing through Connect: from the moment both connectors run until the
 * ledger holds the last offset. A view counts the rows of each insert that reaches the raw table.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target } = stack;
  const catalog = await preparePipeline(stack);
  const clickhouse = createClickHouse(target);
  try {
    await clickhouse.command('CREATE TABLE bench_inserts (rows UInt64) ENGINE = MergeTree ORDER BY rows');
    await clickhouse.command(
      'CREATE MATERIALIZED VIEW bench_inserts_feed TO bench_inserts AS SELECT count() AS rows FROM raw_payments',
    );
    const produced = await producePayments({ target, catalog, records, signal });
    const sink = await applyConnectors(stack, catalog);
    const startedAt = performance.now();
    const { clean, partitions } = await waitUntilReconciled({
      target,
      catalog,
      timeoutMs: 300_000,
      pollIntervalMs: 200,
      signal,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const landed = total(partitions, 'landed');
    const [inserts] = await clickhouse.query(
      'SELECT toUInt64(median(rows)) AS median_rows, count() AS inserts FROM bench_inserts',
    );
    const medianRows = Number(inserts?.['median_rows']);
    return [
      {
        name: `producing ${integer(produced.records)} payments, Avro`,
        value: `${integer(produced.records / produced.seconds)} records/s`,
        target: '>= 50,000',
        ok: produced.records / produced.seconds >= 50_000,
      },
      {
        name: `landing them through Connect (sink: ${sink})`,
        value: `${integer(landed / seconds)} rows/s`,
        target: '>= 30,000',
        ok: clean && landed / seconds >= 30_000,
      },
      {
        name: 'rows per insert, median',
        value: integer(medianRows),
        target: '> 5,000',
        ok: medianRows > 5000,
      },
      { name: 'inserts', value: integer(Number(inserts?.['inserts'])), target: '-', ok: true },
    ];
  } finally {
    await clickhouse.close();
  }
}
