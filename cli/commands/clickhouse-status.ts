import { migrationStatus } from '../../clickhouse/migrate.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

export const run: Run = async (context) => {
  const { signal, output } = context;
  const migrations = await migrationStatus(context.target(), { signal });
  output.print(
    renderTable(
      [{ title: 'migration' }, { title: 'state' }, { title: 'applied at (UTC)' }],
      migrations.map(({ name, state, appliedAt }) => [name, state, appliedAt]),
    ),
  );
  const pending = migrations.filter(({ state }) => state === 'pending').length;
  if (pending > 0) output.print(`\n${pending} pending: run "npm run clickhouse:migrate".`);
  output.document(migrations);
  return pending > 0 ? 2 : 0;
};
