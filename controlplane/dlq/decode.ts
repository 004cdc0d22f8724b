import type { Type } from 'avsc';
import { messageOf } from '../../core/errors.ts';
import { createType, type AvroRecord } from '../../schemas/read-schema.ts';
import type { Registry } from '../../schemas/registry.ts';

/** What the bytes of a value are. */
export type Decoded =
  /** `record` is null for a tombstone. */
  | { kind: 'record'; record: unknown; schemaId: number | null }
  /** No sink will ever read it: not in Confluent's wire format, of a schema nobody knows, or damaged. */
  | { kind: 'undecodable'; why: string }
  /** Nothing can be said: the schema is not one that can be read here. */
  | { kind: 'unknown'; why: string };

/**
 * Decodes values through the registry, each schema asked for once.
 *
 * @throws PipelineError `REGISTRY_UNREACHABLE` from the returned function
 */
export function createDecoder(
  registry: Pick<Registry, 'findSchema'>,
): (value: Buffer | null) => Promise<Decoded> {
  const types = new Map<number, Promise<Type | string | undefined>>();
  const typeOf = async (id: number): Promise<Type | string | undefined> => {
    const definition = await registry.findSchema(id);
    if (definition === undefined) return undefined;
    try {
      return createType(definition as AvroRecord);
    } catch (error) {
      return messageOf(error);
    }
  };
  return async (value) => {
    if (value === null) return { kind: 'record', record: null, schemaId: null };
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
      return { kind: 'record', record: known.fromBuffer(value.subarray(5)), schemaId };
    } catch (error) {
      return {
        kind: 'undecodable',
        why: `it is no record of schema ${String(schemaId)}: ${messageOf(error)}`,
      };
    }
  };
}
