/**
 * `npm run bench`: what the pipeline does on this machine, as one table. Each part has a stack of its own, so
 * that none inherits the other's caches or backlog.
 *
 * `-- landing latency` runs some of the parts. Some run only when they are named: `-- first`, the demo with empty
 * caches (it downloads 1 GB), `-- backfill-large` (3 GB of disk), `-- landing-scale` (12 GB of disk and a quarter of
 * an hour), `-- models` (10 GB of disk and as long), and `-- codecs`.
 */
import { setMaxListeners } from 'node:events';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { renderTable } from '../cli/output.ts';
import { reportError } from '../cli/report-error.ts';
import { PipelineError } from '../core/errors.ts';
import { runLarge as runLargeBackfill, run as runBackfill } from './backfill.ts';
import { withBenchStack } from './bench-stack.ts';
import { run as runCodecs } from './codecs.ts';
import { run as runContracts } from './contracts.ts';
import { runFirst, runLater } from './demo.ts';
import { run as runLanding } from './landing.ts';
import { run as runLandingScale } from './landing-scale.ts';
import { run as runLatency } from './latency.ts';
import type { Measurement } from './measurement.ts';
import { run as runModels } from './models.ts';
import { run as runReconcile } from './reconcile.ts';
import { run as runReconcileKills } from './reconcile-kills.ts';
import { run as runWatch } from './watch.ts';

const interruption = new AbortController();
// Many requests listen to it at once, and Node takes more than ten for a leak.
setMaxListeners(0, interruption.signal);
process.once('SIGINT', () => {
  interruption.abort();
});
const { signal } = interruption;

const parts: Record<string, () => Promise<Measurement[]>> = {
  first: runFirst,
  demo: runLater,
  backfill: () => withBenchStack((stack) => runBackfill(stack, signal)),
  'backfill-large': () => withBenchStack((stack) => runLargeBackfill(stack, signal)),
  contracts: () => runContracts(signal),
  codecs: () => withBenchStack((stack) => runCodecs(stack, signal)),
  landing: () => withBenchStack((stack) => runLanding(stack, signal)),
  'landing-scale': () => withBenchStack((stack) => runLandingScale(stack, signal)),
  latency: () => withBenchStack((stack) => runLatency(stack, signal)),
  models: () => withBenchStack((stack) => runModels(stack, signal)),
  reconcile: () => withBenchStack((stack) => runReconcile(stack, signal), ['clickhouse']),
  'reconcile-kills': () => withBenchStack(runReconcileKills),
  watch: () => withBenchStack((stack) => runWatch(stack, signal)),
};

/** Too expensive to run with the others. */
const onRequest = new Set(['first', 'codecs', 'backfill-large', 'landing-scale', 'models']);

try {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !(name in parts));
  if (unknown !== undefined) {
    throw new PipelineError('USAGE', {
      what: `There is no benchmark "${unknown}"`,
      todo: `Name any of: ${Object.keys(parts).join(', ')}.`,
    });
  }
  const names = asked.length > 0 ? asked : Object.keys(parts).filter((name) => !onRequest.has(name));
  const rows: Measurement[] = [];
  for (const name of names) {
    process.stderr.write(`${name} ...\n`);
    rows.push(...((await parts[name]?.()) ?? []));
  }
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const model = cpus()[0]?.model ?? 'unknown processor';
  process.stdout.write(
    `\n${availableParallelism()} cores (${model}), ${memory}, Node ${process.versions.node}\n\n`,
  );
  const columns = [
    { title: 'what' },
    { title: 'measured', align: 'right' as const },
    { title: 'aim' },
    { title: '' },
  ];
  process.stdout.write(
    `${renderTable(
      columns,
      rows.map(({ name, value, target, ok }) => [name, value, target, ok ? 'ok' : 'MISSED']),
    )}\n`,
  );
  process.exitCode = rows.every(({ ok }) => ok) ? 0 : 2;
} catch (error) {
  process.exitCode = reportError(error, process.argv.includes('--verbose'));
}
