import { InterruptedError, PipelineError } from '../../core/errors.ts';
import { parseSchedule } from '../../core/schedule.ts';
import { refreshModels, refreshOnSchedule, type Refresh, type RefreshOptions } from '../../dbt/refresh.ts';
import type { Run } from '../command.ts';
import type { Output } from '../output.ts';

export const run: Run = async (context, options) => {
  const { env, home, signal, output } = context;
  const refresh: RefreshOptions & { signal: AbortSignal } = {
    target: context.target(),
    home,
    env,
    signal,
    isFull: options['full'] === true,
  };
  const cron = options['schedule'];
  if (typeof cron !== 'string') {
    const done = await refreshModels({
      ...refresh,
      onProgress: (text) => {
        output.note(text);
      },
    });
    output.document(done);
    output.print(describeRefresh(done));
    return 0;
  }
  const schedule = parseSchedule(cron);
  if (refresh.isFull === true) {
    throw new PipelineError('USAGE', {
      what: '--full and --schedule do not go together',
      todo: 'Run "npm run dbt:refresh -- --full" once; the schedule adds what is new.',
    });
  }
  try {
    await refreshOnSchedule({ ...refresh, schedule, ...narrateRefresh(output) });
  } catch (error) {
    // Ctrl-C is how a schedule ends.
    if (!(error instanceof InterruptedError)) throw error;
  }
  return 0;
};

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
