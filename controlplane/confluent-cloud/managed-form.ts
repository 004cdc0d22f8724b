import type { Problem } from '../../core/errors.ts';
import type { DesiredConnector, LeftOutKey } from '../connector-config.ts';
import {
  absentKeys,
  keptKeys,
  keptPrefixes,
  leftOutKeys,
  managedDefaults,
  renamedKeys,
} from './managed-keys.ts';

/** How the managed connectors log in to the Kafka cluster. */
export type KafkaLogin = { serviceAccount: string } | { apiKey: string; apiSecret: string };

/**
 * The connector as Confluent Cloud takes it, derived from the self-managed one by the tables of managed-keys.ts.
 *
 * @returns problems, addressed as `<name>.config.<key>`, for every key that has no place there
 */
export function toManagedForm(
  { name, config, secretKeys, state }: DesiredConnector,
  login: KafkaLogin,
): { connector: DesiredConnector; problems: Problem[] } {
  const managed: Record<string, string> = {};
  const secrets = new Set<string>();
  const leftOut: LeftOutKey[] = [];
  const problems: Problem[] = [];
  const refuse = (key: string, message: string) => problems.push({ path: `${name}.config.${key}`, message });
  const put = (key: string, to: string, value: string) => {
    if (Object.hasOwn(managed, to)) refuse(key, `means ${to}, which is declared as well`);
    managed[to] = value;
    if (secretKeys.has(key)) secrets.add(to);
  };
  for (const [key, value] of Object.entries(config)) {
    const renaming = renamedKeys.get(key);
    const off = absentKeys.get(key);
    const whyNot = leftOutKeys.get(key);
    if (renaming !== undefined) {
      const word = renaming.values === undefined ? value : renaming.values.get(value);
      if (word === undefined) refuse(key, `${value} has no counterpart on Confluent Cloud (${renaming.to})`);
      else put(key, renaming.to, word);
    } else if (whyNot !== undefined) {
      leftOut.push({ key, why: whyNot });
    } else if (off !== undefined) {
      if (value === off) leftOut.push({ key, why: 'the managed sink lacks it' });
      else refuse(key, `must be ${off} on Confluent Cloud, whose managed sink lacks it`);
    } else if (/\$\{(?!connector\})/.test(value)) {
      refuse(
        key,
        "holds a reference for the worker's own configuration providers, which Confluent Cloud lacks",
      );
    } else if (keptKeys.has(key) || keptPrefixes.some((prefix) => key.startsWith(prefix))) {
      put(key, key, value);
    } else {
      refuse(
        key,
        'is no setting of the managed sink on Confluent Cloud; remove it there with an override of null',
      );
    }
  }
  if ('serviceAccount' in login) {
    managed['kafka.auth.mode'] = 'SERVICE_ACCOUNT';
    managed['kafka.service.account.id'] = login.serviceAccount;
  } else {
    managed['kafka.auth.mode'] = 'KAFKA_API_KEY';
    managed['kafka.api.key'] = login.apiKey;
    managed['kafka.api.secret'] = login.apiSecret;
    secrets.add('kafka.api.key').add('kafka.api.secret');
  }
  if (state === 'stopped') {
    problems.push({ path: `${name}.state`, message: 'Confluent Cloud cannot stop a connector: pause it' });
  }
  const connector: DesiredConnector = {
    name,
    config: managed,
    secretKeys: secrets,
    serverDefaults: managedDefaults,
    leftOut,
    ...(state === undefined ? {} : { state }),
  };
  return { connector, problems };
}
