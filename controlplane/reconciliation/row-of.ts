import type { AvroRecord, AvroType } from '../../schemas/read-schema.ts';
import { logicalTypeOf } from '../../schemas/read-schema.ts';

/** A row as ClickHouse's JSONEachRow takes it. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Where a record is, and when it came there: milliseconds. */
export interface Coordinates {
  topic: string;
  partition: number;
  offset: number;
  timestampMs: number;
}

/**
 * The row that the sink makes of a record: its fields by their names, and its coordinates in Kafka. Returns a text
 * where it is not known here what the sink would write.
 *
 * @param record as it was decoded with `definition`: decimals are text, times numbers
 */
export function rowOf(
  { fields }: Pick<AvroRecord, 'fields'>,
  record: Readonly<Record<string, unknown>>,
  { topic, partition, offset, timestampMs }: Coordinates,
): Row | string {
  const row: Record<string, Row[string]> = {};
  for (const { name, type } of fields) {
    const value = valueOf(type, record[name]);
    if (value === undefined) return `the field ${name} has a type that only the sink can write`;
    row[name] = value;
  }
  return {
    ...row,
    kafka_topic: topic,
    kafka_partition: partition,
    kafka_offset: offset,
    kafka_timestamp: new Date(timestampMs).toISOString(),
  };
}

const dayMs = 24 * 60 * 60 * 1000;

/** Undefined for what has no one form: a record in a record, a list, bytes, units that no column has. */
function valueOf(type: AvroType, value: unknown): Row[string] | undefined {
  if (value === null) return null;
  const logicalType = logicalTypeOf(type);
  if (typeof value === 'number') {
    if (logicalType === 'timestamp-millis') return new Date(value).toISOString();
    if (logicalType === 'date') return new Date(value * dayMs).toISOString().slice(0, 10);
    // JSON has no word for what is no number; ClickHouse reads it from text.
    return logicalType === undefined ? (Number.isFinite(value) ? value : floatText(value)) : undefined;
  }
  if (typeof value === 'boolean') return value;
  const isText = logicalType === undefined || logicalType === 'decimal' || logicalType === 'uuid';
  return typeof value === 'string' && isText ? value : undefined;
}

function floatText(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}
