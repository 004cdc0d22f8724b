import path from 'node:path';
import type { Type } from 'avsc';
import { z } from 'zod';
import { InvalidInputError, type Problem } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { check, dottedPath, readYaml } from '../core/parse.ts';
import { checkTopics } from './catalog-rules.ts';
import { readSchema, type AvroField, type AvroRecord } from './read-schema.ts';
import { checkSchemas } from './schema-rules.ts';

/** What the registry demands of a new version of a schema. */
export const compatibilityLevels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type CompatibilityLevel = (typeof compatibilityLevels)[number];

const topicName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,248}$/, 'expected lower case, digits, . _ -');
const partitions = z.int().min(1).max(1000);
/** Milliseconds; -1 keeps records for ever, so that a table can always be rebuilt from its topic. */
const retentionMs = z
  .int()
  .refine((value) => value === -1 || value >= 60_000, 'expected -1 (for ever) or at least 60000')
  .default(-1);

const topicEntry = z.strictObject({
  topic: topicName,
  /** Path of the .avsc, relative to the catalog. */
  schema: z.string().regex(/^[\w./-]+\.avsc$/, 'expected the path of an .avsc file'),
  /** Field of the record whose value is the Kafka key. */
  key: z.string().min(1),
  /** Field that names the record's own entity; with entity_version it names one state of it. */
  id: z.string().min(1),
  /** Fields that hold the id of another topic's entity, which is produced first. */
  references: z.record(z.string().min(1), topicName).default({}),
  partitions,
  cleanup: z.enum(['delete', 'compact']),
  retentionMs,
  compatibility: z.enum(compatibilityLevels),
  /** Why changes are not checked; demanded by NONE, and by nothing else. */
  compatibilityReason: z.string().trim().min(1).optional(),
  rawTable: z.string().regex(/^raw_[a-z][a-z0-9_]*$/, 'expected raw_<entity>'),
});

const deadLetterEntry = z.strictObject({
  topic: topicName.endsWith('.dlq', 'expected a name that ends in .dlq'),
  partitions,
  retentionMs,
});

/** The file with its entries unread: each one is checked by itself, so that one bad entry hides no other. */
const catalogFile = z.strictObject({
  topics: z.array(z.unknown()).min(1),
  deadLetterTopics: z.array(z.unknown()).default([]),
});

/** A topic whose records have a schema and land in a raw table. */
export type CatalogTopic = z.infer<typeof topicEntry> & {
  /** Subject of the value schema in the registry: TopicNameStrategy. */
  subject: string;
  /** The schema as it is registered. */
  definition: AvroRecord;
  /** The fields of the record, in the order of the wire. */
  fields: readonly AvroField[];
  /** avsc's view of the schema: encodes, decodes, validates. */
  type: Type;
};

/** A topic of raw bytes with Connect's error headers. */
export type DeadLetterTopic = z.infer<typeof deadLetterEntry>;

/** THE list of topics; everything that exists per topic is derived from it. */
export interface Catalog {
  /** In the order of the file: parents before children. */
  topics: readonly CatalogTopic[];
  deadLetterTopics: readonly DeadLetterTopic[];
}

/** A problem of one of the catalog's files. */
export interface CatalogProblem extends Problem {
  /** Relative to the catalog's folder. */
  file: string;
  /** The rule of the evolution check that reports it. */
  rule: 'doc' | 'name' | 'enum-without-default' | 'schema-invalid';
}

const invalid = 'The topic catalog is not valid';
const catalogFileName = 'topics.yaml';
export const catalogFolder = path.join(projectRoot, 'schemas');

/**
 * Loads `topics.yaml` and every schema it names.
 *
 * @throws InvalidInputError with every problem of every file, each path starting with its file
 */
export function loadCatalog(folder = catalogFolder): Catalog {
  const { catalog, problems } = readCatalog(folder);
  if (problems.length === 0) return catalog;
  const located = problems.map(({ file, path: at, message }) => ({ path: `${file}: ${at}`, message }));
  throw new InvalidInputError({ what: invalid, where: folder, problems: located });
}

/**
 * The catalog as far as it could be read, and everything that is wrong with it.
 *
 * @throws InvalidInputError where `topics.yaml` is no YAML
 */
export function readCatalog(folder = catalogFolder): { catalog: Catalog; problems: CatalogProblem[] } {
  const file = check(catalogFile, readYaml(path.join(folder, catalogFileName), invalid));
  const problems: Problem[] = [...file.problems];
  const read = <S extends z.ZodType>(schema: S, entries: readonly unknown[] | undefined, key: string) =>
    (entries ?? []).map((entry, index) => {
      const parsed = check(schema, entry);
      const at = dottedPath([key, index]);
      problems.push(...parsed.problems.map((problem) => within(at, problem)));
      return parsed.value;
    });
  const entries = read(topicEntry, file.value?.topics, 'topics');
  const deadLetterTopics = read(deadLetterEntry, file.value?.deadLetterTopics, 'deadLetterTopics');

  const schemas = new Map(
    [...new Set(entries.flatMap((entry) => entry?.schema ?? []))].map((name) => [
      name,
      readSchema(path.join(folder, name)),
    ]),
  );
  problems.push(...checkTopics(entries, deadLetterTopics, (name) => schemas.get(name)?.definition?.fields));
  const located = problems.map((problem) => inFile(catalogFileName, problem));
  for (const [name, schema] of schemas) located.push(...schema.problems.map((p) => inFile(name, p)));
  const definitions = [...schemas].flatMap(([name, { definition }]) =>
    definition === undefined ? [] : [{ name, definition }],
  );
  located.push(...checkSchemas(definitions).map(({ name, ...problem }) => ({ ...problem, file: name })));

  const catalog = {
    topics: entries.flatMap((entry) => {
      const { definition, type } = (entry && schemas.get(entry.schema)) ?? {};
      if (entry === undefined || definition === undefined || type === undefined) return [];
      return [{ ...entry, subject: `${entry.topic}-value`, definition, fields: definition.fields, type }];
    }),
    deadLetterTopics: deadLetterTopics.filter((entry) => entry !== undefined),
  };
  return { catalog, problems: located };
}

function inFile(file: string, problem: Problem): CatalogProblem {
  return { ...problem, file, rule: 'schema-invalid' };
}

function within(parent: string, problem: Problem): Problem {
  return { ...problem, path: problem.path === '(top level)' ? parent : `${parent}.${problem.path}` };
}
