import type { ConnectorConfig, DesiredConnector, LeftOutKey } from './connector-config.ts';
import type { LiveConnector } from './connector-service.ts';
import { isSecretKey, isWithheld, secretMark, secretValues } from './secrets.ts';

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
  /** Keys of the declaration that are not sent, because this kind of server fixes or lacks them. */
  leftOut: readonly LeftOutKey[];
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
 * @param rewriteSecrets treats every secret that the server withholds as changed
 */
export function planConnectors(
  desired: readonly DesiredConnector[],
  live: ReadonlyMap<string, LiveConnector>,
  removable: ReadonlySet<string> = new Set(),
  rewriteSecrets = false,
): Plan {
  const byName = new Map(desired.map((connector) => [connector.name, connector]));
  const declared = desired.map((connector) => planOne(connector, live.get(connector.name), rewriteSecrets));
  const removed = [...live.values()]
    .filter(({ name }) => removable.has(name) && !byName.has(name))
    .map(({ name, config }): Change => {
      const diff = diffConfig(config, { config: {}, secretKeys: new Set() });
      return { operation: 'delete', name, diff, restartFailed: false, leftOut: [] };
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

function planOne(
  desired: DesiredConnector,
  live: LiveConnector | undefined,
  rewriteSecrets: boolean,
): Change {
  const diff = diffConfig(live?.config ?? {}, desired, rewriteSecrets);
  const operation = live === undefined ? 'create' : diff.length === 0 ? 'none' : 'update';
  return {
    operation,
    name: desired.name,
    diff,
    restartFailed: operation === 'update' && live !== undefined && hasFailed(live),
    leftOut: desired.leftOut ?? [],
  };
}

/**
 * Key by key, sorted; compares the values themselves and shows the secret ones masked. A secret that the server
 * withholds cannot be compared: it counts as equal, or as changed where they are all to be written again.
 */
export function diffConfig(
  before: ConnectorConfig,
  { config: after, secretKeys, serverDefaults = {} }: Omit<DesiredConnector, 'name'>,
  rewriteSecrets = false,
): KeyChange[] {
  const differs = (key: string) => {
    const [was, willBe] = [before[key], after[key]];
    if (was === undefined || was === willBe) return was !== willBe;
    return willBe === undefined ? was !== serverDefaults[key] : rewriteSecrets || !isWithheld(was);
  };
  const show = (key: string, value: string | undefined) =>
    value === undefined ? null : secretKeys.has(key) || isSecretKey(key) ? secretMark : value;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter(differs)
    .map((key) => ({ key, before: show(key, before[key]), after: show(key, after[key]) }));
}

export function hasFailed(live: LiveConnector): boolean {
  return (
    live.state === 'FAILED' || live.state === 'DEGRADED' || live.tasks.some((task) => task.state === 'FAILED')
  );
}
