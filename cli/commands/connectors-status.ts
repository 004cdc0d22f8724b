import pc from 'picocolors';
import { readFleetStatus } from '../../controlplane/fleet.ts';
import { isUnhealthy, type Verdict } from '../../controlplane/health.ts';
import { describeSink } from '../../controlplane/sink-class.ts';
import type { ConnectorStatus } from '../../controlplane/status.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

export const run: Run = async (context) => {
  const { env, output, signal } = context;
  const { sink, connectors, lagUnknown } = await readFleetStatus({ target: context.target(), env, signal });
  output.note(
    sink === null ? 'The worker has no ClickHouse sink that this target allows' : describeSink(sink),
  );
  if (lagUnknown !== null) output.note(`Lag is unknown: ${lagUnknown}`);
  output.print(renderStatus(connectors));
  output.document(connectors);
  return connectors.some(({ verdict }) => isUnhealthy(verdict)) ? 2 : 0;
};

/** One line for each connector, then what to know about those that are not healthy. */
export function renderStatus(connectors: readonly ConnectorStatus[]): string {
  const table = renderTable(
    [
      { title: 'Connector' },
      { title: 'State' },
      { title: 'Verdict' },
      { title: 'Cause' },
      { title: 'Lag', align: 'right' },
      { title: 'Tasks', align: 'right' },
      { title: 'DLQ', align: 'right' },
    ],
    connectors.map(({ name, state, verdict, cause, lag, tasks, deadLetters }) => [
      name,
      state,
      colored(verdict),
      cause,
      lag,
      `${String(tasks.filter((task) => task.state === 'RUNNING').length)}/${String(tasks.length)}`,
      deadLetters,
    ]),
  );
  return [table, ...connectors.filter(({ reason }) => reason !== null).map(renderReason)].join('\n');
}

function renderReason({ name, reason, action, tasks }: ConnectorStatus): string {
  const others = tasks.filter(({ error }) => error !== null && reason?.endsWith(error) !== true);
  return [
    '',
    `${pc.bold(name)}: ${reason ?? ''}`,
    ...others.map(({ id, state, error }) => `  task ${String(id)} ${state}: ${error ?? ''}`),
    ...(action === null ? [] : [`  ${action}`]),
  ].join('\n');
}

function colored(verdict: Verdict): string {
  if (isUnhealthy(verdict)) return pc.red(verdict);
  return verdict === 'healthy' ? pc.green(verdict) : pc.yellow(verdict);
}
