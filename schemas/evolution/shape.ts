import type { AvroDefinition, AvroRecord, AvroType } from '../read-schema.ts';
import { isUnion } from '../read-schema.ts';
import type { DocumentPath } from '../../core/line-of.ts';

/** An annotation that gives bytes and numbers a meaning: a scale, a unit. */
export interface Logical {
  name: string;
  /** Of a decimal. */
  precision?: number;
  /** Of a decimal. */
  scale?: number;
}

interface At {
  /** Where the type stands in its .avsc. */
  at: DocumentPath;
}

interface Named {
  /** Without the namespace: what Avro's resolution compares. */
  name: string;
  fullName: string;
  /** Full names. */
  aliases: readonly string[];
}

export type PrimitiveShape = At & { kind: 'primitive'; type: string; logical?: Logical };
export type RecordShape = At & Named & { kind: 'record'; fields: FieldShape[] };
export type EnumShape = At & Named & { kind: 'enum'; symbols: readonly string[]; fallback?: string };
export type FixedShape = At & Named & { kind: 'fixed'; size: number; logical?: Logical };
export type ArrayShape = At & { kind: 'array'; items: Shape };
export type MapShape = At & { kind: 'map'; values: Shape };
export type UnionShape = At & { kind: 'union'; branches: readonly Shape[] };

/** A type with its references resolved: a recursive type is a cycle. */
export type Shape =
  PrimitiveShape | RecordShape | EnumShape | FixedShape | ArrayShape | MapShape | UnionShape;

export interface FieldShape extends At {
  name: string;
  aliases: readonly string[];
  doc: string;
  type: Shape;
  hasDefault: boolean;
  fallback: unknown;
}

const primitives = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

/**
 * The shape of a schema that avsc has read.
 *
 * @throws Error naming a type that is not defined
 */
export function shapeOf(record: AvroRecord): RecordShape {
  const shape = readShape(record, '', [], new Map());
  if (shape.kind !== 'record') throw new Error('a schema of the catalog is a record');
  return shape;
}

type NamedShapes = Map<string, RecordShape | EnumShape | FixedShape>;

function readShape(type: AvroType, namespace: string, at: DocumentPath, known: NamedShapes): Shape {
  if (typeof type === 'string') return readName(type, namespace, at, known);
  if (isUnion(type)) {
    return {
      kind: 'union',
      at,
      branches: type.map((branch, index) => readShape(branch, namespace, [...at, index], known)),
    };
  }
  const within = (part: AvroType | undefined, key: string): Shape =>
    readShape(part ?? 'null', namespace, [...at, key], known);
  switch (type.type) {
    case 'array':
      return { kind: 'array', at, items: within(type.items, 'items') };
    case 'map':
      return { kind: 'map', at, values: within(type.values, 'values') };
    case 'enum':
    case 'fixed':
    case 'record':
    case 'error':
      return readNamed(type, namespace, at, known);
    default: {
      const inner = within(type.type, 'type');
      const logical = logicalOf(type);
      return logical !== undefined && (inner.kind === 'primitive' || inner.kind === 'fixed')
        ? { ...inner, at, logical }
        : { ...inner, at };
    }
  }
}

function readName(name: string, namespace: string, at: DocumentPath, known: NamedShapes): Shape {
  if (primitives.has(name)) return { kind: 'primitive', at, type: name };
  const found = known.get(name) ?? known.get(fullNameOf(name, namespace));
  if (found === undefined) throw new Error(`the type "${name}" is not defined`);
  return found;
}

function readNamed(
  definition: AvroDefinition & { aliases?: readonly string[]; size?: number },
  outer: string,
  at: DocumentPath,
  known: NamedShapes,
): Shape {
  const fullName = fullNameOf(definition.name ?? '', definition.namespace ?? outer);
  const namespace = fullName.includes('.') ? fullName.slice(0, fullName.lastIndexOf('.')) : '';
  const named = {
    at,
    name: fullName.slice(fullName.lastIndexOf('.') + 1),
    fullName,
    aliases: (definition.aliases ?? []).map((alias) => fullNameOf(alias, namespace)),
  };
  if (definition.type === 'enum') {
    const { symbols = [], default: fallback } = definition;
    const shape: EnumShape = {
      ...named,
      kind: 'enum',
      symbols,
      ...(typeof fallback === 'string' ? { fallback } : {}),
    };
    known.set(fullName, shape);
    return shape;
  }
  if (definition.type === 'fixed') {
    const logical = logicalOf(definition);
    const shape: FixedShape = {
      ...named,
      kind: 'fixed',
      size: definition.size ?? 0,
      ...(logical === undefined ? {} : { logical }),
    };
    known.set(fullName, shape);
    return shape;
  }
  const shape: RecordShape = { ...named, kind: 'record', fields: [] };
  // Before its fields: one of them may be of this very type.
  known.set(fullName, shape);
  for (const [index, field] of (definition.fields ?? []).entries()) {
    const fieldAt = [...at, 'fields', index];
    shape.fields.push({
      at: fieldAt,
      name: field.name,
      aliases: (field as { aliases?: readonly string[] }).aliases ?? [],
      doc: field.doc?.trim() ?? '',
      type: readShape(field.type, namespace, [...fieldAt, 'type'], known),
      hasDefault: 'default' in field,
      fallback: field.default,
    });
  }
  return shape;
}

function logicalOf({ logicalType, precision, scale }: AvroDefinition): Logical | undefined {
  if (logicalType === undefined) return undefined;
  if (logicalType !== 'decimal') return { name: logicalType };
  return { name: logicalType, precision: precision ?? 0, scale: scale ?? 0 };
}

function fullNameOf(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

/** A type as a reviewer reads it: `long (timestamp-millis)`, `["null", int]`, `enum Status`. */
export function describeShape(shape: Shape): string {
  switch (shape.kind) {
    case 'primitive':
      return shape.logical === undefined ? shape.type : `${shape.type} (${describeLogical(shape.logical)})`;
    case 'fixed': {
      const size = `${shape.size} bytes`;
      return `fixed ${shape.name} (${shape.logical === undefined ? size : describeLogical(shape.logical)})`;
    }
    case 'array':
      return `array of ${describeShape(shape.items)}`;
    case 'map':
      return `map of ${describeShape(shape.values)}`;
    case 'union':
      return `[${shape.branches.map(describeShape).join(', ')}]`;
    default:
      return `${shape.kind} ${shape.name}`;
  }
}

export function describeLogical({ name, precision, scale }: Logical): string {
  return name === 'decimal' ? `decimal(${String(precision)}, ${String(scale)})` : name;
}
