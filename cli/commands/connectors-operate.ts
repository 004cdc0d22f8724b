import { serviceOf } from '../../controlplane/fleet.ts';
import { findConnectors, operate, type Action, type Operated } from '../../controlplane/operate.ts';
import { PipelineError } from '../../core/errors.ts';
import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { renderTable } from '../output.ts';

/** What restart, pause, resume, stop and delete have in common: names in, what became of each out. */
export function runAction(action: Action): Run {
  return async (context, options, names) => {
    const { output, signal } = context;
    const service = serviceOf({ target: context.target() });
    const connectors = await findConnectors(service, names, signal);
    if (action === 'delete') {
      const which = connectors.map(({ name }) => name).join(', ');
      await confirm(`Delete ${which} at ${service.address}?`, context, options);
    }
    const done = await operate(service, connectors, action, {
      allTasks: options['allTasks'] === true,
      signal,
    });
    output.print(renderOperated(done));
    output.document(done);
    for (const { name, remark } of done) if (remark !== null) output.note(`${name}: ${remark}`);
    const failed = done.filter(({ failure }) => failure !== null);
    if (failed.length === 0) return 0;
    throw new PipelineError('ACTION_INCOMPLETE', {
      what: `${String(failed.length)} of ${String(done.length)} connectors: ${action} did not succeed`,
      where: service.address,
      todo: [
        ...failed.map(({ name, failure }) => `${name}: ${failure ?? ''}`),
        'Run connectors:status for their state.',
      ].join('\n'),
    });
  };
}

function renderOperated(done: readonly Operated[]): string {
  return renderTable(
    [{ title: 'Connector' }, { title: 'Before' }, { title: 'Now' }, { title: 'Result' }],
    done.map(({ name, action, before, after, failure }) => [
      name,
      before,
      after ?? (action === 'delete' && failure === null ? 'gone' : 'starting'),
      failure === null ? 'ok' : 'failed',
    ]),
  );
}
