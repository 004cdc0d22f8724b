import { migrate } from '../../clickhouse/migrate.ts';
import type { Run } from '../command.ts';

export const run: Run = async (context) => {
  const { signal, output } = context;
  const { clickhouse } = context.target();
  const { database, applied, total } = await migrate(
    { clickhouse },
    {
      signal,
      onApplied: (name) => {
        output.note(`applied ${name}`);
      },
      onWait: (holder) => {
        output.note(`Waiting for another run (${holder})`);
      },
    },
  );
  output.print(
    applied.length === 0
      ? `${database} at ${clickhouse.url} is up to date: ${total} migrations applied.`
      : `Applied ${applied.length} of ${total} migrations to ${database} at ${clickhouse.url}.`,
  );
  output.document({ database, applied, total });
  return 0;
};
