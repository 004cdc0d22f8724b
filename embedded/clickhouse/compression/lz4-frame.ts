import { compressSync } from 'lz4-napi';

/**
 * The frame of `Content-Encoding: lz4` (LZ4 frame format 1.6), written block by block: clients such as the Java
 * one read a single frame, so the library's whole frames, one a chunk, would end there after the first.
 */

/** Magic number, flags (version 1, independent blocks, no checksums), blocks of at most 4 MB, header checksum. */
export const lz4FrameStart = Buffer.from('04224d18607073', 'hex');

/** A block of no bytes. */
export const lz4FrameEnd = Buffer.alloc(4);

const maxBlockBytes = 4 * 1024 * 1024;

/** In the size of a block, this bit says that its bytes are not compressed. */
const storedFlag = 0x80000000;

/** Bytes as blocks of a frame. */
export function lz4FrameBlocks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += maxBlockBytes) {
    const plain = bytes.subarray(start, start + maxBlockBytes);
    // The library puts the size of the plain bytes, in four bytes, where the frame has the compressed one's.
    const block = compressSync(plain);
    const compressedBytes = block.length - 4;
    if (compressedBytes < plain.length) {
      block.writeUInt32LE(compressedBytes, 0);
      parts.push(block);
    } else {
      const size = Buffer.allocUnsafe(4);
      size.writeUInt32LE((storedFlag + plain.length) >>> 0, 0);
      parts.push(size, plain);
    }
  }
  return Buffer.concat(parts);
}
