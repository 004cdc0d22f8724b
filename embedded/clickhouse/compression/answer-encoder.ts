import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import { encodeBlocks } from './compressed-blocks.ts';
import { lz4FrameBlocks, lz4FrameEnd, lz4FrameStart } from './lz4-frame.ts';

/** How an answer's bytes are packed: as they are, by a coding of HTTP, or in ClickHouse's own blocks. */
export type AnswerCoding = 'identity' | 'gzip' | 'lz4' | 'blocks';

/** Packs one answer, piece by piece. */
export interface AnswerEncoder {
  /** The value of Content-Encoding; ClickHouse's own blocks have none. */
  contentEncoding: string | undefined;
  encode: (bytes: Buffer) => Buffer | Promise<Buffer>;
  end: () => Buffer | Promise<Buffer>;
}

/** Fast rather than small: clients are near, and the engine needs the cores. */
const gzipLevel = 1;

const nothing = Buffer.alloc(0);

export function createEncoder(coding: AnswerCoding): AnswerEncoder {
  switch (coding) {
    case 'identity':
      return { contentEncoding: undefined, encode: (bytes) => bytes, end: () => nothing };
    case 'blocks':
      return { contentEncoding: undefined, encode: encodeBlocks, end: () => nothing };
    case 'lz4':
      return createLz4Encoder();
    case 'gzip':
      return createGzipEncoder();
  }
}

function createLz4Encoder(): AnswerEncoder {
  let start = lz4FrameStart;
  const begin = () => {
    const bytes = start;
    start = nothing;
    return bytes;
  };
  return {
    contentEncoding: 'lz4',
    encode: (bytes) => Buffer.concat([begin(), lz4FrameBlocks(bytes)]),
    end: () => Buffer.concat([begin(), lz4FrameEnd]),
  };
}

function createGzipEncoder(): AnswerEncoder {
  const gzip = createGzip({ level: gzipLevel });
  let output: Buffer[] = [];
  gzip.on('data', (bytes: Buffer) => output.push(bytes));
  const take = () => {
    const bytes = Buffer.concat(output);
    output = [];
    return bytes;
  };
  return {
    contentEncoding: 'gzip',
    encode: async (bytes) => {
      await new Promise<void>((resolve, reject) => {
        gzip.write(bytes, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
      return take();
    },
    end: async () => {
      const ended = once(gzip, 'end');
      gzip.end();
      await ended;
      return take();
    },
  };
}
