import { listItems, type ConnectorConfig, type DesiredConnector } from './connector-config.ts';
import type { SecretHash } from './secret-hash.ts';
import { isSecretKey } from './secrets.ts';

/**
 * What we write into a connector's configuration to know it again. Confluent Cloud refuses keys that it does
 * not know; a predicate that no transform uses is part of Connect's own vocabulary, is validated, kept and given
 * back, and does nothing.
 */
const projectMark = 'billing-analytics-pipeline';
const ownerAlias = 'managedBy';
const secretsAlias = 'lastWritten';

/** Aliases of predicates that declarations must not use. */
export const markAliases: readonly string[] = [ownerAlias, secretsAlias];
/** Never a difference by itself: the secrets it stands for are compared. */
export const writtenSecretsKey = `predicates.${secretsAlias}.pattern`;

/** The connector as one of this project's. */
export function withMark(connector: DesiredConnector): DesiredConnector {
  return withPredicate(connector, ownerAlias, projectMark);
}

/** Whether a live connector is one of this project's, and may be removed once nobody declares it. */
export function carriesMark(config: ConnectorConfig): boolean {
  return config[`predicates.${ownerAlias}.pattern`] === projectMark;
}

/**
 * The connector with the keyed hashes of its secrets, for a server that never gives a secret back: what was written
 * last can then be compared by whoever has the key.
 */
export function withWrittenSecrets(connector: DesiredConnector, hash: SecretHash): DesiredConnector {
  const { name, config, secretKeys } = connector;
  const hashes = Object.entries(config)
    .filter(([key]) => secretKeys.has(key) || isSecretKey(key))
    .map(([key, value]) => `${key}=${hash.of(name, key, value)}`)
    .sort();
  return withPredicate(connector, secretsAlias, [`key=${hash.keyId}`, ...hashes].join(';'));
}

/** Hashes of the secrets that were written last, by key of the configuration. */
export interface WrittenSecrets {
  keyId: string;
  hashes: ReadonlyMap<string, string>;
}

export function writtenSecretsOf(config: ConnectorConfig): WrittenSecrets | undefined {
  const [first, ...rest] = (config[writtenSecretsKey] ?? '').split(';').map((part) => {
    const end = part.indexOf('=');
    return [part.slice(0, end), part.slice(end + 1)] as const;
  });
  return first?.[0] === 'key' ? { keyId: first[1], hashes: new Map(rest) } : undefined;
}

function withPredicate(connector: DesiredConnector, alias: string, pattern: string): DesiredConnector {
  const { config } = connector;
  return {
    ...connector,
    config: {
      ...config,
      predicates: [...listItems(config['predicates']), alias].join(','),
      [`predicates.${alias}.type`]: 'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
      [`predicates.${alias}.pattern`]: pattern,
    },
  };
}
