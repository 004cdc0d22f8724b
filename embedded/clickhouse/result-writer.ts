import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { createGzip, gzip, type Gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { encodeBlocks } from './compression/compressed-blocks.ts';
import type { ClickHouseException } from './exceptions.ts';
import { httpStatusOf } from './exceptions.ts';

const gzipAll = promisify(gzip);

/** Fast rather than small: clients are near, and the engine needs the cores. */
const gzipLevel = 1;

/** How an answer's bytes are packed. */
export type AnswerCoding = 'identity' | 'gzip' | 'blocks';

/**
 * Writes one answer. The first bytes are held back: an answer that fits has a length, a summary and, when the
 * query fails, the status of its error. A longer one is sent in chunks as it comes.
 */
export class ResultWriter {
  readonly #response: ServerResponse;
  readonly #coding: AnswerCoding;
  readonly #bufferBytes: number;
  readonly #exceptionTag: string;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #gzip: Gzip | undefined;

  constructor(
    response: ServerResponse,
    {
      coding,
      bufferBytes,
      exceptionTag,
    }: { coding: AnswerCoding; bufferBytes: number; exceptionTag: string },
  ) {
    this.#response = response;
    this.#coding = coding;
    this.#bufferBytes = bufferBytes;
    this.#exceptionTag = exceptionTag;
  }

  /** Takes the next bytes; resolves when the client can take more. */
  async write(chunk: Buffer): Promise<void> {
    if (this.#response.headersSent) {
      await this.#send(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > this.#bufferBytes) await this.#start();
  }

  /** Ends the answer. */
  async end(summary: string): Promise<void> {
    if (this.#response.headersSent) {
      if (this.#gzip) this.#gzip.end();
      else this.#response.end();
      return;
    }
    const body = await this.#encodeAll(Buffer.concat(this.#held));
    this.#writeCodingHeader();
    this.#response.setHeader('X-ClickHouse-Summary', summary);
    this.#response.setHeader('Content-Length', body.length);
    this.#response.end(body);
  }

  /** Answers with an error, or breaks off the answer that has begun in the way ClickHouse's clients detect. */
  async fail(error: ClickHouseException): Promise<void> {
    const text = Buffer.from(`${error.message}\n`);
    if (!this.#response.headersSent) {
      await sendException(this.#response, error, this.#coding);
      return;
    }
    // Since 25.11 the server ends a broken answer so; the tag keeps data from being taken for an error.
    const tag = this.#exceptionTag;
    await this.#send(
      Buffer.concat([
        Buffer.from(`\r\n__exception__\r\n${tag}\r\n`),
        text,
        Buffer.from(`${text.length} ${tag}\r\n__exception__\r\n`),
      ]),
    );
    if (this.#gzip) {
      const ended = once(this.#gzip, 'end');
      this.#gzip.end();
      await ended;
    }
    // No last chunk: every HTTP client sees that the answer is not complete.
    this.#response.socket?.end();
  }

  async #start(): Promise<void> {
    this.#writeCodingHeader();
    this.#response.setHeader('X-ClickHouse-Exception-Tag', this.#exceptionTag);
    if (this.#coding === 'gzip') {
      this.#gzip = createGzip({ level: gzipLevel });
      this.#gzip.pipe(this.#response);
    }
    this.#response.flushHeaders();
    const held = Buffer.concat(this.#held);
    this.#held = [];
    await this.#send(held);
  }

  #writeCodingHeader(): void {
    if (this.#coding === 'gzip') this.#response.setHeader('Content-Encoding', 'gzip');
  }

  async #send(chunk: Buffer): Promise<void> {
    const destination = this.#gzip ?? this.#response;
    const bytes = this.#coding === 'blocks' ? encodeBlocks(chunk) : chunk;
    if (!destination.write(bytes)) await drained(destination, this.#response);
  }

  async #encodeAll(body: Buffer): Promise<Buffer> {
    if (this.#coding === 'gzip') return gzipAll(body, { level: gzipLevel });
    return this.#coding === 'blocks' ? encodeBlocks(body) : body;
  }
}

/** Resolves when `stream` takes more, or when nobody is there any more to take it. */
function drained(stream: Writable, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const proceed = () => {
      stream.off('drain', proceed);
      response.off('close', proceed);
      resolve();
    };
    if (response.destroyed) {
      resolve();
      return;
    }
    stream.on('drain', proceed);
    response.on('close', proceed);
  });
}

/** Answers with an exception: status, code and text, the text in the coding the client expects. */
export async function sendException(
  response: ServerResponse,
  error: ClickHouseException,
  coding: AnswerCoding,
): Promise<void> {
  const text = Buffer.from(`${error.message}\n`);
  response.statusCode = httpStatusOf(error.code);
  response.setHeader('X-ClickHouse-Exception-Code', error.code);
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  let body = text;
  if (coding === 'gzip') {
    body = await gzipAll(text, { level: gzipLevel });
    response.setHeader('Content-Encoding', 'gzip');
  }
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
