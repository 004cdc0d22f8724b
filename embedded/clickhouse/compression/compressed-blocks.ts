import { decompress as decompressZstd } from 'fzstd';
import { compressSync, uncompressSync } from 'lz4-napi';
import { clickHouseException } from '../exceptions.ts';
import { cityHash128 } from './city-hash-128.ts';

/**
 * ClickHouse's own compressed format, of `compress=1` and `decompress=1`: blocks of a checksum over all that
 * follows it, one byte for the method, the size of what follows the checksum, the size when decompressed, and
 * the compressed data.
 */
const methods = { none: 0x02, lz4: 0x82, zstd: 0x90 } as const;
const checksumBytes = 16;
const headerBytes = 9;

/** Uncompressed bytes of a block, as the server has it by default (max_compress_block_size). */
const maxEncodedBytes = 1024 * 1024;

/** Clients send blocks of up to some megabytes; a header that says more is garbage, not something to allocate. */
const maxDecodedBytes = 256 * 1024 * 1024;

/** Encodes bytes as blocks, with LZ4: the one method that every client reads. */
export function encodeBlocks(bytes: Buffer): Buffer {
  if (bytes.length <= maxEncodedBytes) return encodeBlock(bytes);
  const blocks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += maxEncodedBytes) {
    blocks.push(encodeBlock(bytes.subarray(start, start + maxEncodedBytes)));
  }
  return Buffer.concat(blocks);
}

function encodeBlock(bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  // The library puts the size, in four bytes, before the LZ4 data, where the header has it too.
  const compressed = compressSync(bytes);
  const block = Buffer.allocUnsafe(checksumBytes + headerBytes - 4 + compressed.length);
  block.writeUInt8(methods.lz4, checksumBytes);
  block.writeUInt32LE(block.length - checksumBytes, checksumBytes + 1);
  compressed.copy(block, checksumBytes + headerBytes - 4);
  writeChecksum(block);
  return block;
}

function writeChecksum(block: Buffer): void {
  const { low, high } = cityHash128(block.subarray(checksumBytes));
  block.writeBigUInt64LE(low, 0);
  block.writeBigUInt64LE(high, 8);
}

/** Decodes a body of blocks as it arrives. @throws code 40 for a wrong checksum, 271 for what is not a block */
export async function* decodeBlocks(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let neededBytes = checksumBytes + headerBytes;
  for await (const chunk of body) {
    pending.push(chunk);
    pendingBytes += chunk.length;
    if (pendingBytes < neededBytes) continue;
    let rest: Buffer = Buffer.concat(pending);
    while (rest.length >= (neededBytes = blockBytes(rest))) {
      yield decodeBlock(rest.subarray(0, neededBytes));
      rest = rest.subarray(neededBytes);
    }
    pending = [rest];
    pendingBytes = rest.length;
  }
  if (pendingBytes > 0)
    throw clickHouseException('CANNOT_DECOMPRESS', 'The compressed body ends within a block');
}

/** The size of the block that `bytes` begins with, or of a header while that is not there yet. */
function blockBytes(bytes: Buffer): number {
  if (bytes.length < checksumBytes + headerBytes) return checksumBytes + headerBytes;
  const size = bytes.readUInt32LE(checksumBytes + 1);
  if (size < headerBytes || size > maxDecodedBytes) {
    throw clickHouseException(
      'CANNOT_DECOMPRESS',
      `A compressed block of ${size} bytes: most likely corrupted data`,
    );
  }
  return checksumBytes + size;
}

function decodeBlock(block: Buffer): Buffer {
  const content = block.subarray(checksumBytes);
  const { low, high } = cityHash128(content);
  if (block.readBigUInt64LE(0) !== low || block.readBigUInt64LE(8) !== high) {
    throw clickHouseException('CHECKSUM_DOESNT_MATCH', 'Checksum doesnt match: corrupted data');
  }
  const size = content.readUInt32LE(5);
  if (size > maxDecodedBytes) {
    throw clickHouseException(
      'CANNOT_DECOMPRESS',
      `A block of ${size} decompressed bytes: most likely corrupted data`,
    );
  }
  const decoded = decompress(content, size);
  if (decoded.length !== size) {
    throw clickHouseException(
      'CANNOT_DECOMPRESS',
      `A block has ${decoded.length} bytes where its header says ${size}`,
    );
  }
  return decoded;
}

function decompress(content: Buffer, size: number): Buffer {
  const method = content.readUInt8(0);
  try {
    if (method === methods.none) return content.subarray(headerBytes);
    // The size stands right before the data, which is how the library wants it.
    if (method === methods.lz4) return uncompressSync(content.subarray(headerBytes - 4));
    if (method === methods.zstd) {
      const decoded = decompressZstd(content.subarray(headerBytes), new Uint8Array(size));
      return Buffer.from(decoded.buffer, decoded.byteOffset, decoded.byteLength);
    }
  } catch (error) {
    throw clickHouseException('CANNOT_DECOMPRESS', 'Cannot decompress a block', error);
  }
  throw clickHouseException(
    'UNKNOWN_COMPRESSION_METHOD',
    `Unknown compression method 0x${method.toString(16)}`,
  );
}
