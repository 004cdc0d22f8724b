import { readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { InvalidInputError, PipelineError, type Problem } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { check, readJson } from '../core/parse.ts';
import type { Target } from '../targets/load-target.ts';
import { toManagedForm } from './confluent-cloud/managed-form.ts';
import { declaredStates, type Declaration, type DesiredConnector } from './connector-config.ts';
import { connectorRules, fleetRules, type Contracts } from './declaration-rules.ts';
import { migratedTables } from './migrated-tables.ts';
import { resolveReferences, type ReferenceSources } from './placeholders.ts';

export const declarationsFolder = path.join(projectRoot, 'connectors');

export interface DeclarationSources {
  target: Target;
  contracts: Contracts;
  env?: NodeJS.ProcessEnv;
  folder?: string;
  /** Tables that the connectors may write; default: those that the migrations create. */
  tables?: ReadonlySet<string>;
}

const what = 'The connector declarations are not valid';

/** The form `POST /connectors` takes, and the state to hold the connector in. Values are strings because Connect's are: "true", not true. */
const declarationSchema = z.strictObject({
  name: z.string(),
  config: z.record(
    z.string(),
    z.string({ error: 'expected a string; Connect configurations hold no other' }),
  ),
  state: z
    .enum(declaredStates, { error: `expected one of ${declaredStates.join(', ')}, or no state at all` })
    .optional(),
});

/**
 * The connectors this project declares, for one target: files read, the target's overrides laid over them,
 * references resolved, every rule checked, and the managed form derived where the target is Confluent Cloud.
 *
 * @throws InvalidInputError with the problems of all files, addressed as `<name>.config.<key>`
 */
export function loadDesiredConnectors({
  target,
  contracts,
  env = process.env,
  folder = declarationsFolder,
  tables = migratedTables(),
}: DeclarationSources): DesiredConnector[] {
  const { declarations, problems } = readFolder(folder);
  const sources = { target, env, folder };
  const resolved = declarations.map((declaration) => resolve(declaration, sources));
  problems.push(...resolved.flatMap((one) => one.problems));
  // A reference that could not be resolved is the cause; what a rule says of the hole it left is only noise.
  const reported = new Set(problems.map((problem) => problem.path));
  for (const { declaration, connector } of resolved) {
    for (const rule of connectorRules) {
      const found = rule({ declaration, connector, contracts, tables, capabilities: target.capabilities });
      problems.push(...found.map(at(connector.name)).filter((problem) => !reported.has(problem.path)));
    }
  }
  const connectors = resolved.map(({ connector }) => connector);
  for (const rule of fleetRules) problems.push(...rule(connectors));
  const sent = connectors.map((connector) => inFormOf(target, connector));
  for (const { problems: found } of sent) {
    problems.push(...found.filter(({ path: of }) => !problems.some((problem) => problem.path === of)));
  }
  if (problems.length > 0) throw new InvalidInputError({ what, where: folder, problems: distinct(problems) });
  return sent.map(({ connector }) => connector);
}

/** The connector as the target's server takes it; the rules speak of the self-managed form, which is declared. */
function inFormOf({ connect, kafka }: Target, connector: DesiredConnector) {
  const { confluentCloud } = connect;
  if (confluentCloud === undefined) return { connector, problems: [] };
  const { serviceAccount } = confluentCloud;
  const login =
    serviceAccount === ''
      ? { apiKey: kafka.sasl?.username ?? '', apiSecret: kafka.sasl?.password ?? '' }
      : { serviceAccount };
  return toManagedForm(connector, login);
}

/**
 * The declarations without a target: enough to know which connectors are ours, also while a secret is missing.
 *
 * @throws InvalidInputError where a file is not a declaration at all
 */
export function readDeclarations(folder = declarationsFolder): Declaration[] {
  const { declarations, problems } = readFolder(folder);
  if (problems.length > 0) throw new InvalidInputError({ what, where: folder, problems });
  return declarations;
}

function readFolder(folder: string): { declarations: Declaration[]; problems: Problem[] } {
  const files = filesOf(folder);
  const declarations: Declaration[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const name = path.basename(file, '.json');
    let content: unknown;
    try {
      content = readJson(path.join(folder, file), what);
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      problems.push(...error.problems.map(({ message }) => ({ path: name, message })));
      continue;
    }
    const parsed = check(declarationSchema, content);
    problems.push(...parsed.problems.map((problem) => ({ ...problem, path: `${name}.${problem.path}` })));
    if (parsed.value === undefined) continue;
    // The file is the one place a name can be looked up by, and two files cannot have the same one.
    if (parsed.value.name !== name) {
      problems.push({ path: `${name}.name`, message: `"${parsed.value.name}" is not the file's name` });
    }
    const { config, state } = parsed.value;
    declarations.push({ name, config, ...(state === undefined ? {} : { state }) });
  }
  return { declarations, problems };
}

function filesOf(folder: string): string[] {
  let files: string[];
  try {
    files = readdirSync(folder);
  } catch {
    files = [];
  }
  const declarations = files.filter((file) => file.endsWith('.json')).sort();
  if (declarations.length > 0) return declarations;
  throw new PipelineError('NO_DECLARATIONS', {
    what: 'There are no connector declarations',
    where: folder,
    todo: 'Put one <name>.json for each connector there.',
  });
}

function resolve(declaration: Declaration, sources: ReferenceSources) {
  const { name, state } = declaration;
  const { overrides } = sources.target.connectors;
  const config: Record<string, string> = {};
  const secretKeys = new Set<string>();
  const problems: Problem[] = [];
  for (const [key, text] of Object.entries({ ...declaration.config, ...overrides })) {
    if (text === null) continue;
    const resolved = resolveReferences(text, sources);
    // An override is written once for all who use the target, with and without what it refers to.
    if (key in overrides && resolved.value === '') continue;
    config[key] = resolved.value;
    if (resolved.isSecret) secretKeys.add(key);
    const origin = key in overrides ? `${sources.target.name}.connectors.overrides` : `${name}.config`;
    problems.push(...resolved.problems.map((message) => ({ path: `${origin}.${key}`, message })));
  }
  const connector = { name, config, secretKeys, ...(state === undefined ? {} : { state }) };
  return { declaration, connector, problems };
}

function at(name: string) {
  return ({ key, message }: { key: string; message: string }): Problem => ({
    path: `${name}.config.${key}`,
    message,
  });
}

/** An override is laid over every declaration, so its problems come once for each. */
function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}\n${problem.message}`, problem])).values()];
}
