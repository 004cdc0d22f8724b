import type { Problem } from '../core/errors.ts';
import { dottedPath } from '../core/parse.ts';
import type { AvroField } from './read-schema.ts';
import { baseTypeOf, isUnion } from './read-schema.ts';

/** What the rules of the catalog need of an entry; entries that could not be read are undefined. */
interface Entry {
  topic: string;
  schema: string;
  key: string;
  id: string;
  references: Readonly<Record<string, string>>;
  cleanup: 'delete' | 'compact';
  compatibility: string;
  compatibilityReason?: string | undefined;
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
    ...idIsAStringField(topics, fieldsOf),
    ...referencesResolve(topics, fieldsOf),
    ...compactionKeepsTheEntity(topics),
    ...noneHasAReason(topics),
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
  return stringFields(topics, 'key', ['string', 'enum'], fieldsOf);
}

function idIsAStringField(topics: Entries, fieldsOf: FieldsOf): Problem[] {
  return stringFields(topics, 'id', ['string'], fieldsOf);
}

function stringFields(
  topics: Entries,
  role: 'key' | 'id',
  allowed: readonly string[],
  fieldsOf: FieldsOf,
): Problem[] {
  return topics.flatMap((entry, index) => {
    const fields = entry && fieldsOf(entry.schema);
    if (entry === undefined || fields === undefined) return [];
    const name = entry[role];
    const field = fields.find((candidate) => candidate.name === name);
    const path = dottedPath(['topics', index, role]);
    if (field === undefined) return [{ path, message: `${entry.schema} has no field "${name}"` }];
    const type = baseTypeOf(field.type);
    if (allowed.includes(type) && !isUnion(field.type)) return [];
    return [{ path, message: `the field "${name}" must be a string that is never null` }];
  });
}

/** A parent listed after its child would be produced after it. */
function referencesResolve(topics: Entries, fieldsOf: FieldsOf): Problem[] {
  return topics.flatMap((entry, index) => {
    if (entry === undefined) return [];
    const fields = fieldsOf(entry.schema);
    const earlier = topics.slice(0, index).map((other) => other?.topic);
    return Object.entries(entry.references).flatMap(([name, parent]) => {
      const path = dottedPath(['topics', index, 'references', name]);
      const field = fields?.find((candidate) => candidate.name === name);
      if (fields !== undefined && field === undefined) {
        return [{ path, message: `${entry.schema} has no field "${name}"` }];
      }
      if (field !== undefined && baseTypeOf(field.type) !== 'string') {
        return [{ path, message: `the field "${name}" must be a string` }];
      }
      // An entry that could not be read may be the parent, and has been reported itself.
      if (earlier.includes(parent) || earlier.includes(undefined)) return [];
      return [{ path, message: `"${parent}" is not listed above ${entry.topic}` }];
    });
  });
}

/** Compaction keeps the last record of a key: the key has to be the id of the record's own entity. */
function compactionKeepsTheEntity(topics: Entries): Problem[] {
  return topics.flatMap((entry, index) => {
    if (entry?.cleanup !== 'compact' || entry.id === entry.key) return [];
    return [
      {
        path: dottedPath(['topics', index, 'cleanup']),
        message: `compacting by "${entry.key}" would drop records: key the topic by "${entry.id}" or use delete`,
      },
    ];
  });
}

/** Without a level nothing guards the consumers; whoever reads the catalog has to know why. */
function noneHasAReason(topics: Entries): Problem[] {
  return topics.flatMap((entry, index) => {
    if (entry === undefined) return [];
    const { compatibility, compatibilityReason } = entry;
    if ((compatibility === 'NONE') === (compatibilityReason !== undefined)) return [];
    return [
      {
        path: dottedPath(['topics', index, 'compatibilityReason']),
        message:
          compatibility === 'NONE'
            ? 'compatibility NONE needs its reason here'
            : 'belongs to compatibility NONE, and to no other',
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
