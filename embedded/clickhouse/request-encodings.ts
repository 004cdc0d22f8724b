import { open } from 'node:fs/promises';
import { pipeline, type Duplex, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Engine } from './engine.ts';
import { clickHouseException, toClickHouseException } from './exceptions.ts';
import type { RequestFiles } from './request-files.ts';
import { quoteString } from './sql-tokens.ts';

/** Values of Content-Encoding, with the engine's names for them in FROM INFILE and the file() function. */
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

/** Compressions Node undoes as the bytes come. */
const decoders: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** The engine's name of a content encoding; the engine decompresses data itself, as it reads it. */
export function engineCompressionOf(encoding: string): string {
  const compression = engineCompressions[encoding];
  if (compression === undefined) {
    throw clickHouseException('NOT_IMPLEMENTED', `Unknown compression method: ${encoding}`);
  }
  return compression;
}

/** Decompresses a body that has to be read here because its statement is in it. */
export async function* decodeBody(
  body: Readable,
  compression: string,
  tools: { engine: Engine; files: RequestFiles; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const decoder = decoders[compression]?.();
  if (decoder === undefined) {
    yield* decodeByEngine(body, compression, tools);
    return;
  }
  // A pipeline destroys the decoder with the error of either: it comes out of the loop.
  const decoded: AsyncIterable<Buffer> = pipeline(body, decoder, () => undefined);
  try {
    yield* decoded;
  } catch (error) {
    throw clickHouseException('ZLIB_INFLATE_FAILED', `Cannot decompress the body (${compression})`, error);
  }
}

/** Node 20 has no lz4 and no zstd; the engine has. Rare: clients put the statement of a compressed body in the URL. */
async function* decodeByEngine(
  body: Readable,
  compression: string,
  { engine, files, signal }: { engine: Engine; files: RequestFiles; signal: AbortSignal },
): AsyncGenerator<Buffer> {
  const compressed = await files.write(body, signal);
  const plain = files.reserve();
  let content: Readable;
  try {
    const source = `file(${quoteString(compressed)}, RawBLOB, 'content String', ${quoteString(compression)})`;
    await engine.runOnce(`SELECT content FROM ${source} INTO OUTFILE ${quoteString(plain)} FORMAT RawBLOB`);
    // Closed with the request at the latest, read to its end or not.
    content = (await open(plain)).createReadStream({ highWaterMark: 1024 * 1024, signal });
  } catch (error) {
    throw toClickHouseException(error);
  } finally {
    // Before the first byte is handed out: a statement that turns out to be wrong leaves the rest unread.
    await files.remove(compressed);
    await files.remove(plain);
  }
  yield* content as AsyncIterable<Buffer>;
}
