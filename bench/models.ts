import { runAnswers } from '../clickhouse/answers.ts';
import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { loadQuestions } from '../clickhouse/questions.ts';
import { waitUntilReconciled } from '../controlplane/reconcile.ts';
import { runCommand } from '../core/run-command.ts';
import { dbtFolder, prepareDbt } from '../dbt/run-dbt.ts';
import { backfill } from '../producers/runs/backfill/backfill.ts';
import { produceLive } from '../producers/runs/live/produce.ts';
import { withKafkaAdmin } from '../targets/kafka.ts';
import { readTopics } from '../targets/read-topics.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { multiplyHistory } from './multiply-history.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';

const customers = 5000;
const years = 5;
const transactions = 10_000_000;
const newEvents = { rate: 5000, durationMs: 20_000 } as const;
const landingTimeoutMs = 600_000;
const buildTimeoutMs = 30 * 60_000;

const warmRuns = 3;
const timedRuns = 20;

/**
 * The models and the answers on ten million transactions of five years: history is produced and landed as always,
 * then copied within ClickHouse, each copy with customers and ids of its own.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target, settings } = stack;
  const catalog = await preparePipeline(stack);
  await applyConnectors(stack, catalog);
  const scenario = { target, catalog, seed: 1, home: settings.home, signal };
  await backfill({ ...scenario, customers, years });
  await waitUntilReconciled({ target, catalog, timeoutMs: landingTimeoutMs, signal });
  const clickhouse = createClickHouse(target, { requestTimeoutMs: 600_000 });
  try {
    const bytes = await measureBytes(stack, clickhouse, signal);
    const rows = await multiplyHistory(clickhouse, catalog, transactions, signal);
    note(`${integer(rows.transactions)} transactions, ${integer(rows.payments)} payment events`);
    const full = await timeBuild(stack, signal, ['--full-refresh']);
    const answers = await timeAnswers(clickhouse, signal);
    const produced = await produceLive({ ...scenario, ...newEvents });
    await waitUntilReconciled({ target, catalog, timeoutMs: landingTimeoutMs, signal });
    const incremental = await timeBuild(stack, signal, []);
    const again = await timeBuild(stack, signal, ['--exclude-resource-type', 'test', 'unit_test']);
    return [
      seconds(`dbt build of ${integer(rows.transactions)} transactions, tests included`, full, 300),
      seconds(`dbt build after ${integer(produced.total)} new events, tests included`, incremental, 30),
      { name: 'refresh when nothing is new', value: `${again.toFixed(1)} s`, target: '-', ok: true },
      ...answers,
      ...bytes,
    ];
  } finally {
    await clickhouse.close();
  }
}

async function timeBuild(
  { target, settings }: BenchStack,
  signal: AbortSignal,
  args: readonly string[],
): Promise<number> {
  const dbt = await prepareDbt({ target, home: settings.home, env: process.env, signal });
  const startedAt = performance.now();
  await runCommand(dbt.file, ['--no-use-colors', 'build', ...args], {
    purpose: 'dbt build',
    cwd: dbtFolder,
    env: dbt.env,
    timeoutMs: buildTimeoutMs,
    signal,
  });
  return (performance.now() - startedAt) / 1000;
}

/** Each answer by itself, warm: as a dashboard or a person who asks again would see it. */
async function timeAnswers(clickhouse: ClickHouse, signal: AbortSignal): Promise<Measurement[]> {
  const [newest] = await runAnswers(clickhouse, { numbers: [1], signal });
  const asOf = new Date(newest?.to ?? Date.now());
  const timings: { number: number; p50: number; p95: number }[] = [];
  for (const { number } of loadQuestions()) {
    const times: number[] = [];
    for (let round = -warmRuns; round < timedRuns; round += 1) {
      const startedAt = performance.now();
      await runAnswers(clickhouse, { numbers: [number], asOf, signal });
      if (round >= 0) times.push(performance.now() - startedAt);
    }
    timings.push({ number, p50: quantile(times, 0.5), p95: quantile(times, 0.95) });
  }
  for (const { number, p50, p95 } of timings) {
    note(`answer ${number}: median ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`);
  }
  const slowest = timings.reduce((a, b) => (b.p95 > a.p95 ? b : a));
  const median = quantile(
    timings.map(({ p50 }) => p50),
    0.5,
  );
  return [
    {
      name: `slowest of ${timings.length} answers (${slowest.number}), p95 of ${timedRuns}`,
      value: `${slowest.p95.toFixed(0)} ms`,
      target: '< 150 ms',
      ok: slowest.p95 < 150,
    },
    {
      name: 'median of the answers',
      value: `${median.toFixed(0)} ms`,
      target: '< 50 ms',
      ok: median < 50,
    },
  ];
}

/** A payment's event as it lies on disk after merging, and as Avro on the wire. */
async function measureBytes(
  { target }: BenchStack,
  clickhouse: ClickHouse,
  signal: AbortSignal,
): Promise<Measurement[]> {
  await clickhouse.command('OPTIMIZE TABLE raw_payments FINAL');
  const [table] = await clickhouse.query(
    `SELECT sum(bytes_on_disk) / sum(rows) AS bytes FROM system.parts
     WHERE active AND database = currentDatabase() AND table = 'raw_payments'`,
  );
  const topic = 'billing.payments';
  const offsets = await withKafkaAdmin(target, { clientId: 'bench' }, (admin) =>
    admin.fetchTopicOffsets(topic),
  );
  const partitions = offsets.map(({ partition, low, high }) => ({
    partition,
    low: Number(low),
    high: Number(high),
  }));
  const avro = { bytes: 0, records: 0 };
  await readTopics(
    target,
    [{ topic, partitions }],
    (_topic, _partition, { value }) => {
      avro.records += 1;
      avro.bytes += value?.length ?? 0;
    },
    { timeoutMs: 300_000, signal },
  );
  const onDisk = Number(table?.['bytes']);
  const onWire = avro.bytes / avro.records;
  return [
    {
      name: 'bytes of a payment event: on disk, as Avro',
      value: `${onDisk.toFixed(1)}, ${onWire.toFixed(1)}: ${(onDisk / onWire).toFixed(2)}`,
      target: '-',
      ok: true,
    },
  ];
}

function seconds(name: string, value: number, limit: number): Measurement {
  return { name, value: `${value.toFixed(1)} s`, target: `< ${limit} s`, ok: value < limit };
}

function note(text: string): void {
  process.stderr.write(`  ${text}\n`);
}
