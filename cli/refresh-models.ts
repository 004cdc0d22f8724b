import { waitUntilReconciled } from '../controlplane/reconcile.ts';
import { parseSchedule } from '../core/schedule.ts';
import { refreshModels, refreshOnSchedule, type Refresh } from '../dbt/refresh.ts';
import { loadCatalog } from '../schemas/catalog.ts';
import type { CommandContext } from './command.ts';
import type { Output } from './output.ts';

/** A backfill of the largest history that was measured lands in minutes. */
const landingTimeoutMs = 60 * 60_000;

/** Runs `work` while the models are refreshed at each firing of a schedule; the schedule ends with the work. */
export async function refreshBeside<T>(
  { target, home, env, output, signal }: CommandContext,
  cron: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (cron === undefined) return work();
  const schedule = parseSchedule(cron, '--refresh');
  const workEnded = new AbortController();
  const refreshing = refreshOnSchedule({
    target: target(),
    home,
    env,
    schedule,
    signal: AbortSignal.any([signal, workEnded.signal]),
    ...narrateRefresh(output),
  }).catch((error: unknown) => {
    if (!workEnded.signal.aborted && !signal.aborted) throw error;
  });
  try {
    // A schedule ends by itself only when it fails: then so does the work.
    return await Promise.race([work(), refreshing.then(() => new Promise<never>(() => undefined))]);
  } finally {
    workEnded.abort();
    await refreshing;
  }
}

/** Waits until what was produced has landed, then brings the models up to date. */
export async function refreshWhenLanded(context: CommandContext): Promise<Refresh> {
  const { home, env, output, signal } = context;
  const target = context.target();
  output.note('Waiting until all of it has landed');
  const { clean } = await waitUntilReconciled({
    target,
    catalog: loadCatalog(),
    signal,
    timeoutMs: landingTimeoutMs,
  });
  if (!clean) output.note('Not everything has landed: "npm run reconcile" says what is missing');
  return refreshModels({ target, home, env, signal });
}

export function describeRefresh({ models, elapsedMs }: Refresh): string {
  return `${models} models are up to date, ${(elapsedMs / 1000).toFixed(1)} s`;
}

/** What a schedule of refreshes says while it goes on. */
export function narrateRefresh(output: Output) {
  return {
    onNext: (at: Date) => {
      output.note(`Next refresh of the models at ${at.toISOString()}`);
    },
    onSkipped: (count: number) => {
      output.note(`${count} ${count === 1 ? 'refresh was' : 'refreshes were'} skipped: one took longer`);
    },
    onRefreshed: (refresh: Refresh) => {
      output.note(describeRefresh(refresh));
    },
    onFailed: (message: string) => {
      output.note(`The models were not refreshed: ${message}`);
    },
  };
}
