import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The folder of what requests put on disk: beside the data folder, so on the same file system. */
export class RequestFiles {
  readonly folder: string;
  #last = 0;

  /** Sweeps what an earlier process left. To be called only while this process holds the data folder. */
  constructor(dataFolder: string) {
    this.folder = `${path.resolve(dataFolder)}.requests`;
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.folder))
      rmSync(path.join(this.folder, name), { recursive: true, force: true });
  }

  /** A path nobody else has; the caller removes the file. */
  reserve(): string {
    this.#last += 1;
    return path.join(this.folder, `request-${this.#last}`);
  }

  /** Writes `content` to a new file as it arrives. When it fails, or `signal` aborts, nothing is left. */
  async write(content: AsyncIterable<Buffer>, signal: AbortSignal): Promise<string> {
    const file = this.reserve();
    // A stream that opens its file itself may do so after the pipeline has failed and the file was removed.
    const handle = await open(file, 'w', 0o600);
    const stream = handle.createWriteStream({ highWaterMark: 1024 * 1024 });
    try {
      await pipeline(content, stream, { signal });
      return file;
    } catch (error) {
      await this.remove(file);
      throw error;
    }
  }

  async remove(file: string): Promise<void> {
    await rm(file, { force: true });
  }
}
