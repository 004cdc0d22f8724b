import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PipelineError, codeOf } from '../../../core/errors.ts';
import { parseWith, readJson } from '../../../core/parse.ts';

const count = z.int().min(0);

const checkpointSchema = z.strictObject({
  /** Events of the part that are on the broker: all of them up to here. */
  told: count,
  /** No event beyond this number was sent before the next checkpoint was written. */
  upTo: count,
  byTopic: z.record(z.string(), count),
  /** Earliest and latest `occurred_at` of what was told. */
  firstAt: z.int().nullable(),
  lastAt: z.int().nullable(),
  /** By topic and partition: what was sent after this checkpoint is at this offset or behind it. */
  positions: z.record(z.string(), z.array(count)),
  isComplete: z.boolean(),
});

/** How far a part of a backfill has come. */
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** The checkpoints of one backfill: a small file for each part, written by whoever tells the part. */
export class Checkpoints {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws InvalidInputError when somebody edited the file */
  read(part: number): Checkpoint | undefined {
    const file = this.#fileOf(part);
    if (!existsSync(file)) return undefined;
    const what = 'The checkpoint of a backfill is not valid';
    return parseWith(checkpointSchema, readJson(file, what), what, file);
  }

  /**
   * Replaces the part's checkpoint, for good: it is on the disk when this returns.
   *
   * @throws PipelineError `STATE_NOT_WRITABLE`; the checkpoint before stays valid
   */
  write(part: number, checkpoint: Checkpoint): void {
    const file = this.#fileOf(part);
    const draft = `${file}.draft`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(draft, `${JSON.stringify(checkpoint)}\n`, { mode: 0o600, flush: true });
      renameSync(draft, file);
      syncFolder(this.#folder);
    } catch (error) {
      throw new PipelineError('STATE_NOT_WRITABLE', {
        what: `The progress of the backfill cannot be written (${codeOf(error) ?? 'unknown reason'})`,
        where: this.#folder,
        todo: 'Make room or correct the permissions.',
        cause: error,
      });
    }
  }

  #fileOf(part: number): string {
    return path.join(this.#folder, `part-${String(part).padStart(6, '0')}.json`);
  }
}

/** Without it a power failure could bring back the file before. Not every system can do it. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } catch (error) {
    if (!['EPERM', 'EINVAL', 'EISDIR'].includes(codeOf(error) ?? '')) throw error;
  } finally {
    closeSync(handle);
  }
}
