/** A type as it reaches the sink: what the Avro converter and the transforms make of a field's type. */
export const connectTypes = [
  'string',
  'enum',
  'bytes',
  'boolean',
  'int32',
  'int64',
  'float32',
  'float64',
  'decimal',
  'timestamp',
  'date',
  'time',
  'array',
  'map',
  'struct',
  'union',
] as const;
export type ConnectType = (typeof connectTypes)[number];

/**
 * - `any`: every value lands as it is
 * - `text`: text of the column's form lands, other text goes to the dead letter topic: who chooses such a column wants that
 * - `some`: values that fit land, others go to the dead letter topic; the official sink may cut them off
 * - `raw`: the number lands as it is, and means what the column takes it for
 */
export type Landing = 'any' | 'text' | 'some' | 'raw';

/**
 * THE type table: what the sink writes into which column, below Nullable and LowCardinality. Whatever is not listed
 * is refused: the sink casts strictly, so that an int fits neither Int64 nor Int16. Every line, and pairs that are
 * not listed, are sent through the running sink by test/e2e/type-table.test.ts.
 */
export const typeTable: Readonly<Record<ConnectType, Readonly<Record<string, Landing>>>> = {
  string: { String: 'any', UUID: 'text', FixedString: 'some', Enum8: 'some', Enum16: 'some' },
  // The values of an Enum column are compared with the symbols.
  enum: { String: 'any', FixedString: 'some', Enum8: 'any', Enum16: 'any' },
  bytes: { String: 'any' },
  boolean: { Bool: 'any' },
  int32: { Int32: 'any', UInt16: 'some', UInt32: 'some', UInt64: 'some', Bool: 'some' },
  int64: { Int64: 'any', UInt32: 'some', UInt64: 'some', Bool: 'some', DateTime64: 'raw' },
  float32: { Float32: 'any' },
  float64: { Float64: 'any' },
  // Scale and precision are compared.
  decimal: { Decimal: 'any' },
  // Not DateTime: the official sink refuses it, whatever the stand-in does.
  timestamp: { DateTime64: 'any' },
  // Date ends in 2149.
  date: { Date32: 'any', Date: 'some' },
  time: {},
  // Their items are compared.
  array: { Array: 'any' },
  map: { Map: 'any' },
  struct: {},
  union: {},
};
