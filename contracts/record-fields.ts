import { shapeOf, type Shape } from '../schemas/evolution/shape.ts';
import type { AvroRecord } from '../schemas/read-schema.ts';
import type { DocumentPath } from '../core/line-of.ts';
import type { ConnectType } from './type-table.ts';

/** The type of a value as it reaches the sink. */
export interface FieldType {
  type: ConnectType;
  isNullable: boolean;
  /** Of an enum. */
  symbols?: readonly string[];
  /** Of a decimal. */
  precision?: number;
  scale?: number;
  /** Of an array, or the values of a map. */
  items?: FieldType;
}

/** A field of a record as it reaches the sink. */
export interface RecordField extends FieldType {
  name: string;
  /** Where it comes from in the .avsc; undefined for a field that a transform adds. */
  at?: DocumentPath;
}

const primitives: Readonly<Record<string, ConnectType>> = {
  boolean: 'boolean',
  int: 'int32',
  long: 'int64',
  float: 'float32',
  double: 'float64',
  bytes: 'bytes',
  string: 'string',
};

/** What the converter makes of each logical type; of others it passes the plain type on. */
const logicalTypes: Readonly<Record<string, ConnectType>> = {
  decimal: 'decimal',
  date: 'date',
  'timestamp-millis': 'timestamp',
  'time-millis': 'time',
};

/** The fields of a record behind the Avro converter, before any transform. */
export function fieldsOf(definition: AvroRecord): RecordField[] {
  return shapeOf(definition).fields.map(({ name, type, at }) => ({ name, at, ...typeOf(type) }));
}

function typeOf(shape: Shape): FieldType {
  switch (shape.kind) {
    case 'primitive': {
      const { logical, type } = shape;
      const known = logical === undefined ? undefined : logicalTypes[logical.name];
      const decimal =
        logical?.name === 'decimal' ? { precision: logical.precision ?? 0, scale: logical.scale ?? 0 } : {};
      return { type: known ?? primitives[type] ?? 'union', isNullable: false, ...decimal };
    }
    case 'enum':
      return { type: 'enum', isNullable: false, symbols: shape.symbols };
    case 'fixed':
      // A decimal of fixed is one that the sink can not read.
      return { type: shape.logical?.name === 'decimal' ? 'struct' : 'bytes', isNullable: false };
    case 'array':
      return { type: 'array', isNullable: false, items: typeOf(shape.items) };
    case 'map':
      return { type: 'map', isNullable: false, items: typeOf(shape.values) };
    case 'record':
      return { type: 'struct', isNullable: false };
    case 'union': {
      const rest = shape.branches.filter((one) => !(one.kind === 'primitive' && one.type === 'null'));
      const isNullable = rest.length < shape.branches.length;
      const [only] = rest;
      return only !== undefined && rest.length === 1
        ? { ...typeOf(only), isNullable }
        : { type: 'union', isNullable };
    }
  }
}
