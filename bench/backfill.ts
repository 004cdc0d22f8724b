import { spawn } from 'node:child_process';
import path from 'node:path';
import { renderTable } from '../cli/output.ts';
import { reconcile, total, waitUntilReconciled } from '../controlplane/reconcile.ts';
import { InterruptedError, PipelineError, isAbort } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { processInfo } from '../embedded/process/process-info.ts';
import type { Catalog } from '../schemas/catalog.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';

const memoryIntervalMs = 250;
const landingTimeoutMs = 600_000;
const memoryLimit = 2 ** 30;

/**
 * Five years of 10,000 customers while no connector runs, then their landing; then further customers while the
 * sink lands them on the same cores.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target } = stack;
  const catalog = await preparePipeline(stack);
  const alone = await backfill(stack, 10_000, signal);
  process.stderr.write(`${countsByTopic(alone)}\n`);
  const sink = await applyConnectors(stack, catalog);
  const landed = await land(stack, catalog, signal);
  const beside = await backfill(stack, 5000, signal);
  const partitions = await reconcile({ target, catalog, signal });
  const during = total(partitions, 'landed') - landed.records;
  const rest = await land(stack, catalog, signal);
  return [
    rateOf(`backfill of 10,000 customers, ${integer(alone.sent)} records, no connector`, alone, 80_000),
    memoryOf('memory of that process at its highest', alone),
    {
      name: `landing it (sink: ${sink}), reconciled`,
      value: `${integer(landed.records / landed.seconds)} rows/s`,
      target: 'all of it',
      ok: landed.clean && landed.records === alone.total,
    },
    rateOf(
      `backfill of 5,000 customers, ${integer(beside.sent)} records, while the sink lands`,
      beside,
      40_000,
    ),
    {
      name: 'landed by the sink in that time',
      value: `${integer(during / (beside.elapsedMs / 1000))} rows/s`,
      target: '-',
      ok: true,
    },
    {
      name: 'the rest, reconciled, after',
      value: `${rest.seconds.toFixed(1)} s`,
      target: 'all of it',
      ok: rest.clean && rest.records === alone.total + beside.total,
    },
  ];
}

/** Memory must not follow the number of customers. */
export async function runLarge(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  await preparePipeline(stack);
  const large = await backfill(stack, 40_000, signal);
  return [
    rateOf(`backfill of 40,000 customers, ${integer(large.sent)} records, no connector`, large, 80_000),
    memoryOf('memory of that process at its highest', large),
  ];
}

/** What `npm run backfill -- --json` prints, and the most memory it had. */
interface BackfillRun {
  acknowledged: Record<string, number>;
  total: number;
  sent: number;
  ratePerSecond: number;
  elapsedMs: number;
  peakBytes: number;
}

/** The command in a process of its own, as a user runs it: with everything it takes, and nothing of the bench. */
async function backfill({ env }: BenchStack, customers: number, signal: AbortSignal): Promise<BackfillRun> {
  const flags = ['backfill', '--years', '5', '--customers', String(customers), '--json'];
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', path.join(projectRoot, 'cli/main.ts'), ...flags],
    {
      cwd: projectRoot,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      signal,
    },
  );
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, processInfo(child.pid ?? 0)?.memoryBytes ?? 0);
  }, memoryIntervalMs);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => {
      reject(isAbort(error) ? new InterruptedError() : error);
    });
    child.once('close', resolve);
  }).finally(() => {
    clearInterval(watch);
  });
  if (exitCode !== 0) {
    throw new PipelineError('BENCH_FAILED', { what: `The backfill ended with ${String(exitCode)}` });
  }
  return { ...(JSON.parse(stdout) as Omit<BackfillRun, 'peakBytes'>), peakBytes };
}

async function land({ target }: BenchStack, catalog: Catalog, signal: AbortSignal) {
  const startedAt = performance.now();
  const { clean, partitions } = await waitUntilReconciled({
    target,
    catalog,
    timeoutMs: landingTimeoutMs,
    pollIntervalMs: 500,
    signal,
  });
  return { clean, records: total(partitions, 'landed'), seconds: (performance.now() - startedAt) / 1000 };
}

function rateOf(name: string, { ratePerSecond }: BackfillRun, aim: number): Measurement {
  return {
    name,
    value: `${integer(ratePerSecond)} records/s`,
    target: `>= ${integer(aim)}`,
    ok: ratePerSecond >= aim,
  };
}

function memoryOf(name: string, { peakBytes }: BackfillRun): Measurement {
  return {
    name,
    value: `${integer(peakBytes / 2 ** 20)} MiB`,
    target: '< 1,024 MiB',
    ok: peakBytes < memoryLimit,
  };
}

function countsByTopic({ acknowledged, total: all }: BackfillRun): string {
  return renderTable(
    [{ title: 'topic' }, { title: 'records', align: 'right' }],
    [...Object.entries(acknowledged).sort(), ['total', all]],
  );
}
