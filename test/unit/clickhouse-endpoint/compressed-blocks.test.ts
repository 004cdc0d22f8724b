import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { cityHash128 } from '../../../embedded/clickhouse/compression/city-hash-128.ts';
import { decodeBlocks, encodeBlocks } from '../../../embedded/clickhouse/compression/compressed-blocks.ts';

/** Decodes `bytes` as they would come from a socket, in pieces of `size`. */
async function decode(bytes: Buffer, size = bytes.length): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  const decoded: Buffer[] = [];
  for await (const block of decodeBlocks(toAsync(pieces))) decoded.push(block);
  return Buffer.concat(decoded);
}

async function* toAsync<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield await Promise.resolve(value);
}

/** A block as a client would write it, in a method the endpoint itself does not write. */
function block(method: number, compressed: Buffer, size: number): Buffer {
  const content = Buffer.alloc(9 + compressed.length);
  content.writeUInt8(method, 0);
  content.writeUInt32LE(content.length, 1);
  content.writeUInt32LE(size, 5);
  compressed.copy(content, 9);
  const checksum = Buffer.alloc(16);
  const { low, high } = cityHash128(content);
  checksum.writeBigUInt64LE(low, 0);
  checksum.writeBigUInt64LE(high, 8);
  return Buffer.concat([checksum, content]);
}

test('what was encoded is decoded, whatever its size and however it arrives', async () => {
  for (const length of [0, 1, 15, 1000, 70_000, 3_000_000]) {
    for (const bytes of [randomBytes(length), Buffer.alloc(length, 'abc')]) {
      const encoded = encodeBlocks(bytes);
      expect((await decode(encoded)).equals(bytes)).toBe(true);
      expect((await decode(encoded, 1021)).equals(bytes)).toBe(true);
    }
  }
});

test('large results are cut into blocks of at most a megabyte, as the server does', () => {
  const encoded = encodeBlocks(Buffer.alloc(2_500_000));
  const sizes: number[] = [];
  for (let at = 0; at < encoded.length; at += 16 + encoded.readUInt32LE(at + 17)) {
    expect(encoded.readUInt8(at + 16)).toBe(0x82);
    sizes.push(encoded.readUInt32LE(at + 21));
  }
  expect(sizes).toEqual([1_048_576, 1_048_576, 402_848]);
});

test('blocks that are not compressed, or with ZSTD, are read as well', async () => {
  const text = Buffer.from('1\tone\n2\ttwo\n');
  expect((await decode(block(0x02, text, text.length))).equals(text)).toBe(true);
  const zstd = Buffer.from('KLUv/QRYYQAAMQlvbmUKMgl0d28KwGgODQ==', 'base64');
  expect((await decode(block(0x90, zstd, text.length))).equals(text)).toBe(true);
});

test.each([
  [
    'a bit that changed',
    (good: Buffer) => {
      good.writeUInt8(good.readUInt8(40) ^ 1, 40);
      return good;
    },
    40,
  ],
  ['an end within a block', (good: Buffer) => good.subarray(0, good.length - 1), 271],
  ['an end within a header', (good: Buffer) => good.subarray(0, 10), 271],
  ['bytes that are no block', () => randomBytes(100).fill(0xff, 17, 21), 271],
  ['a method nobody knows', () => block(0x77, Buffer.from('x'), 1), 89],
  ['LZ4 that is none', () => block(0x82, Buffer.from('garbage'), 100), 271],
  ['a size that is not what comes out', () => block(0x02, Buffer.from('abc'), 4), 271],
  ['a size nobody has memory for', () => block(0x82, Buffer.from('abc'), 0xffffffff), 271],
] as const)('%s is an error with its code', async (_, damage, code) => {
  await expect(decode(damage(encodeBlocks(Buffer.alloc(10_000, 'abcdefg'))))).rejects.toMatchObject({ code });
});
