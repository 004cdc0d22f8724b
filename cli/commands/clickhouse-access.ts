import { applyAccess } from '../../clickhouse/access.ts';
import type { Run } from '../command.ts';

export const run: Run = async (context) => {
  const { signal, output } = context;
  const target = context.target();
  const statements = await applyAccess(target, { signal });
  output.print(`The readers of ${target.clickhouse.database} have their roles: ${statements} statements.`);
  output.document({ database: target.clickhouse.database, statements });
  return 0;
};
