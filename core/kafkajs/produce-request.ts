import { createRequire } from 'node:module';
import type { Message } from 'kafkajs';

/** What kafkajs's producer hands over for one request; the shape of its internal function of the same name. */
export interface ProduceRequest {
  acks: number;
  timeout: number;
  transactionalId?: string | null;
  /** kafkajs's own 64-bit integer: it wraps a bigint. */
  producerId?: { toString(): string };
  producerEpoch?: number;
  /** Number of the codec; 0 is none. */
  compression?: number;
  topicData: readonly { topic: string; partitions: readonly PartitionData[] }[];
}

interface PartitionData {
  partition: number;
  /** Of the first record, counted per producer and partition: by it the broker tells a repetition. */
  firstSequence: number;
  messages: readonly Message[];
}

/** The parts of kafkajs's encoder that its connections use. */
interface EncodedBody {
  buf: Buffer;
  offset: number;
}

interface Codec {
  compress(records: { buffer: Buffer }): Promise<Buffer>;
}

const internal = createRequire(import.meta.url);
const Encoder = internal('kafkajs/src/protocol/encoder') as new () => EncodedBody;
const crc32C = internal('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;
const { lookupCodec } = internal('kafkajs/src/protocol/message/compression') as {
  lookupCodec: (compression: number) => Codec;
};

const produceApiKey = 0;
const magic = 2;
const transactionalFlag = 1 << 4;
/** Record batch up to its records: base offset, length, leader epoch, magic, checksum and what that covers. */
const batchHeaderBytes = 61;
/** Where the part of the batch header that the checksum covers begins. */
const checkedFrom = 21;
/** Most bytes of a record beside its key, value and headers: length, attributes, timestamp, offset, two lengths, count. */
const recordOverheadBytes = 5 + 1 + 10 + 5 + 5 + 5 + 5;

/**
 * A Produce request of version 3 (and of 4 to 7, which have the same body): what
 * `kafkajs/src/protocol/requests/produce/v3/request` makes, byte for byte. kafkajs allocates a zeroed buffer of
 * 512 bytes for every record and copies it twice; here the records of a partition are written one after another
 * into one. The format: https://kafka.apache.org/documentation/#recordbatch
 */
export function produceRequest(request: ProduceRequest): {
  apiKey: number;
  apiVersion: number;
  apiName: string;
  expectResponse: () => boolean;
  encode: () => Promise<EncodedBody>;
} {
  return {
    apiKey: produceApiKey,
    apiVersion: 3,
    apiName: 'Produce',
    expectResponse: () => request.acks !== 0,
    encode: async () => {
      const bytes = await encodeRequest(request);
      return Object.assign(new Encoder(), { buf: bytes, offset: bytes.length });
    },
  };
}

async function encodeRequest(request: ProduceRequest): Promise<Buffer> {
  const { acks, timeout, transactionalId = null, topicData } = request;
  const parts = [string(transactionalId), int16(acks), int32(timeout), int32(topicData.length)];
  for (const { topic, partitions } of topicData) {
    parts.push(string(topic), int32(partitions.length));
    for (const data of partitions) {
      const batch = await encodeBatch(request, data);
      parts.push(int32(data.partition), int32(batch.length), batch);
    }
  }
  return Buffer.concat(parts);
}

async function encodeBatch(request: ProduceRequest, data: PartitionData): Promise<Buffer> {
  const { transactionalId = null, producerId = -1, producerEpoch = 0, compression = 0 } = request;
  const { messages, firstSequence } = data;
  const now = Date.now();
  const { first = now, last = now } = timesOf(messages);
  const plain = encodeRecords(messages, first, now);
  const records = compression === 0 ? plain : await lookupCodec(compression).compress({ buffer: plain });
  const batch = Buffer.allocUnsafe(batchHeaderBytes + records.length);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(0, 12);
  batch.writeInt8(magic, 16);
  batch.writeInt16BE(compression | (transactionalId === null ? 0 : transactionalFlag), 21);
  batch.writeInt32BE(messages.length - 1, 23);
  batch.writeBigInt64BE(BigInt(first), 27);
  batch.writeBigInt64BE(BigInt(last), 35);
  batch.writeBigInt64BE(BigInt(producerId.toString()), 43);
  batch.writeInt16BE(producerEpoch, 51);
  batch.writeInt32BE(firstSequence, 53);
  batch.writeInt32BE(messages.length, 57);
  batch.set(records, batchHeaderBytes);
  batch.writeUInt32BE(crc32C(batch.subarray(checkedFrom)), 17);
  return batch;
}

/** The earliest and the latest timestamp; none where no record has one. */
function timesOf(messages: readonly Message[]): { first?: number; last?: number } {
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { timestamp } of messages) {
    if (timestamp === undefined) continue;
    const time = Number(timestamp);
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return first <= last ? { first, last } : {};
}

/** @param now what a record without a timestamp gets */
function encodeRecords(messages: readonly Message[], firstTime: number, now: number): Buffer {
  const records = new RecordWriter(messages);
  let index = 0;
  for (const message of messages) {
    const time = message.timestamp === undefined ? now : Number(message.timestamp);
    records.write(message, index, time - firstTime);
    index += 1;
  }
  return records.written();
}

/** Writes records of record batches one after another, into a buffer that has room for all of them. */
class RecordWriter {
  readonly #bytes: Buffer;
  #end = 0;

  constructor(messages: readonly Message[]) {
    let most = 0;
    for (const { key, value, headers } of messages) {
      most += recordOverheadBytes + mostBytesOf(key) + mostBytesOf(value);
      if (headers === undefined) continue;
      for (const [name, header] of headersOf(headers)) most += 10 + mostBytesOf(name) + mostBytesOf(header);
    }
    this.#bytes = Buffer.allocUnsafe(most);
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  write({ key, value, headers }: Message, offsetDelta: number, timestampDelta: number): void {
    const start = this.#end;
    // The length comes first and has a length of its own: nearly always two bytes, and moved where it has not.
    const expected = 2;
    this.#end = start + expected;
    // Attributes: none are defined.
    this.#bytes[this.#end++] = 0;
    this.#varlong(timestampDelta);
    this.#varint(offsetDelta);
    this.#field(key);
    this.#field(value);
    if (headers === undefined) {
      this.#varint(0);
    } else {
      const entries = headersOf(headers);
      this.#varint(entries.length);
      for (const [name, header] of entries) {
        this.#field(name);
        this.#field(header);
      }
    }
    const bodyStart = start + expected;
    const length = this.#end - bodyStart;
    const lengthBytes = sizeOfVarint(length);
    if (lengthBytes !== expected) this.#bytes.copyWithin(start + lengthBytes, bodyStart, this.#end);
    this.#end = start;
    this.#varint(length);
    this.#end += length;
  }

  /** Its length and its bytes; a length of -1 stands for null. */
  #field(value: Buffer | string | null | undefined): void {
    if (value === null || value === undefined) {
      this.#varint(-1);
    } else if (typeof value === 'string') {
      this.#varint(Buffer.byteLength(value));
      this.#end += this.#bytes.write(value, this.#end);
    } else {
      this.#varint(value.length);
      this.#bytes.set(value, this.#end);
      this.#end += value.length;
    }
  }

  #varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#end++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#end++] = rest;
  }

  /** `value` beyond 32 bits is a span of more than 24 days between two timestamps. */
  #varlong(value: number): void {
    if (value >= -0x4000_0000 && value < 0x4000_0000) {
      this.#varint(value);
      return;
    }
    const wide = BigInt(value);
    let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
    while (rest > 0x7fn) {
      this.#bytes[this.#end++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#end++] = Number(rest);
  }
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = ((value << 1) ^ (value >> 31)) >>> 0; rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

/** Of UTF-8: up to three bytes for each unit of a string. */
function mostBytesOf(value: Buffer | string | null | undefined): number {
  if (value === null || value === undefined) return 0;
  return typeof value === 'string' ? 3 * value.length : value.length;
}

/** A header with several values is written once for each of them. */
function headersOf(headers: NonNullable<Message['headers']>): [string, Buffer | string | undefined][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((one): [string, Buffer | string] => [name, one])
      : [[name, value] satisfies [string, Buffer | string | undefined]],
  );
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Its length in two bytes, then its bytes; a length of -1 stands for null. */
function string(value: string | null): Buffer {
  if (value === null) return int16(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
