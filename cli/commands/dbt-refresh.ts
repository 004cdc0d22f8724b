import { InterruptedError, PipelineError } from '../../core/errors.ts';
import { parseSchedule } from '../../core/schedule.ts';
import { refreshModels, refreshOnSchedule, type RefreshOptions } from '../../dbt/refresh.ts';
import type { Run } from '../command.ts';
import { createProgress } from '../progress.ts';
import { describeRefresh, narrateRefresh } from '../refresh-models.ts';

export const run: Run = async (context, options) => {
  const { env, home, signal, output } = context;
  const refresh: RefreshOptions & { signal: AbortSignal } = {
    target: context.target(),
    home,
    env,
    signal,
    isFull: options['full'] === true,
    onProgress: (text) => {
      output.note(text);
    },
  };
  const cron = options['schedule'];
  if (typeof cron !== 'string') {
    const progress = createProgress(output, 'models');
    const done = await refreshModels({
      ...refresh,
      onModel: (models) => {
        progress.show(models);
      },
    }).finally(() => {
      progress.stop();
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
