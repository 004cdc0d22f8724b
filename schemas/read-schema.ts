import avsc, { type Type } from 'avsc';
import { z } from 'zod';
import { InvalidInputError, messageOf, type Problem } from '../core/errors.ts';
import { check, readJson } from '../core/parse.ts';
import { DecimalType } from './decimal-type.ts';

/** A type as Avro's JSON writes it: a name, a definition, or a union. */
export type AvroType = string | AvroDefinition | readonly AvroType[];

/** A type that is written as an object: a record, an enum, a logical type. */
export interface AvroDefinition {
  type: AvroType;
  name?: string;
  namespace?: string;
  logicalType?: string;
  symbols?: readonly string[];
  default?: unknown;
  fields?: readonly AvroField[];
  items?: AvroType;
  values?: AvroType;
  precision?: number;
  scale?: number;
  doc?: string;
}

export interface AvroField {
  name: string;
  type: AvroType;
  doc?: string;
  default?: unknown;
}

/** The record an .avsc of the catalog holds. */
export interface AvroRecord {
  type: 'record';
  name: string;
  namespace: string;
  doc?: string;
  fields: readonly AvroField[];
}

/** The frame of a record; what the types inside it may look like is avsc's to judge. */
const recordFrame = z.looseObject({
  type: z.literal('record'),
  name: z.string().min(1),
  namespace: z.string().min(1),
  doc: z.string().optional(),
  fields: z
    .array(
      z.looseObject({
        name: z.string().min(1),
        type: z.union([z.string(), z.array(z.unknown()), z.looseObject({})]),
        doc: z.string().optional(),
      }),
    )
    .min(1),
});

/** A schema as far as it could be read, and everything that kept it from being read further. */
export interface ReadSchema {
  definition?: AvroRecord;
  type?: Type;
  problems: readonly Problem[];
}

/** Reads one .avsc; it never throws for what is wrong inside the file. */
export function readSchema(file: string): ReadSchema {
  let content: unknown;
  try {
    content = readJson(file, 'The schema cannot be read');
  } catch (error) {
    if (error instanceof InvalidInputError) return { problems: error.problems };
    return { problems: [{ path: '(file)', message: messageOf(error) }] };
  }
  const frame = check(recordFrame, content);
  if (frame.value === undefined) return { problems: frame.problems };
  const definition = frame.value as AvroRecord;
  try {
    return { definition, type: createType(definition), problems: [] };
  } catch (error) {
    return { definition, problems: [{ path: '(schema)', message: messageOf(error) }] };
  }
}

/**
 * avsc's view of a schema.
 *
 * @throws what avsc says of a schema that is not valid
 */
export function createType(definition: AvroRecord): Type {
  // Parsing adds to the object it is given; the one we register stays as the file has it.
  return avsc.Type.forSchema(structuredClone(definition) as unknown as avsc.Schema, {
    // A timestamp is a number of milliseconds and a date a number of days: as on the wire.
    logicalTypes: { decimal: DecimalType },
    assertLogicalTypes: true,
  });
}

/** The type of an optional field without its null; any other type as it is. */
export function requiredType(type: AvroType): AvroType {
  if (!isUnion(type)) return type;
  const rest = type.filter((branch) => branch !== 'null');
  return rest.length === 1 && rest[0] !== undefined ? rest[0] : type;
}

export function isUnion(type: AvroType): type is readonly AvroType[] {
  return Array.isArray(type);
}

/** `timestamp-millis`, `date`, `decimal` ...; undefined for a plain type. */
export function logicalTypeOf(type: AvroType): string | undefined {
  const required = requiredType(type);
  return typeof required === 'object' && !isUnion(required) ? required.logicalType : undefined;
}

/** The primitive or the kind below annotations: `long` for a timestamp, `enum`, `record`, or a type's name. */
export function baseTypeOf(type: AvroType): string {
  const required = requiredType(type);
  if (typeof required === 'string') return required;
  return isUnion(required) ? 'union' : baseTypeOf(required.type);
}

/** Every type that is defined inside `type`, itself included. */
export function definitionsIn(type: AvroType): AvroDefinition[] {
  if (typeof type === 'string') return [];
  if (isUnion(type)) return type.flatMap(definitionsIn);
  const inner = [type.type, type.items, type.values, ...(type.fields ?? []).map((field) => field.type)];
  return [type, ...inner.flatMap((part) => (part === undefined ? [] : definitionsIn(part)))];
}
