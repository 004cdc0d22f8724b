import { withDeadline } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { ConnectorService } from '../connector-service.ts';
import type { Journal } from './journal.ts';
import type { WatchMetrics } from './metrics.ts';
import type { Decision } from './restart-policy.ts';

export interface RestartUnitsOptions {
  service: ConnectorService;
  journal: Journal;
  metrics: Pick<WatchMetrics, 'countRestart'>;
  /** For each request; what has not been answered by then is looked at again anyway. */
  deadlineMs: number;
  signal: AbortSignal;
}

/** Makes the restarts that were decided, all at once, and tells of each. One that is refused does not matter to the others. */
export async function restartUnits(
  decisions: readonly Decision[],
  { service, journal, metrics, deadlineMs, signal }: RestartUnitsOptions,
): Promise<void> {
  const restarts = decisions.filter(({ action }) => action === 'restart');
  await Promise.all(
    restarts.map(async ({ connector, task, cause }) => {
      const what = task === null ? connector : `task ${String(task)} of ${connector}`;
      const failure = await withDeadline({ what: 'The server', deadlineMs, signal }, (within) =>
        restart(service, connector, task, within),
      ).then(() => null, messageOf);
      if (signal.aborted) return;
      metrics.countRestart(connector, cause, failure === null ? 'accepted' : 'refused');
      const told = { event: 'restart', subject: connector, task, cause } as const;
      if (failure === null)
        journal.record({ ...told, level: 'info', message: `Restarted ${what} (${cause})` });
      else journal.record({ ...told, level: 'warn', message: `Could not restart ${what}`, reason: failure });
    }),
  );
}

async function restart(
  service: ConnectorService,
  connector: string,
  task: number | null,
  signal: AbortSignal,
): Promise<void> {
  if (service.restartOne === undefined) await service.restartFailed(connector, signal);
  else await service.restartOne(connector, task, signal);
}
