import type { Type, types } from 'avsc';
import type { Problem } from '../core/errors.ts';
import { dottedPath } from '../core/parse.ts';
import type { CatalogTopic } from './catalog.ts';
import {
  definitionsIn,
  isUnion,
  requiredType,
  type AvroDefinition,
  type AvroField,
  type AvroRecord,
  type AvroType,
} from './read-schema.ts';

/** A column of a raw table, as the schema wants it. */
export interface RawColumn {
  name: string;
  /** As ClickHouse writes it: `LowCardinality(Nullable(String))`. */
  type: string;
  codec: string;
  comment: string;
  /** The schema's default, which records written before the field existed have; undefined where there is none. */
  fallback?: string | number | boolean | null;
}

/** The table that the records of a topic land in, as the schema wants it. */
export interface RawTable {
  name: string;
  topic: string;
  /** Path of the schema, relative to the catalog. */
  schema: string;
  /** Column of the Kafka key. */
  key: string;
  comment: string;
  /** The record's fields, in their order. */
  columns: readonly RawColumn[];
}

const instant = "DateTime64(3, 'UTC')";
const zstd = 'ZSTD(1)';
/** In the order of a raw table times and offsets are not sorted: Delta would make them larger. */
const t64 = 'T64, ZSTD(1)';

/** Where a record was in Kafka: Connect's InsertField adds these to every record, behind its own fields. */
export const kafkaCoordinates: readonly RawColumn[] = [
  {
    name: 'kafka_topic',
    type: 'LowCardinality(String)',
    codec: zstd,
    comment: 'Topic the record came from.',
  },
  { name: 'kafka_partition', type: 'Int32', codec: zstd, comment: 'Partition the record came from.' },
  { name: 'kafka_offset', type: 'Int64', codec: t64, comment: 'Offset of the record in its partition.' },
  {
    name: 'kafka_timestamp',
    type: instant,
    codec: t64,
    comment: "The record's timestamp on the broker, UTC.",
  },
];

/**
 * Last words of names whose values are nearly all different. Any other string repeats, and is kept as a number
 * in a dictionary (LowCardinality), which is smaller and faster until there are some 10,000 of them in a part.
 */
const distinctValues = new Set(
  'id key ref token name email company number description title sku url text query ip phone street'.split(
    ' ',
  ),
);

/** What the sink writes each primitive into: it casts strictly, so that an int never fits Int64, nor Int16. */
const primitives: Readonly<Record<string, string>> = {
  boolean: 'Bool',
  int: 'Int32',
  long: 'Int64',
  float: 'Float32',
  double: 'Float64',
};

/** The greatest precision of a ClickHouse Decimal. */
const maxPrecision = 76;

/** The table of a topic, and every field for which there is no column. */
export function rawTableOf(topic: CatalogTopic): { table: RawTable; problems: Problem[] } {
  const { definition, fields } = topic;
  const problems: Problem[] = [];
  // avsc's, because JSON has the default of a decimal as bytes.
  const defaults = new Map(
    (topic.type as Pick<types.RecordType, 'fields'> & Type).fields.map((field) => [
      field.name,
      field.defaultValue() as RawColumn['fallback'],
    ]),
  );
  const columns = fields.flatMap((field, index): RawColumn[] => {
    const type = columnType(field, definition);
    if (type !== undefined) {
      const { name, doc: comment = '' } = field;
      const fallback = defaults.get(name);
      const given = fallback === undefined ? {} : { fallback };
      return [{ name, type, codec: codecOf(type), comment, ...given }];
    }
    const path = `${topic.schema}: ${dottedPath(['fields', index, 'type'])}`;
    problems.push({ path, message: `"${field.name}" has a type that no column takes: ${supported}` });
    return [];
  });
  const { rawTable: name, schema, key } = topic;
  const comment = definition.doc ?? '';
  return { table: { name, topic: topic.topic, schema, key, comment, columns }, problems };
}

const supported =
  'use string, enum, boolean, int, long, float, double, timestamp-millis, date or a decimal of bytes, ' +
  'or ["null", T] of one of them; a list is a topic of its own';

function columnType({ name, type }: AvroField, record: AvroRecord): string | undefined {
  // The idempotency key: half the size of its text, and what is no UUID goes to the dead letters.
  if (name === 'event_id') return 'UUID';
  const scalar = scalarOf(requiredType(type), name, record);
  if (scalar === undefined) return undefined;
  const inner = isUnion(type) ? `Nullable(${scalar.type})` : scalar.type;
  return scalar.repeats ? `LowCardinality(${inner})` : inner;
}

interface Scalar {
  type: string;
  /** Few values come again and again. */
  repeats: boolean;
}

function scalarOf(type: AvroType, field: string, record: AvroRecord): Scalar | undefined {
  const distinct = (name: string): Scalar => ({ type: name, repeats: false });
  if (type === 'string') return { type: 'String', repeats: !distinctValues.has(lastWord(field)) };
  if (typeof type === 'string') {
    const primitive = primitives[type];
    if (primitive !== undefined) return distinct(primitive);
    // A type that a field before it defines, such as the status of previous_status.
    const definition = definitionNamed(type, record);
    return definition === undefined ? undefined : scalarOf(definition, field, record);
  }
  if (isUnion(type)) return undefined;
  const { logicalType, precision = 0, scale = 0 } = type;
  if (logicalType === 'timestamp-millis') return distinct(instant);
  // Date would end in 2149, and start in 1970.
  if (logicalType === 'date') return distinct('Date32');
  if (logicalType === 'decimal') {
    return type.type === 'bytes' && precision <= maxPrecision
      ? distinct(`Decimal(${precision}, ${scale})`)
      : undefined;
  }
  if (logicalType !== undefined) return undefined;
  if (type.type === 'enum') return { type: 'String', repeats: true };
  return scalarOf(type.type, field, record);
}

function definitionNamed(name: string, record: AvroRecord): AvroDefinition | undefined {
  return record.fields
    .flatMap(({ type }) => definitionsIn(type))
    .find((definition) => {
      const fullName = `${definition.namespace ?? record.namespace}.${definition.name ?? ''}`;
      return name === fullName || name === definition.name;
    });
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf('_') + 1);
}

function codecOf(type: string): string {
  return /DateTime64|Date32/.test(type) ? t64 : zstd;
}
