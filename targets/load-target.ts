import { readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { InvalidInputError, PipelineError, type Problem } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { check, dottedPath, readYaml } from '../core/parse.ts';

const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' });
/** Where a secret goes along: encrypted, or it does not leave this machine. */
const safeUrl = httpUrl.refine(
  (url) => URL.canParse(url) && (new URL(url).protocol === 'https:' || isLoopback(new URL(url).hostname)),
  'expected https://, or an address of this machine',
);
const hostAndPort = z.string().regex(/^[^\s:]+:\d{1,5}$/, 'expected host:port');

const targetSchema = z.strictObject({
  kafka: z.strictObject({
    brokers: z.array(hostAndPort).min(1),
    /** Of topics the pipeline creates. */
    replicationFactor: z.int().min(1).max(9),
    /** Logs in with SASL/PLAIN over TLS; without it, connections are neither. With Confluent Cloud, an API key. */
    sasl: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }).optional(),
  }),
  schemaRegistry: z.strictObject({
    /** Base of a Confluent-compatible API, without a trailing slash. */
    url: httpUrl,
    /** Basic authentication. */
    auth: z.strictObject({ username: z.string().min(1), password: z.string().min(1) }).optional(),
  }),
  connect: z.strictObject({
    /** A worker of Kafka Connect, or Confluent Cloud's API where `confluentCloud` is there. */
    url: httpUrl,
    confluentCloud: z
      .strictObject({
        environment: z.string().regex(/^env-\w+$/, 'expected an environment id: env-...'),
        /** Of the Kafka cluster. */
        cluster: z.string().regex(/^lkc-\w+$/, 'expected a Kafka cluster id: lkc-...'),
        /** A Cloud API key. */
        apiKey: z.string().min(1),
        /** A secret: never printed. */
        apiSecret: z.string().min(1),
        /** As whom the connectors read and write topics; empty for the API key of `kafka.sasl`. */
        serviceAccount: z.union([z.literal(''), z.string().regex(/^sa-\w+$/)], 'expected sa-... or nothing'),
      })
      .optional(),
  }),
  clickhouse: z.strictObject({
    url: httpUrl,
    user: z.string().min(1),
    /** A secret: never printed. */
    password: z.string(),
    database: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a plain identifier'),
  }),
  capabilities: z.strictObject({
    /** ClickHouse has Keeper, so the sink may run with exactlyOnce. */
    keeper: z.boolean(),
    /** The project's stand-in sink may take the official one's place. */
    standInSink: z.boolean(),
  }),
  connectors: z.strictObject({
    /** Laid over every connector declaration of this target; null removes a key. */
    overrides: z.record(z.string(), z.string().nullable()),
  }),
});

const checkedSchema = targetSchema.superRefine(({ connect, schemaRegistry, kafka }, context) => {
  const demand = (url: string, path: string[]) => {
    const { error } = safeUrl.safeParse(url);
    if (error !== undefined)
      context.addIssue({ code: 'custom', message: error.issues[0]?.message ?? '', path });
  };
  if (schemaRegistry.auth !== undefined) demand(schemaRegistry.url, ['schemaRegistry', 'url']);
  if (connect.confluentCloud === undefined) return;
  demand(connect.url, ['connect', 'url']);
  if (connect.confluentCloud.serviceAccount === '' && kafka.sasl === undefined) {
    const message = 'must be set, or connect.confluentCloud.serviceAccount: the connectors log in with it';
    context.addIssue({ code: 'custom', message, path: ['kafka', 'sasl'] });
  }
});

/** Where the pipeline runs: addresses, credentials and what the servers there can do. */
export type Target = z.infer<typeof targetSchema> & { name: string };

/** Environment variables that win over the file, and the setting each one replaces. */
const environmentOverrides = {
  KAFKA_BROKERS: ['kafka', 'brokers'],
  SCHEMA_REGISTRY_URL: ['schemaRegistry', 'url'],
  CONNECT_URL: ['connect', 'url'],
  CLICKHOUSE_URL: ['clickhouse', 'url'],
  CLICKHOUSE_USER: ['clickhouse', 'user'],
  CLICKHOUSE_PASSWORD: ['clickhouse', 'password'],
  CLICKHOUSE_DATABASE: ['clickhouse', 'database'],
} as const;

/** The target used when neither `--target` nor `PIPELINE_TARGET` names one. */
export const defaultTargetName = 'embedded';

/**
 * Loads `targets/<name>.yaml`.
 *
 * @throws PipelineError `UNKNOWN_TARGET` when there is no such file
 * @throws InvalidInputError listing every unset variable and every malformed setting together
 */
export function loadTarget(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
  folder = path.join(projectRoot, 'targets'),
): Target {
  const known = targetNames(folder);
  if (!known.includes(name)) {
    throw new PipelineError('UNKNOWN_TARGET', {
      what: `There is no target "${name}"`,
      where: folder,
      todo: `Use one of: ${known.join(', ')} (--target or PIPELINE_TARGET), or add ${name}.yaml there.`,
    });
  }
  const file = path.join(folder, `${name}.yaml`);
  const what = `The target "${name}" is not valid`;
  const settings = readYaml(file, what);
  const overriddenPaths = applyOverrides(settings, env);
  const unset: Problem[] = [];
  const resolved = resolveVariables(settings, env, [], unset);
  const parsed = check(checkedSchema, resolved);
  // A variable that is not set is the cause; what the schema says of the hole it left is only noise.
  const problems = [
    ...unset,
    ...parsed.problems.filter(({ path: at }) => !unset.some((problem) => problem.path === at)),
  ].map((problem) => ({ ...problem, path: overriddenPaths.get(problem.path) ?? problem.path }));
  if (parsed.value === undefined || problems.length > 0) {
    throw new InvalidInputError({ what, where: file, problems });
  }
  return { name, ...parsed.value };
}

/** Every target there is a file for, sorted. */
export function targetNames(folder = path.join(projectRoot, 'targets')): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => path.basename(file, '.yaml'))
    .sort();
}

/** Puts the overriding variables into `settings`; returns which path each one now answers for. */
function applyOverrides(settings: unknown, env: NodeJS.ProcessEnv): Map<string, string> {
  const answering = new Map<string, string>();
  for (const [variable, [section, key]] of Object.entries(environmentOverrides)) {
    const value = env[variable];
    if (value === undefined || value === '') continue;
    const group = isRecord(settings) ? settings[section] : undefined;
    if (!isRecord(group)) continue;
    // The address of a worker must not receive the keys of Confluent Cloud.
    if (section === 'connect' && 'confluentCloud' in group) continue;
    const values = key === 'brokers' ? value.split(',').map((broker) => broker.trim()) : undefined;
    group[key] = values ?? value;
    for (const at of values?.keys() ?? [])
      answering.set(dottedPath([section, key, at]), `${variable}[${String(at)}]`);
    answering.set(dottedPath([section, key]), variable);
  }
  return answering;
}

/** Replaces `${NAME}` and `${NAME:-default}` in every string below `value`. */
function resolveVariables(
  value: unknown,
  env: NodeJS.ProcessEnv,
  at: (string | number)[],
  unset: Problem[],
): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(
      /\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}/g,
      (_, variable: string, fallback?: string) => {
        const found = env[variable] || fallback;
        if (found === undefined) {
          unset.push({ path: dottedPath(at), message: `the environment variable ${variable} is not set` });
        }
        return found ?? '';
      },
    );
  }
  if (Array.isArray(value))
    return value.map((item, index) => resolveVariables(item, env, [...at, index], unset));
  if (isRecord(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolveVariables(item, env, [...at, key], unset)]),
    );
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
