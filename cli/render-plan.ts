import pc from 'picocolors';
import type { FleetPlan } from '../controlplane/fleet.ts';
import type { Change, KeyChange } from '../controlplane/plan.ts';

const lineWidth = 80;
const colors = { create: pc.green, update: pc.yellow, delete: pc.red, none: pc.dim } as const;

const restartWords = {
  failed: 'and restart what has failed of it',
  all: 'and restart it, because a secret changes',
} as const;

/** The plan as a person reviews it: each connector that changes with each key that changes, then the counts. */
export function renderPlan({ plan: { changes }, leftOver }: Pick<FleetPlan, 'plan' | 'leftOver'>): string {
  const changing = changes.filter((change) => change.operation !== 'none');
  const unchanged = changes.length - changing.length;
  const counts = (['create', 'update', 'delete'] as const)
    .map(
      (operation) => [operation, changing.filter((change) => change.operation === operation).length] as const,
    )
    .filter(([, count]) => count > 0)
    .map(([operation, count]) => `${String(count)} to ${operation}`);
  return [
    ...changing.map(renderChange),
    counts.length === 0
      ? `Nothing to do: ${String(unchanged)} connectors are as declared.`
      : `${counts.join(', ')}, ${String(unchanged)} unchanged.`,
    ...leftOver.map((name) => pc.dim(`${name} is ours and no longer declared: --prune deletes it.`)),
  ].join('\n');
}

function renderChange({ operation, name, diff, state, restart, leftOut }: Change): string {
  return [
    `${colors[operation](operation)} ${pc.bold(name)}`,
    ...diff.map(renderKey),
    ...(state === null ? [] : [`  ${pc.yellow('~')} state: ${state.before ?? 'new'} -> ${state.after}`]),
    ...(restart === null ? [] : [`  ${restartWords[restart]}`]),
    ...renderLeftOut(leftOut.map(({ key }) => key)),
    '',
  ].join('\n');
}

/** Why each one is not sent is in `--json` and in docs/connectors.md. */
function renderLeftOut(keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const lines = ['  not sent:'];
  for (const key of keys) {
    const longer = `${lines.at(-1) ?? ''} ${key}`;
    if (longer.length <= lineWidth) lines[lines.length - 1] = longer;
    else lines.push(`    ${key}`);
  }
  return lines.map((line) => pc.dim(line));
}

function renderKey({ key, before, after }: KeyChange): string {
  if (before === null) return `  ${pc.green('+')} ${key}: ${shown(after)}`;
  if (after === null) return `  ${pc.red('-')} ${key}: ${shown(before)}`;
  const line = `${key}: ${shown(before)} -> ${shown(after)}`;
  const fits = line.length + 4 <= lineWidth;
  return `  ${pc.yellow('~')} ${fits ? line : `${key}:\n      ${shown(before)}\n   -> ${shown(after)}`}`;
}

/** An empty value is a value: the embedded ClickHouse has an empty password. */
function shown(value: string | null): string {
  return value === null || value === '' ? "''" : value;
}
