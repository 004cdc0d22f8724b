import { readFileSync } from 'node:fs';
import { codeOf, type Problem } from '../core/errors.ts';
import { dottedPath } from '../core/parse.ts';

/** Settings with every variable filled in, and what is to be said of the variables. */
export interface ResolvedSettings {
  settings: unknown;
  problems: Problem[];
  /** Which variable a setting came from as a whole, by the setting's dotted path. */
  variables: ReadonlyMap<string, string>;
}

/** Environment variables that win over the file, and the setting each one replaces. */
const overrides = {
  KAFKA_BROKERS: ['kafka', 'brokers'],
  SCHEMA_REGISTRY_URL: ['schemaRegistry', 'url'],
  CONNECT_URL: ['connect', 'url'],
  CLICKHOUSE_URL: ['clickhouse', 'url'],
  CLICKHOUSE_USER: ['clickhouse', 'user'],
  CLICKHOUSE_PASSWORD: ['clickhouse', 'password'],
  CLICKHOUSE_DATABASE: ['clickhouse', 'database'],
} as const;

const reference = /\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Fills in `${NAME}` and `${NAME:-default}`, and lays the overriding variables over the file. Where `NAME` is not set,
 * `NAME_FILE` may name a file that holds the value, as secret stores mount them. An empty variable counts as unset.
 */
export function resolveSettings(file: unknown, env: NodeJS.ProcessEnv): ResolvedSettings {
  const settings = structuredClone(file);
  const problems: Problem[] = [];
  const variables = new Map<string, string>();
  const lookUp = createLookUp(env, problems);

  for (const [variable, [section, key]] of Object.entries(overrides)) {
    const group = isRecord(settings) ? settings[section] : undefined;
    if (!isRecord(group)) continue;
    // The address of a worker must not receive the keys of Confluent Cloud.
    if (section === 'connect' && 'confluentCloud' in group) continue;
    const value = lookUp(variable);
    if (value === undefined) continue;
    const values = key === 'brokers' ? value.split(',').map((broker) => broker.trim()) : undefined;
    group[key] = values ?? value;
    for (const at of values?.keys() ?? [])
      variables.set(dottedPath([section, key, at]), `${variable}[${String(at)}]`);
    variables.set(dottedPath([section, key]), variable);
  }

  const fill = (value: unknown, at: (string | number)[]): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...at, index]));
    if (isRecord(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...at, key])]));
    }
    if (typeof value !== 'string') return value;
    return value.replaceAll(reference, (whole, variable: string, fallback?: string) => {
      const found = lookUp(variable) ?? fallback;
      if (whole === value && !variables.has(dottedPath(at))) variables.set(dottedPath(at), variable);
      if (found === undefined) {
        problems.push({ path: dottedPath(at), message: `the environment variable ${variable} is not set` });
      }
      return found ?? '';
    });
  };
  return { settings: fill(settings, []), problems, variables };
}

function createLookUp(env: NodeJS.ProcessEnv, problems: Problem[]): (name: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (name) => {
    if (!known.has(name))
      known.set(name, env[name] || fromFile(env[`${name}_FILE`], `${name}_FILE`, problems));
    return known.get(name);
  };
}

/** What cannot be read counts as found, so that it is reported once and not as unset too. */
function fromFile(file: string | undefined, variable: string, problems: Problem[]): string | undefined {
  if (file === undefined || file === '') return undefined;
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return text;
    problems.push({ path: variable, message: `the file ${file} is empty` });
  } catch (error) {
    const code = codeOf(error) ?? 'unknown reason';
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    problems.push({ path: variable, message: `the file ${file} ${reason}` });
  }
  return '';
}

/** Lays `over` on `base`, group by group; whatever is no group replaces what is there. */
export function overlay(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over;
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = key in merged ? overlay(merged[key], value) : value;
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
