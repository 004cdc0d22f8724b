import type { Problem } from '../core/errors.ts';
import { dottedPath } from '../core/parse.ts';
import type { AvroField } from './read-schema.ts';
import { baseTypeOf, isUnion } from './read-schema.ts';

/** What the rules of the catalog need of an entry; entries that could not be read are undefined. */
interface Entry {
  topic: string;
  schema: string;
  key: string;
  cleanup: 'delete' | 'compact';
  rawTable: string;
}

interface Named {
  topic: string;
}

type Entries = readonly (Entry | undefined)[];
type FieldsOf = (schema: string) => readonly AvroField[] | undefined;

/** Every rule that involves more than one entry, or an entry and its schema. */
export function checkTopics(
  topics: Entries,
  deadLetterTopics: readonly (Named | undefined)[],
  fieldsOf: FieldsOf,
): Problem[] {
  return [
    ...topicIsListedOnce(topics, deadLetterTopics),
    ...rawTableIsUsedOnce(topics),
    ...schemaIsUsedOnce(topics),
    ...keyIsAStringField(topics, fieldsOf),
    ...compactionKeepsTheEntity(topics, fieldsOf),
  ];
}

function topicIsListedOnce(topics: Entries, deadLetterTopics: readonly (Named | undefined)[]): Problem[] {
  return [
    ...repeated(
      topics.map((entry) => entry?.topic),
      'topics',
      'topic',
    ),
    ...repeated(
      deadLetterTopics.map((entry) => entry?.topic),
      'deadLetterTopics',
      'topic',
      topics.flatMap((entry) => entry?.topic ?? []),
    ),
  ];
}

/** Two topics in one table would make the ledger's offsets ambiguous. */
function rawTableIsUsedOnce(topics: Entries): Problem[] {
  return repeated(
    topics.map((entry) => entry?.rawTable),
    'topics',
    'rawTable',
  );
}

function schemaIsUsedOnce(topics: Entries): Problem[] {
  return repeated(
    topics.map((entry) => entry?.schema),
    'topics',
    'schema',
  );
}

/** A null key would spread an entity's history over all partitions. */
function keyIsAStringField(topics: Entries, fieldsOf: FieldsOf): Problem[] {
  return topics.flatMap((entry, index) => {
    if (entry === undefined) return [];
    const fields = fieldsOf(entry.schema);
    if (fields === undefined) return [];
    const field = fields.find(({ name }) => name === entry.key);
    const at = dottedPath(['topics', index, 'key']);
    if (field === undefined) return [{ path: at, message: `${entry.schema} has no field "${entry.key}"` }];
    if (baseTypeOf(field.type) === 'string' && !isUnion(field.type)) return [];
    return [{ path: at, message: `the field "${entry.key}" must be a string that is never null` }];
  });
}

/** Compaction keeps the last record of a key: the key has to be the id of the record's own entity. */
function compactionKeepsTheEntity(topics: Entries, fieldsOf: FieldsOf): Problem[] {
  return topics.flatMap((entry, index) => {
    if (entry?.cleanup !== 'compact') return [];
    const own = fieldsOf(entry.schema)?.find(({ name }) => name.endsWith('_id') && name !== 'event_id')?.name;
    if (own === undefined || own === entry.key) return [];
    return [
      {
        path: dottedPath(['topics', index, 'cleanup']),
        message: `compacting by "${entry.key}" would drop records: key the topic by "${own}" or use delete`,
      },
    ];
  });
}

function repeated(
  values: readonly (string | undefined)[],
  list: string,
  key: string,
  taken: readonly string[] = [],
): Problem[] {
  const seen = new Set(taken);
  return values.flatMap((value, index) => {
    if (value === undefined) return [];
    if (seen.has(value))
      return [{ path: dottedPath([list, index, key]), message: `"${value}" is used twice` }];
    seen.add(value);
    return [];
  });
}
