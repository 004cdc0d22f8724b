import { readFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../core/errors.ts';
import type { Target } from '../targets/load-target.ts';

/** Where references in a declaration are looked up. */
export interface ReferenceSources {
  target: Target;
  env: NodeJS.ProcessEnv;
  /** Relative `${file:...}` paths start here. */
  folder: string;
}

export interface Resolved {
  value: string;
  /** True when any part of the value came from a reference marked as secret. */
  isSecret: boolean;
  /** What could not be resolved, one sentence each. */
  problems: string[];
}

/** `$${` stands for a literal `${`, which Connect's own configuration providers resolve on the worker. */
const referencePattern = /\$\$\{|\$\{([^}]*)\}/g;
const secretTargetReferences = new Set([
  'clickhouse.password',
  'schemaRegistry.password',
  'schemaRegistry.userInfo',
]);

/**
 * Resolves the references of one configuration value:
 * `${clickhouse.host}` and the other names of {@link targetReferences} from the target, `${env:NAME}` from the
 * environment, `${file:path}` from a file without its trailing line break, and `${secret:...}` around any of
 * them for a value that must never be shown.
 */
export function resolveReferences(text: string, sources: ReferenceSources): Resolved {
  const problems: string[] = [];
  let isSecret = false;
  const value = text.replaceAll(referencePattern, (whole, expression?: string) => {
    if (expression === undefined) return '${';
    const marked = expression.startsWith('secret:');
    isSecret ||= marked;
    const found = lookUp(marked ? expression.slice('secret:'.length) : expression, marked, sources);
    if (typeof found === 'string') return found;
    problems.push(found.problem);
    return whole;
  });
  return { value, isSecret, problems };
}

function lookUp(
  expression: string,
  marked: boolean,
  { target, env, folder }: ReferenceSources,
): string | { problem: string } {
  if (expression.startsWith('env:')) {
    const name = expression.slice('env:'.length);
    return env[name] || { problem: `the environment variable ${name} is not set` };
  }
  if (expression.startsWith('file:')) {
    return readReferenced(path.resolve(folder, expression.slice('file:'.length)));
  }
  if (secretTargetReferences.has(expression) && !marked) {
    return { problem: `write \${secret:${expression}}, so that the value is masked everywhere` };
  }
  const references = targetReferences(target);
  return (
    references[expression] ?? {
      problem:
        `unknown placeholder \${${expression}}; ` +
        `known are ${Object.keys(references).join(', ')}, env:NAME, file:PATH, each also as secret:...`,
    }
  );
}

/** What a declaration may take from the target; addresses are those that the workers see. */
function targetReferences(target: Target): Record<string, string> {
  const clickhouse = new URL(target.workers?.clickhouseUrl || target.clickhouse.url);
  const registry = target.workers?.schemaRegistryUrl || target.schemaRegistry.url;
  const { auth } = target.schemaRegistry;
  const ssl = clickhouse.protocol === 'https:';
  return {
    'clickhouse.host': clickhouse.hostname,
    'clickhouse.port': clickhouse.port || (ssl ? '443' : '80'),
    'clickhouse.ssl': String(ssl),
    'clickhouse.user': target.clickhouse.user,
    'clickhouse.password': target.clickhouse.password,
    'clickhouse.database': target.clickhouse.database,
    'schemaRegistry.url': registry,
    // Apicurio serves its own API beside the Confluent-compatible one, on the same host and port.
    'schemaRegistry.origin': new URL(registry).origin,
    // As Confluent's converters take them; empty where the registry asks for no login.
    'schemaRegistry.credentialsSource': auth === undefined ? '' : 'USER_INFO',
    'schemaRegistry.userInfo': auth === undefined ? '' : `${auth.username}:${auth.password}`,
    'schemaRegistry.username': auth?.username ?? '',
    'schemaRegistry.password': auth?.password ?? '',
    'kafka.replicationFactor': String(target.kafka.replicationFactor),
    'capabilities.keeper': String(target.capabilities.keeper),
  };
}

function readReferenced(file: string): string | { problem: string } {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${codeOf(error) ?? '?'})`;
    return { problem: `the file ${file} ${reason}` };
  }
}
