import pc from 'picocolors';
import { resolveDashboardSettings } from '../../superset/api/access.ts';
import { applyDashboards, type Applied } from '../../superset/apply.ts';
import { readAssets } from '../../superset/declare/read-assets.ts';
import type { Run } from '../command.ts';
import type { Output } from '../output.ts';

export const run: Run = async (context, options) => {
  const { env, output, signal } = context;
  const target = context.target();
  const applied = await applyDashboards({
    assets: readAssets(),
    target,
    settings: resolveDashboardSettings(env, target),
    prune: options['prune'] === true,
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  output.document(applied);
  printApplied(output, applied);
  return 0;
};

/** The dashboards with their addresses, and what else there is to know. */
export function printApplied(output: Output, applied: Applied): void {
  const { dashboards, charts, datasets, roles, removed, leftOver, version, filtersWithinGrain } = applied;
  for (const { title, url, isNew } of dashboards) {
    output.print(`${isNew ? pc.green('new    ') : 'updated'}  ${title}\n         ${url}`);
  }
  output.print(`${String(charts)} charts on ${String(datasets)} datasets`);
  for (const { kind, title } of removed) output.print(`${pc.red('removed')}  ${kind} ${title}`);
  for (const { kind, title } of leftOver) output.print(`left     ${kind} ${title}, which is not declared`);
  if (leftOver.length > 0) output.print('"--prune" removes what nobody has built on.');
  output.print(
    roles === null
      ? 'This Superset does not manage roles through its API: give its viewers access to these datasets.'
      : `Roles to look and not to change: ${roles.join(', ')}`,
  );
  if (version === null) output.note('It does not tell its version; the dashboards are made for 6.1.');
  if (!filtersWithinGrain) {
    output.note(
      [
        `${pc.yellow('warning')} This Superset answers filters that begin within a month wrongly in charts by month.`,
        '  Put FLASK_APP_MUTATOR of superset/server/superset_config.py into its configuration (docs/dashboards.md).',
      ].join('\n'),
    );
  }
}
