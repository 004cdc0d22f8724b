import { createClickHouse } from '../clickhouse/client.ts';
import { waitUntilReconciled } from '../controlplane/reconcile.ts';
import { PipelineError } from '../core/errors.ts';
import type { BenchStack } from './bench-stack.ts';
import { PaymentsSink, paymentsTopic, sinkTables } from './connect-sink.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';
import { producePayments } from './produce.ts';
import { timeLanding, type Landing } from './time-landing.ts';

/** How many records wait on the broker, and how often they land: a short landing is measured less exactly. */
const backlogs = [
  { records: 1_000_000, rounds: 3 },
  { records: 5_000_000, rounds: 1 },
  { records: 20_000_000, rounds: 1 },
] as const;
/** 20,000 rows/s and all would be over in time. */
const timeoutMs = 1_000_000;
const smallestShare = 0.85;

/**
 * The same sink under a backlog that grows: rate, inserts, parts and the memory of each process. Each backlog is
 * landed from its start into empty tables.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target, settings } = stack;
  const catalog = await preparePipeline(stack);
  const clickhouse = createClickHouse(target, { requestTimeoutMs: 300_000 });
  try {
    const sinkName = await applyConnectors(stack, catalog);
    const sink = new PaymentsSink(target, clickhouse, signal);
    await sink.prepare();
    const rows: Measurement[] = [];
    const rates: number[] = [];
    let produced = 0;
    for (const { records, rounds } of backlogs) {
      await producePayments({ target, catalog, records: records - produced, signal });
      produced = records;
      const landings: Landing[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await sink.reset();
        const options = { clickhouse, settings, tables: sinkTables, records, timeoutMs, signal };
        landings.push(await timeLanding({ ...options, topic: paymentsTopic }, () => sink.start()));
        const topics = [paymentsTopic];
        // Cheap, and by another way of counting: against what the broker holds.
        const { clean } = await waitUntilReconciled({ target, catalog, topics, timeoutMs: 60_000, signal });
        if (!clean) throw new PipelineError('BENCH_FAILED', { what: 'What landed is not what was produced' });
        await sink.stop();
      }
      const rate = quantile(
        landings.map(({ steadyRowsPerSecond }) => steadyRowsPerSecond),
        0.5,
      );
      rates.push(rate);
      rows.push(...describe(records, rate, landings.at(-1)));
    }
    const share = Math.min(...rates) / Math.max(...rates);
    return [
      ...rows,
      {
        name: `slowest : fastest (sink: ${sinkName})`,
        value: share.toFixed(2),
        target: `>= ${smallestShare.toFixed(2)}`,
        ok: share >= smallestShare,
      },
    ];
  } finally {
    await clickhouse.close();
  }
}

function describe(records: number, rate: number, landing: Landing | undefined): Measurement[] {
  if (landing === undefined) return [];
  const { inserts, medianInsertRows, partsMade, partsActive, processes } = landing;
  const megabytes = (bytes: number) => `${integer(bytes / 2 ** 20)} MB`;
  const facts: [name: string, value: string][] = [
    [`landing ${integer(records)} payments`, `${integer(rate)} rows/s`],
    ['  inserts, rows of each (median)', `${integer(inserts)}, ${integer(medianInsertRows)}`],
    ['  parts made by inserts, left by merges', `${integer(partsMade)}, ${integer(partsActive)}`],
    ...processes.map(({ service, peakBytes, cpuSeconds = NaN }): [string, string] => [
      `  ${service}: memory at its peak, processor time`,
      `${megabytes(peakBytes)}, ${cpuSeconds.toFixed(0)} s`,
    ]),
  ];
  return facts.map(([name, value]) => ({ name, value, target: '-', ok: true }));
}
