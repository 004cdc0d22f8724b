import { PipelineError } from '../core/errors.ts';
import type { CatalogTopic, CompatibilityLevel } from './catalog.ts';
import { createRegistry, type Registry, type RegistryEndpoint } from './registry.ts';

export const registrationResults = ['created', 'new version', 'unchanged'] as const;

/** What became of one subject. */
export interface Registration {
  topic: string;
  subject: string;
  result: (typeof registrationResults)[number];
  /** Id that the wire format carries in front of every record. */
  id: number;
  compatibility: CompatibilityLevel;
}

export interface RegisterOptions {
  registry: RegistryEndpoint;
  topics: readonly CatalogTopic[];
  signal?: AbortSignal;
}

/**
 * Registers the schema of every topic and sets the compatibility level of its subject, because the registry's
 * own default may accept anything. Idempotent. Nothing is registered when any schema would be refused.
 *
 * @throws PipelineError `SCHEMA_REFUSED` with the registry's reason for each refused schema,
 *   `REGISTRY_UNREACHABLE`, `REGISTRY_TLS`, `REGISTRY_FORBIDDEN`, `REGISTRY_ERROR`
 */
export async function registerSchemas(options: RegisterOptions): Promise<Registration[]> {
  const { topics, signal } = options;
  const registry = createRegistry(options.registry, signal);
  const known = new Map<string, number>();
  const refusals: string[] = [];
  const isNew = new Set<string>();
  for (const topic of topics) {
    const { subject, compatibility } = topic;
    if ((await registry.compatibilityOf(subject)) !== compatibility) {
      await registry.setCompatibility(subject, compatibility);
    }
    const id = await registry.findId(topic);
    if (id !== undefined) known.set(subject, id);
    else if (!(await registry.hasSubject(subject))) isNew.add(subject);
    else if (!(await registry.isCompatible(topic))) {
      const reason = await refusalOf(registry, topic);
      if (reason !== undefined) refusals.push(`${subject}: ${reason}`);
    }
  }
  if (refusals.length > 0) {
    throw new PipelineError('SCHEMA_REFUSED', {
      what: `The schema registry refuses ${refusals.length} of ${topics.length} schemas; none was registered`,
      where: options.registry.url,
      todo: `${refusals.join('\n')}\nMake the change compatible (a default for a new field), or use a new topic.`,
    });
  }
  const registrations: Registration[] = [];
  for (const topic of topics) {
    const { subject, compatibility } = topic;
    const knownId = known.get(subject);
    registrations.push({
      topic: topic.topic,
      subject,
      result: knownId !== undefined ? 'unchanged' : isNew.has(subject) ? 'created' : 'new version',
      id: knownId ?? (await registry.register(topic)),
      compatibility,
    });
  }
  return registrations;
}

/**
 * Ids of the schemas as they are registered, by topic.
 *
 * @throws PipelineError `SCHEMA_NOT_REGISTERED` naming every subject that lacks the catalog's schema
 */
export async function lookUpSchemaIds(options: RegisterOptions): Promise<Map<string, number>> {
  const { topics, signal } = options;
  const registry = createRegistry(options.registry, signal);
  const ids = new Map<string, number>();
  const missing: string[] = [];
  for (const topic of topics) {
    const id = await registry.findId(topic);
    if (id === undefined) missing.push(topic.subject);
    else ids.set(topic.topic, id);
  }
  if (missing.length > 0) {
    throw new PipelineError('SCHEMA_NOT_REGISTERED', {
      what: `The registry lacks the catalog's schema of ${missing.join(', ')}`,
      where: options.registry.url,
      todo: 'Run "npm run schemas:register".',
    });
  }
  return ids;
}

/** Only an attempt to register names the differences; one that is refused leaves nothing behind. */
async function refusalOf(registry: Registry, topic: CatalogTopic): Promise<string | undefined> {
  try {
    await registry.register(topic);
    return undefined;
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'SCHEMA_REFUSED') return error.message;
    throw error;
  }
}
