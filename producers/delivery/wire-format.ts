import type { Type } from 'avsc';

/** Magic byte 0 and the schema's id, big endian: Confluent's wire format. */
const headerBytes = 5;
/** Records are written one after another into chunks of this size; each is a view into its chunk. */
const chunkBytes = 256 * 1024;

/** Turns a record into the bytes of a Kafka value. */
export type Encode = (record: object) => Buffer;

/**
 * Encodes records of one schema in Confluent's wire format. One allocation serves hundreds of records, and
 * nothing is copied afterwards.
 *
 * @param schemaId id of `type` in the registry the consumers ask
 */
export function createEncoder(type: Type, schemaId: number): Encode {
  let chunk = Buffer.alloc(0);
  let start = 0;
  return (record) => {
    for (;;) {
      const bodyStart = start + headerBytes;
      const hasRoom = bodyStart < chunk.length;
      // Where the record doesn't fit, avsc answers with the bytes that are missing in the chunk, as a negative number.
      const end = hasRoom ? type.encode(record, chunk, bodyStart) : -1;
      if (end >= 0) {
        chunk.writeUInt8(0, start);
        chunk.writeUInt32BE(schemaId, start + 1);
        const value = chunk.subarray(start, end);
        start = end;
        return value;
      }
      const needed = hasRoom ? headerBytes + chunk.length - bodyStart - end : 0;
      chunk = Buffer.allocUnsafe(Math.max(chunkBytes, needed));
      start = 0;
    }
  };
}

/** Characters of a UUID, and the byte that Avro puts before a string of that length. */
const uuidLength = 36;
const uuidLengthByte = uuidLength << 1;

/**
 * The event's id, read without decoding the rest: every schema begins with the envelope, and the envelope with
 * `event_id`. Undefined for bytes that are no record of ours.
 */
export function eventIdOf(value: Buffer | null): string | undefined {
  const start = headerBytes + 1;
  if (value === null || value.length < start + uuidLength) return undefined;
  if (value[0] !== 0 || value[headerBytes] !== uuidLengthByte) return undefined;
  return value.toString('latin1', start, start + uuidLength);
}
