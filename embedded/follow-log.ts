import { createReadStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Writable } from 'node:stream';
import { PipelineError } from '../core/errors.ts';
import { sleep } from '../core/wait.ts';

const chunkBytes = 64 * 1024;
const pollIntervalMs = 250;

/**
 * The last `count` lines of a log, read from its end, and where that end was.
 *
 * @throws PipelineError `LOG_NOT_FOUND`
 */
export async function tailLog(file: string, count: number): Promise<{ text: string; end: number }> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new PipelineError('LOG_NOT_FOUND', {
      what: 'There is no log yet: the service was never started',
      where: file,
      todo: 'Start it with "npm run up".',
    });
  }
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    let from = size;
    let tail = Buffer.alloc(0);
    // One line break more than lines: the one that ends the line before the first.
    while (from > 0 && lineBreaks(tail) <= count) {
      const length = Math.min(chunkBytes, from);
      from -= length;
      const { buffer } = await handle.read(Buffer.alloc(length), 0, length, from);
      tail = Buffer.concat([buffer, tail]);
    }
    const lines = tail.toString('utf8').split('\n');
    const complete = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
    return { text: count === 0 ? '' : complete.slice(-count).join('\n'), end: size };
  } finally {
    await handle.close();
  }
}

/** Writes what is appended to the log after `from`, until `signal` aborts. Follows a log that is set aside. */
export async function followLog(
  file: string,
  from: number,
  output: Writable,
  signal: AbortSignal,
): Promise<void> {
  let at = from;
  for (;;) {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size < at) at = 0;
    if (size > at) {
      await pipeline(createReadStream(file, { start: at, end: size - 1 }), output, { end: false });
      at = size;
    }
    await sleep(pollIntervalMs, signal);
  }
}

function lineBreaks(buffer: Buffer): number {
  let count = 0;
  for (let at = buffer.indexOf(10); at !== -1; at = buffer.indexOf(10, at + 1)) count += 1;
  return count;
}
