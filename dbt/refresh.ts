import path from 'node:path';
import { z } from 'zod';
import { parseWith, readJson } from '../core/parse.ts';
import { runCommand } from '../core/run-command.ts';
import { runSchedule, type ScheduleOptions } from '../core/schedule.ts';
import { dbtFolder, dbtTargetFolder, prepareDbt, withDbtLock, type DbtOptions } from './run-dbt.ts';

export interface RefreshOptions extends DbtOptions {
  /** Builds every model anew instead of adding what is new. */
  isFull?: boolean;
  /** Told of each model that is done. */
  onModel?: (progress: { done: number; expected: number; elapsedMs: number }) => void;
}

export interface Refresh {
  /** Models, seeds and snapshots that were brought up to date. */
  models: number;
  elapsedMs: number;
}

/** A full build of the largest history that was measured takes minutes. */
const timeoutMs = 60 * 60_000;

/**
 * Brings the models up to date with what has landed: incremental models take what is new, the others are built
 * anew. Tests are left to `npm run dbt -- build`.
 *
 * @throws PipelineError those of dbt's environment, `COMMAND_FAILED` with what dbt said
 */
export async function refreshModels(options: RefreshOptions): Promise<Refresh> {
  const { home, signal, onModel, isFull = false } = options;
  const dbt = await prepareDbt(options);
  const startedAt = performance.now();
  await withDbtLock(home, signal, async () => {
    let done = 0;
    const args = ['--no-use-colors', 'build', '--exclude-resource-type', 'test', 'unit_test'];
    await runCommand(dbt.file, isFull ? [...args, '--full-refresh'] : args, {
      purpose: 'Building the models',
      cwd: dbtFolder,
      env: dbt.env,
      timeoutMs,
      onLine: (line) => {
        // dbt's numbers follow the order in which models began.
        const expected = /\d+ of (\d+) OK/.exec(line)?.[1];
        if (expected === undefined) return;
        done += 1;
        onModel?.({ done, expected: Number(expected), elapsedMs: performance.now() - startedAt });
      },
      todo: `All of it: ${path.join(home.logs, 'dbt', 'dbt.log')}`,
      ...(signal && { signal }),
    });
  });
  const file = path.join(dbtTargetFolder(home), 'run_results.json');
  const what = 'The results of dbt are not as expected';
  const { results } = parseWith(resultsSchema, readJson(file, what), what, file);
  return { models: results.length, elapsedMs: performance.now() - startedAt };
}

const resultsSchema = z.object({ results: z.array(z.object({ status: z.string() })) });

export interface RefreshScheduleOptions
  extends RefreshOptions, Pick<ScheduleOptions, 'schedule' | 'onNext' | 'onSkipped'> {
  signal: AbortSignal;
  onRefreshed?: (refresh: Refresh) => void;
  /** A refresh that fails does not end the schedule: the next one may succeed. */
  onFailed?: (message: string) => void;
}

/**
 * Refreshes the models at each firing of a schedule, one at a time.
 *
 * @throws InterruptedError when `signal` aborts
 */
export async function refreshOnSchedule(options: RefreshScheduleOptions): Promise<void> {
  const { schedule, signal, onNext, onSkipped, onRefreshed, onFailed } = options;
  await runSchedule({
    schedule,
    signal,
    ...(onNext && { onNext }),
    ...(onSkipped && { onSkipped }),
    onFailed: (message) => onFailed?.(message),
    run: async () => {
      onRefreshed?.(await refreshModels(options));
    },
  });
}
