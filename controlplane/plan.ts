import type { ConnectorConfig, DesiredConnector } from './connector-config.ts';
import type { LiveConnector } from './connector-service.ts';
import { isSecretKey, secretMark, secretValues } from './secrets.ts';

export const operations = ['create', 'update', 'delete', 'none'] as const;
export type Operation = (typeof operations)[number];

/** One key that differs. Secret values are already masked: this is what people, logs and files see. */
export interface KeyChange {
  key: string;
  /** Null where the key is new. */
  before: string | null;
  /** Null where the key goes. */
  after: string | null;
}

/** What happens to one connector. */
export interface Change {
  operation: Operation;
  name: string;
  diff: readonly KeyChange[];
  /** Updating its configuration alone does not heal what has failed. */
  restartFailed: boolean;
}

/** Changes in the order apply executes them, each with what it takes to do so. */
export interface Plan {
  changes: readonly Change[];
  /** By name: what create and update write. Holds secrets. */
  desired: ReadonlyMap<string, DesiredConnector>;
  /** Every secret value, the one of before as well as the one of after, for masking what servers say. */
  secrets: readonly string[];
}

/**
 * What it takes to make `live` as `desired`.
 *
 * @param removable names of live connectors that are ours and may go once nothing declares them; every other
 *   undeclared connector belongs to somebody else and is left alone
 */
export function planConnectors(
  desired: readonly DesiredConnector[],
  live: ReadonlyMap<string, LiveConnector>,
  removable: ReadonlySet<string> = new Set(),
): Plan {
  const byName = new Map(desired.map((connector) => [connector.name, connector]));
  const declared = desired.map((connector) => planOne(connector, live.get(connector.name)));
  const removed = [...live.values()]
    .filter(({ name }) => removable.has(name) && !byName.has(name))
    .map(({ name, config }): Change => {
      return { operation: 'delete', name, diff: diffConfig(config, {}, new Set()), restartFailed: false };
    });
  const changes = [...declared, ...removed].sort((a, b) => a.name.localeCompare(b.name));
  const secrets = desired.flatMap(({ name, config, secretKeys }) => [
    ...secretValues(config, secretKeys),
    ...secretValues(live.get(name)?.config ?? {}, secretKeys),
  ]);
  return { changes, desired: byName, secrets };
}

/** True when applying the plan would do something. */
export function hasChanges({ changes }: Plan): boolean {
  return changes.some((change) => change.operation !== 'none');
}

function planOne(desired: DesiredConnector, live: LiveConnector | undefined): Change {
  const diff = diffConfig(live?.config ?? {}, desired.config, desired.secretKeys);
  const operation = live === undefined ? 'create' : diff.length === 0 ? 'none' : 'update';
  return {
    operation,
    name: desired.name,
    diff,
    restartFailed: operation === 'update' && live !== undefined && hasFailed(live),
  };
}

/** Key by key, sorted; compares the values themselves and shows the secret ones masked. */
export function diffConfig(
  before: ConnectorConfig,
  after: ConnectorConfig,
  secretKeys: ReadonlySet<string>,
): KeyChange[] {
  const show = (key: string, value: string | undefined) =>
    value === undefined ? null : secretKeys.has(key) || isSecretKey(key) ? secretMark : value;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ key, before: show(key, before[key]), after: show(key, after[key]) }));
}

export function hasFailed(live: LiveConnector): boolean {
  return live.state === 'FAILED' || live.tasks.some((task) => task.state === 'FAILED');
}
