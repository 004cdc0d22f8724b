import type { Type } from 'avsc';
import { messageOf } from '../../core/errors.ts';
import { createType, type AvroRecord } from '../../schemas/read-schema.ts';
import type { Registry } from '../../schemas/registry.ts';

/** What the bytes of a value are. */
export type Decoded =
  /** `record` is null for a tombstone; `definition` is the schema it was written with. */
  | { kind: 'record'; record: unknown; schemaId: number | null; definition: AvroRecord | null }
  /** No sink will ever read it: not in Confluent's wire format, of a schema nobody knows, or damaged. */
  | { kind: 'undecodable'; why: string }
  /** Nothing can be said: the schema is not one that can be read here. */
  | { kind: 'unknown'; why: string };

/** The schema that a record was written with. */
interface Writer {
  type: Type;
  definition: AvroRecord;
}

/**
 * Decodes values through the registry, each schema asked for once.
 *
 * @throws PipelineError `REGISTRY_UNREACHABLE` from the returned function
 */
export function createDecoder(
  registry: Pick<Registry, 'findSchema'>,
): (value: Buffer | null) => Promise<Decoded> {
  const types = new Map<number, Promise<Writer | string | undefined>>();
  const typeOf = async (id: number): Promise<Writer | string | undefined> => {
    const definition = (await registry.findSchema(id)) as AvroRecord | undefined;
    if (definition === undefined) return undefined;
    try {
      return { type: createType(definition), definition };
    } catch (error) {
      return messageOf(error);
    }
  };
  return async (value) => {
    if (value === null) return { kind: 'record', record: null, schemaId: null, definition: null };
    if (value.length < 5 || value[0] !== 0)
      return { kind: 'undecodable', why: 'it is not in the wire format of the registry' };
    const schemaId = value.readUInt32BE(1);
    let type = types.get(schemaId);
    if (type === undefined) types.set(schemaId, (type = typeOf(schemaId)));
    const known = await type;
    if (known === undefined)
      return { kind: 'undecodable', why: `the registry knows no schema ${String(schemaId)}` };
    if (typeof known === 'string') {
      return { kind: 'unknown', why: `schema ${String(schemaId)} cannot be read here: ${known}` };
    }
    try {
      const { type: writer, definition } = known;
      return { kind: 'record', record: writer.fromBuffer(value.subarray(5)), schemaId, definition };
    } catch (error) {
      return {
        kind: 'undecodable',
        why: `it is no record of schema ${String(schemaId)}: ${messageOf(error)}`,
      };
    }
  };
}
