import type { Problem } from '../core/errors.ts';
import { dottedPath } from '../core/parse.ts';
import { kafkaCoordinates } from './raw-table.ts';
import {
  baseTypeOf,
  definitionsIn,
  isUnion,
  logicalTypeOf,
  type AvroField,
  type AvroRecord,
} from './read-schema.ts';

const timestamp = { type: 'long', logicalType: 'timestamp-millis' };

/** The first fields of every record, in this order: what a consumer may rely on without knowing the topic. */
export const envelope: readonly Pick<AvroField, 'name' | 'type'>[] = [
  { name: 'event_id', type: 'string' },
  { name: 'event_type', type: 'string' },
  { name: 'occurred_at', type: timestamp },
  { name: 'produced_at', type: timestamp },
  { name: 'entity_version', type: 'long' },
  { name: 'is_deleted', type: 'int' },
];

interface NamedSchema {
  /** Path of the file, as the catalog has it. */
  name: string;
  definition: AvroRecord;
}

/** A problem with the path of its file, and the rule of the evolution check that reports it. */
type SchemaProblem = Problem & {
  name: string;
  rule: 'doc' | 'name' | 'enum-without-default' | 'schema-invalid';
};

/** Every rule of data-model.md that Avro itself does not know. */
export function checkSchemas(schemas: readonly NamedSchema[]): SchemaProblem[] {
  const rules = [
    { rule: 'schema-invalid', find: envelopeComesFirst },
    { rule: 'doc', find: everythingHasADoc },
    { rule: 'name', find: namesAreSnakeCase },
    { rule: 'enum-without-default', find: enumsHaveADefault },
    { rule: 'schema-invalid', find: optionalFieldsDefaultToNull },
    { rule: 'schema-invalid', find: moneyIsALongBesideItsCurrency },
    { rule: 'name', find: timesAreNamedForTheirType },
    { rule: 'name', find: noFieldIsAddedByConnect },
  ] as const;
  const own = schemas.flatMap(({ name, definition }) =>
    rules.flatMap(({ rule, find }) => find(definition).map((problem) => ({ ...problem, name, rule }))),
  );
  const shared = sharedTypesAreIdentical(schemas);
  return [...own, ...shared.map((problem) => ({ ...problem, rule: 'schema-invalid' as const }))];
}

function envelopeComesFirst({ fields }: AvroRecord): Problem[] {
  return envelope.flatMap(({ name, type }, index) => {
    const field = fields[index];
    if (field?.name !== name) {
      return [
        { path: fieldPath(index), message: `expected "${name}": every record starts with the envelope` },
      ];
    }
    if (JSON.stringify(field.type) === JSON.stringify(type)) return [];
    return [
      { path: `${fieldPath(index)}.type`, message: `expected ${JSON.stringify(type)}, as in every record` },
    ];
  });
}

/** The docs become the comments of the columns. */
function everythingHasADoc({ doc, fields }: AvroRecord): Problem[] {
  const message = 'a description is missing';
  return [
    ...(doc?.trim() ? [] : [{ path: 'doc', message }]),
    ...fields.flatMap((field, index) =>
      field.doc?.trim() ? [] : [{ path: `${fieldPath(index)}.doc`, message: `${message} (${field.name})` }],
    ),
  ];
}

/** Field names become column names. */
function namesAreSnakeCase({ fields }: AvroRecord): Problem[] {
  return fields.flatMap(({ name }, index) =>
    /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)
      ? []
      : [{ path: `${fieldPath(index)}.name`, message: `"${name}" is not snake_case` }],
  );
}

/** Without a default symbol, a reader with an older schema fails on the first new symbol. */
function enumsHaveADefault({ fields }: AvroRecord): Problem[] {
  return fields.flatMap((field, index) =>
    definitionsIn(field.type).flatMap(({ type, name, symbols, default: fallback }) => {
      if (type !== 'enum') return [];
      if (typeof fallback === 'string' && (symbols ?? []).includes(fallback)) return [];
      const message = `the enum ${name ?? ''} needs a default that is one of its symbols`;
      return [{ path: `${fieldPath(index)}.type.default`, message }];
    }),
  );
}

function optionalFieldsDefaultToNull({ fields }: AvroRecord): Problem[] {
  return fields.flatMap(({ name, type, ...field }, index) => {
    if (!isUnion(type)) return [];
    if (type.length !== 2 || type[0] !== 'null') {
      return [{ path: `${fieldPath(index)}.type`, message: `expected ["null", T] (${name})` }];
    }
    if ('default' in field && field.default === null) return [];
    return [{ path: `${fieldPath(index)}.default`, message: `an optional field defaults to null (${name})` }];
  });
}

/** Minor units mean nothing without their currency, and a double loses cents. */
function moneyIsALongBesideItsCurrency({ fields }: AvroRecord): Problem[] {
  const currency = fields.find(({ name }) => name === 'currency');
  return fields.flatMap(({ name, type }, index) => {
    if (!name.endsWith('_minor')) return [];
    const problems: Problem[] = [];
    if (baseTypeOf(type) !== 'long' || logicalTypeOf(type) !== undefined) {
      problems.push({
        path: `${fieldPath(index)}.type`,
        message: `an amount in minor units is a long (${name})`,
      });
    }
    if (currency === undefined || baseTypeOf(currency.type) !== 'string') {
      problems.push({
        path: fieldPath(index),
        message: `"${name}" needs a string field "currency" beside it`,
      });
    }
    return problems;
  });
}

function timesAreNamedForTheirType({ fields }: AvroRecord): Problem[] {
  return fields.flatMap(({ name, type }, index) => {
    const at = `${fieldPath(index)}.type`;
    const isTimestamp = logicalTypeOf(type) === 'timestamp-millis';
    const isDate = logicalTypeOf(type) === 'date';
    if (name.endsWith('_at') !== isTimestamp) {
      return [{ path: at, message: `_at and timestamp-millis belong together (${name})` }];
    }
    if (name.endsWith('_date') !== isDate) {
      return [{ path: at, message: `_date and the logical type date belong together (${name})` }];
    }
    return [];
  });
}

/** A field of the name of a coordinate would be overwritten. */
function noFieldIsAddedByConnect({ fields }: AvroRecord): Problem[] {
  return fields.flatMap(({ name }, index) =>
    kafkaCoordinates.some((coordinate) => coordinate.name === name)
      ? [{ path: `${fieldPath(index)}.name`, message: `"${name}" is added by Connect` }]
      : [],
  );
}

/** A named type that two schemas define, such as billing.Region, has to mean the same in both. */
function sharedTypesAreIdentical(schemas: readonly NamedSchema[]): (Problem & { name: string })[] {
  const first = new Map<string, { file: string; text: string }>();
  return schemas.flatMap(({ name: file, definition }) =>
    definition.fields.flatMap((field, index) =>
      definitionsIn(field.type).flatMap((type) => {
        if (type.name === undefined) return [];
        const fullName = `${type.namespace ?? definition.namespace}.${type.name}`;
        const text = JSON.stringify(type);
        const known = first.get(fullName);
        if (known === undefined) first.set(fullName, { file, text });
        if (known === undefined || known.text === text) return [];
        const message = `${fullName} differs from its definition in ${known.file}`;
        return [{ name: file, path: `${fieldPath(index)}.type`, message }];
      }),
    ),
  );
}

function fieldPath(index: number): string {
  return dottedPath(['fields', index]);
}
