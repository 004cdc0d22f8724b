import { createClickHouse } from '../../clickhouse/client.ts';
import { isClean, withReconciler, type PartitionReconciliation } from '../../controlplane/reconcile.ts';
import { countAll, planRepair, repair, type RepairReport } from '../../controlplane/reconciliation/repair.ts';
import { messageOf, PipelineError } from '../../core/errors.ts';
import { sleep } from '../../core/wait.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { CommandContext, ExitCode, Options, Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { renderChange, renderReconciliation, renderRepair, renderVerdict } from '../render-reconciliation.ts';
import { parseReconcileFlags, type ReconcileFlags } from './reconcile-flags.ts';

type Reconciler = Parameters<Parameters<typeof withReconciler>[1]>[0];

/** What each way of running works with. */
interface Work {
  context: CommandContext;
  options: Options;
  flags: ReconcileFlags;
  reconciler: Reconciler;
}

export const run: Run = async (context, options, args) => {
  const catalog = loadCatalog();
  const flags = parseReconcileFlags(
    options,
    args,
    catalog.topics.map(({ topic }) => topic),
  );
  const { topics, sinceMs, isQuick, lateAfterMs } = flags;
  const reconciling = {
    target: context.target(),
    catalog,
    signal: context.signal,
    ...(topics === undefined ? {} : { topics }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(isQuick ? {} : { tables: { lateAfterMs } }),
  };
  return withReconciler(reconciling, (reconciler) => {
    const work = { context, options, flags, reconciler };
    if (flags.watchMs !== undefined) return watch(work, flags.watchMs);
    return flags.repair ? repairMissing(work, reconciling) : lookOnce(work);
  });
};

async function lookOnce({ context: { output }, reconciler }: Work): Promise<ExitCode> {
  const partitions = await reconciler.look();
  output.print(renderReconciliation(partitions));
  output.print(`\n${renderVerdict(partitions)}`);
  output.document(partitions);
  return isClean(partitions) ? 0 : 2;
}

/** One look ends before the next begins. A server that is away for a while ends nothing, except at the first look. */
async function watch({ context, flags, reconciler }: Work, intervalMs: number): Promise<ExitCode> {
  const { output, signal } = context;
  let last: readonly PartitionReconciliation[] | undefined;
  let away = '';
  const isOver = () => signal.aborted;
  while (!isOver()) {
    const startedAt = performance.now();
    try {
      const partitions = await reconciler.look({ isPatient: last !== undefined });
      if (away !== '') output.note('All servers answer again');
      away = '';
      const change = last === undefined ? renderReconciliation(partitions) : renderChange(last, partitions);
      if (change !== '') {
        output.print(change);
        output.line(partitions);
      }
      last = partitions;
      if (flags.untilClean && isClean(partitions)) break;
    } catch (error) {
      if (isOver()) break;
      // A mistake does not pass by waiting, nor does whatever keeps the first look from being made.
      if (last === undefined || !(error instanceof PipelineError) || !error.retryable) throw error;
      if (messageOf(error) !== away) output.note(`${messageOf(error)}; looking again`);
      away = messageOf(error);
    }
    await sleep(Math.max(0, intervalMs - (performance.now() - startedAt)), signal).catch(() => undefined);
  }
  if (last === undefined) return 2;
  output.print(`\n${renderVerdict(last)}`);
  return isClean(last) ? 0 : 2;
}

async function repairMissing(
  { context, options, flags, reconciler }: Work,
  reconciling: Parameters<typeof withReconciler>[0],
): Promise<ExitCode> {
  const { output, signal } = context;
  const first = await reconciler.look();
  const { deadLetters } = flags;
  if (isClean(first) && !(deadLetters && first.some(({ dead }) => dead.length > 0))) {
    output.print(renderReconciliation(first));
    output.print('\nThere is nothing to repair.');
    output.document({ repaired: { landed: 0, refused: [] }, partitions: first });
    return 0;
  }
  const telling = (text: string) => {
    output.note(text);
  };
  const plan = await planRepair((how) => reconciler.look(how), first, {
    deadLetters,
    signal,
    onProgress: telling,
  });
  let report: RepairReport = { landed: 0, refused: [] };
  if (plan.length > 0) {
    for (const line of renderRepair(plan)) output.note(line);
    if (flags.dryRun) {
      output.document({ wouldRepair: plan, partitions: first });
      return 2;
    }
    const count = countAll(plan).toLocaleString('en-US');
    await confirm(`Write the rows of these ${count} offsets from their topics?`, context, options);
    const clickhouse = createClickHouse(reconciling.target);
    try {
      const { target, catalog } = reconciling;
      report = await repair({ target, catalog, clickhouse, signal, onProgress: telling }, plan);
    } finally {
      await clickhouse.close();
    }
  }
  const partitions = await reconciler.look();
  output.print(renderReconciliation(partitions));
  for (const { topic, partition, offset, why } of report.refused.slice(0, shownRefused)) {
    output.note(`${topic}/${partition}/${offset} cannot be written: ${why}`);
  }
  const more = report.refused.length - shownRefused;
  if (more > 0) output.note(`and ${more.toLocaleString('en-US')} more; --json has them all`);
  output.print(`\nWrote ${report.landed.toLocaleString('en-US')} rows. ${renderVerdict(partitions)}`);
  output.document({ repaired: report, partitions });
  return isClean(partitions) ? 0 : 2;
}

const shownRefused = 10;
