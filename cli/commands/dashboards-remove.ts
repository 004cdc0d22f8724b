import { resolveDashboardSettings } from '../../superset/api/access.ts';
import { removeDashboards } from '../../superset/apply.ts';
import type { Run } from '../command.ts';
import { confirm } from '../confirm.ts';

export const run: Run = async (context, options) => {
  const { env, output, signal } = context;
  const settings = resolveDashboardSettings(env, context.target());
  await confirm(
    `Remove the project's dashboards, charts, datasets and roles from ${settings.access.url}?`,
    context,
    options,
  );
  const outcome = await removeDashboards(settings, signal);
  output.document(outcome);
  const { removed, kept, roles } = outcome;
  output.print(
    `Removed ${String(removed.length)} dashboards, charts and datasets, and ${String(roles.length)} roles.`,
  );
  for (const { kind, title } of kept) output.print(`left  ${kind} ${title}: people have built charts on it`);
  return 0;
};
