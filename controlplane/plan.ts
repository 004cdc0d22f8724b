import type { ConnectorConfig, DeclaredState, DesiredConnector, LeftOutKey } from './connector-config.ts';
import type { LiveConnector } from './connector-service.ts';
import { writtenSecretsKey, writtenSecretsOf } from './marks.ts';
import type { SecretHash } from './secret-hash.ts';
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

/** Where the declaration asks for another state than the connector is in. */
export interface StateChange {
  /** Null for a connector that is created. */
  before: DeclaredState | null;
  after: DeclaredState;
}

/** What happens to one connector. */
export interface Change {
  operation: Operation;
  name: string;
  diff: readonly KeyChange[];
  /** Null where its state stays. */
  state: StateChange | null;
  /**
   * What is restarted after the update: what has failed, because an update does not heal that, or everything,
   * because a secret has changed. Null for nothing.
   */
  restart: 'failed' | 'all' | null;
  /** Keys of the declaration that are not sent, because this kind of server fixes or lacks them. */
  leftOut: readonly LeftOutKey[];
}

/** Changes in the order apply executes them, each with what it takes to do so. */
export interface Plan {
  changes: readonly Change[];
  /** By name: what create and update write. Holds secrets. */
  desired: ReadonlyMap<string, DesiredConnector>;
  /** By name: what the plan was made for. Holds secrets. */
  live: ReadonlyMap<string, LiveConnector>;
  /** Every secret value, the one of before as well as the one of after, for masking what servers say. */
  secrets: readonly string[];
}

export interface DiffOptions {
  /** Treats every secret that the server withholds as changed. Default false. */
  rewriteSecrets?: boolean;
  /** Names the secrets that are shown. Default: they are all called the same. */
  hash?: SecretHash;
}

export interface PlanOptions extends DiffOptions {
  /**
   * Live connectors that are ours and may go once nothing declares them; every other undeclared connector belongs
   * to somebody else and is left alone. Default: none.
   */
  removable?: ReadonlySet<string>;
}

/** What it takes to make `live` as `desired`. */
export function planConnectors(
  desired: readonly DesiredConnector[],
  live: ReadonlyMap<string, LiveConnector>,
  options: PlanOptions = {},
): Plan {
  const byName = new Map(desired.map((connector) => [connector.name, connector]));
  const declared = desired.map((connector) => planOne(connector, live.get(connector.name), options));
  const removed = [...live.values()]
    .filter(({ name }) => options.removable?.has(name) === true && !byName.has(name))
    .map(({ name, config }): Change => {
      const diff = diffConfig(config, { name, config: {}, secretKeys: new Set() }, options);
      return { operation: 'delete', name, diff, state: null, restart: null, leftOut: [] };
    });
  const changes = [...declared, ...removed].sort((a, b) => a.name.localeCompare(b.name));
  const secrets = desired.flatMap(({ name, config, secretKeys }) => [
    ...secretValues(config, secretKeys),
    ...secretValues(live.get(name)?.config ?? {}, secretKeys),
  ]);
  return { changes, desired: byName, live, secrets };
}

/** True when applying the plan would do something. */
export function hasChanges({ changes }: Plan): boolean {
  return changes.some((change) => change.operation !== 'none');
}

function planOne(desired: DesiredConnector, live: LiveConnector | undefined, options: DiffOptions): Change {
  const { name, leftOut = [] } = desired;
  const diff = diffConfig(live?.config ?? {}, desired, options);
  const before = live === undefined ? null : operatedState(live);
  const after = desired.state ?? before ?? 'running';
  const state = after === (before ?? 'running') ? null : { before, after };
  const operation = live === undefined ? 'create' : diff.length === 0 && state === null ? 'none' : 'update';
  const isUpdate = operation === 'update' && live !== undefined && after === 'running';
  const isRotated = diff.some(({ key }) => isSecretOf(desired, key));
  const restart = !isUpdate ? null : isRotated ? 'all' : hasFailed(live) ? 'failed' : null;
  return { operation, name, diff, state, restart, leftOut };
}

/** What somebody has asked of a live connector, as opposed to how it fares. */
export function operatedState({ state }: Pick<LiveConnector, 'state'>): DeclaredState {
  if (state === 'PAUSED') return 'paused';
  return state === 'STOPPED' ? 'stopped' : 'running';
}

/**
 * Key by key, sorted; compares the values themselves and shows the secret ones by their hashes. A secret that the
 * server withholds is compared by the hash of what was written last. Where that is unknown, or was made with
 * another key, it counts as equal, or as changed where they are all to be written again.
 */
export function diffConfig(
  before: ConnectorConfig,
  desired: DesiredConnector,
  { rewriteSecrets = false, hash }: DiffOptions = {},
): KeyChange[] {
  const { name, config: after, serverDefaults = {} } = desired;
  const [written, toWrite] = [writtenSecretsOf(before), writtenSecretsOf(after)];
  const isComparable = written !== undefined && written.keyId === toWrite?.keyId;
  const isRotated = (key: string) => {
    const [was, willBe] = [written?.hashes.get(key), toWrite?.hashes.get(key)];
    return isComparable && was !== undefined && was !== willBe;
  };
  const differs = (key: string) => {
    const [was, willBe] = [before[key], after[key]];
    if (was === undefined || was === willBe) return was !== willBe;
    if (willBe === undefined) return was !== serverDefaults[key];
    if (key === writtenSecretsKey) return false;
    return isWithheld(was) ? rewriteSecrets || isRotated(key) : true;
  };
  const show = (key: string, value: string | undefined) => {
    if (value === undefined) return null;
    if (!isSecretOf(desired, key)) return value;
    const known = isWithheld(value) ? isComparable && written.hashes.get(key) : hash?.of(name, key, value);
    return known ? `(secret ${known})` : secretMark;
  };
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .filter(differs)
    .map((key) => ({ key, before: show(key, before[key]), after: show(key, after[key]) }));
}

function isSecretOf({ secretKeys }: DesiredConnector, key: string): boolean {
  return secretKeys.has(key) || isSecretKey(key);
}

export function hasFailed(live: LiveConnector): boolean {
  return (
    live.state === 'FAILED' || live.state === 'DEGRADED' || live.tasks.some((task) => task.state === 'FAILED')
  );
}
