import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PipelineError } from '../../../core/errors.ts';
import { lockOwner, tryLock } from '../../../core/process-lock.ts';
import { notWritable } from '../claims.ts';

/**
 * Keeps a second process from going on with a backfill that is running: each would send what the other one sends.
 *
 * @param folder of the seed's claims
 * @returns gives the lock back
 * @throws PipelineError `BACKFILL_RUNS`, `STATE_NOT_WRITABLE`
 */
export function lockBackfill(folder: string): () => void {
  const file = path.join(folder, 'backfill.lock');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The first attempt removes the lock of a process that died.
    if (!tryLock(file) && !tryLock(file)) {
      throw new PipelineError('BACKFILL_RUNS', {
        what: `A backfill of this seed is running already (process ${String(lockOwner(file) ?? 'unknown')})`,
        where: file,
        todo: 'Wait for it. If there is no such process, remove the file.',
      });
    }
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw notWritable(folder, error);
  }
  return () => {
    rmSync(file, { force: true });
  };
}
