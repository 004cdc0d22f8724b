import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { runCommand } from '../../core/run-command.ts';

/** One result on its way from the engine, which writes to `path`, to the response, which reads `stream`. */
export interface ResultPipe {
  path: string;
  stream: Readable;
  /** To be called when the query has ended: what is still in the pipe can be read, then the stream ends. */
  finish: () => void;
  /** Gives the pipe back, empty, once the query has ended. */
  release: () => Promise<void>;
}

/**
 * Named pipes through which the engine writes results (`INTO OUTFILE`).
 *
 * The binding itself can only return a result as one buffer, or in chunks that are complete outputs each: right
 * for rows without a header, wrong for JSON, Parquet or RowBinaryWithNamesAndTypes. Through a pipe the engine
 * writes every format as its server would, a slow client slows the query down, and nothing is held in memory or
 * written to disk.
 */
export class ResultPipes {
  readonly #free: string[];

  private constructor(paths: string[]) {
    this.#free = paths;
  }

  /** Node cannot make named pipes: the program `mkfifo`, which every Unix has, makes all of them at once. */
  static async create(folder: string, count: number): Promise<ResultPipes> {
    const paths = Array.from({ length: count }, (_, index) => path.join(folder, `result-${index}`));
    await runCommand('mkfifo', paths, { purpose: 'Making the pipes for results', timeoutMs: 10_000 });
    return new ResultPipes(paths);
  }

  /** There is one pipe for each query that may run at the same time. */
  open(): ResultPipe {
    const pipePath = this.#free.pop();
    if (pipePath === undefined) throw new Error('More queries are running than there are pipes');
    // Opened for reading without blocking, a pipe needs no writer yet; our own writing end, opened next, keeps
    // the reader from seeing the end of the stream before the engine has opened it, and after it has closed it.
    const readingEnd = openSync(pipePath, constants.O_RDONLY | constants.O_NONBLOCK);
    let writingEnd: number | undefined = openSync(pipePath, constants.O_WRONLY | constants.O_NONBLOCK);
    const stream = new Socket({ fd: readingEnd, readable: true, writable: false });
    const finish = () => {
      if (writingEnd !== undefined) closeSync(writingEnd);
      writingEnd = undefined;
    };
    return {
      path: pipePath,
      stream,
      finish,
      release: async () => {
        finish();
        // What nobody has read is gone when both ends are closed, and must not reach the next query.
        if (!stream.closed) await once(stream.destroy(), 'close');
        this.#free.push(pipePath);
      },
    };
  }
}
