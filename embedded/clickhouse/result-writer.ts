import type { ServerResponse } from 'node:http';
import { InterruptedError } from '../../core/errors.ts';
import { createEncoder, type AnswerCoding, type AnswerEncoder } from './compression/answer-encoder.ts';
import { httpStatusOf, type ClickHouseException } from './exceptions.ts';

/** How long a client may take nothing of its answer before it counts as gone: a query waits for it all the time. */
const stalledClientMs = 300_000;

/**
 * Writes one answer. The first bytes are held back: an answer that fits has a length, a summary and, when the
 * query fails, the status of its error. A longer one is sent in chunks as it comes.
 */
export class ResultWriter {
  readonly #response: ServerResponse;
  readonly #encoder: AnswerEncoder;
  readonly #coding: AnswerCoding;
  readonly #bufferBytes: number;
  readonly #exceptionTag: string;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(
    response: ServerResponse,
    options: {
      coding: AnswerCoding;
      /** How much is held back before the answer begins. */
      bufferBytes: number;
      /** Sixteen characters that tell an error from data where an answer breaks off. */
      exceptionTag: string;
    },
  ) {
    this.#response = response;
    this.#coding = options.coding;
    this.#encoder = createEncoder(options.coding);
    this.#bufferBytes = options.bufferBytes;
    this.#exceptionTag = options.exceptionTag;
  }

  /** Takes the next bytes; resolves when the client can take more. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#response.headersSent) {
      await this.#send(await this.#encoder.encode(bytes));
      return;
    }
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#bufferBytes) await this.#begin();
  }

  /** Takes a result whose query has ended, so that even a long answer has its summary. */
  async writeAll(content: AsyncIterable<Buffer>, summary: string): Promise<void> {
    this.#response.setHeader('X-ClickHouse-Summary', summary);
    for await (const bytes of content) await this.write(bytes);
  }

  /** Ends the answer. */
  async end(summary: string): Promise<void> {
    if (this.#response.headersSent) {
      this.#response.end(await this.#encoder.end());
      return;
    }
    this.#response.setHeader('X-ClickHouse-Summary', summary);
    await sendWhole(this.#response, this.#encoder, Buffer.concat(this.#held));
  }

  /** Answers with an error, or breaks off the answer that has begun in the way ClickHouse's clients detect. */
  async fail(error: ClickHouseException): Promise<void> {
    if (!this.#response.headersSent) {
      await sendException(this.#response, error, this.#coding);
      return;
    }
    // The server's own way since 25.11.
    const text = `${error.message}\n`;
    const tag = this.#exceptionTag;
    const size = Buffer.byteLength(text);
    const ending = `\r\n__exception__\r\n${tag}\r\n${text}${size} ${tag}\r\n__exception__\r\n`;
    await this.#send(await this.#encoder.encode(Buffer.from(ending)));
    await this.#send(await this.#encoder.end());
    // Without the last, empty chunk every HTTP client sees that the answer is not complete.
    this.#response.socket?.end();
  }

  async #begin(): Promise<void> {
    this.#response.setHeader('X-ClickHouse-Exception-Tag', this.#exceptionTag);
    if (this.#encoder.contentEncoding) {
      this.#response.setHeader('Content-Encoding', this.#encoder.contentEncoding);
    }
    const held = Buffer.concat(this.#held);
    this.#held = [];
    const bytes = await this.#encoder.encode(held);
    this.#response.flushHeaders();
    await this.#send(bytes);
  }

  async #send(bytes: Buffer): Promise<void> {
    if (this.#response.destroyed) throw new InterruptedError('The client has gone');
    if (bytes.length === 0 || this.#response.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(() => this.#response.destroy(), stalledClientMs);
      const proceed = () => {
        clearTimeout(giveUp);
        this.#response.off('drain', proceed).off('close', proceed);
        resolve();
      };
      this.#response.on('drain', proceed).on('close', proceed);
    });
  }
}

/** Answers with an exception: status, code and text, packed as the client expects its answer. */
export async function sendException(
  response: ServerResponse,
  error: ClickHouseException,
  coding: AnswerCoding,
): Promise<void> {
  response.statusCode = httpStatusOf(error.code);
  response.setHeader('X-ClickHouse-Exception-Code', error.code);
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  await sendWhole(response, createEncoder(coding), Buffer.from(`${error.message}\n`));
}

async function sendWhole(response: ServerResponse, encoder: AnswerEncoder, bytes: Buffer): Promise<void> {
  const body = Buffer.concat([await encoder.encode(bytes), await encoder.end()]);
  if (encoder.contentEncoding) response.setHeader('Content-Encoding', encoder.contentEncoding);
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
