import { migrationStatus } from '../../clickhouse/migrate.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

export const run: Run = async ({ target, signal, output }) => {
  const migrations = await migrationStatus(target(), { signal });
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
