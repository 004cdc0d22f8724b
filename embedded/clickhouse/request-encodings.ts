import { createReadStream } from 'node:fs';
import { pipeline, type Duplex, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Engine } from './engine.ts';
import { clickHouseException } from './exceptions.ts';
import type { RequestFiles } from './request-files.ts';
import { quoteString } from './sql-tokens.ts';

/** Values of Content-Encoding, with the name of the compression for FROM INFILE and the file() function. */
const engineCompressions: Readonly<Record<string, string>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  lz4: 'lz4',
  zstd: 'zstd',
  xz: 'xz',
  bz2: 'bz2',
  snappy: 'snappy',
};

/** The engine's name of a content encoding. The engine decompresses data itself, as it reads it. */
export function engineCompression(encoding: string): string {
  const compression = engineCompressions[encoding];
  if (compression === undefined) {
    throw clickHouseException('NOT_IMPLEMENTED', `Unknown compression method: ${encoding}`);
  }
  return compression;
}

/** Decompresses a body whose statement has to be read here. */
export async function decodeBody(
  body: Readable,
  encoding: string,
  { engine, files, signal }: { engine: Engine; files: RequestFiles; signal: AbortSignal },
): Promise<Readable> {
  const compression = engineCompression(encoding);
  if (compression === 'gzip') return through(body, createGunzip());
  if (compression === 'deflate') return through(body, createInflate());
  if (compression === 'br') return through(body, createBrotliDecompress());
  return decodeByEngine(body, compression, { engine, files, signal });
}

function through(body: Readable, decoder: Duplex): Readable {
  // An error reaches the reader through the decoder, which the pipeline destroys with it.
  return pipeline(body, decoder, () => undefined);
}

/** Node 20 has no lz4 and no zstd; the engine has. Rare: clients put the statement of a compressed body in the URL. */
async function decodeByEngine(
  body: Readable,
  compression: string,
  { engine, files, signal }: { engine: Engine; files: RequestFiles; signal: AbortSignal },
): Promise<Readable> {
  const compressed = await files.write(body, signal);
  const plain = files.reserve();
  try {
    const source = `file(${quoteString(compressed.path)}, RawBLOB, 'content String', ${quoteString(compression)})`;
    await engine.runOnce(`SELECT content FROM ${source} INTO OUTFILE ${quoteString(plain)} FORMAT RawBLOB`);
    const stream = createReadStream(plain, { highWaterMark: 1024 * 1024 });
    stream.once('close', () => void files.remove(plain));
    return stream;
  } catch (error) {
    await files.remove(plain);
    throw error;
  } finally {
    await files.remove(compressed.path);
  }
}
