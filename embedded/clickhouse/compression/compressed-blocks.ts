import { compressSync } from 'lz4-napi';

export function encodeBlocks(chunk: Buffer): Buffer {
  return compressSync(chunk);
}
