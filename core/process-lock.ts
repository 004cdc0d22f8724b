import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from './errors.ts';
import { waitFor } from './wait.ts';

/**
 * Takes a lock file that holds this process's id; false while another living process has it. The lock of a dead
 * process is removed, and is to be had at the next call. Whoever takes it removes the file in the end.
 */
export function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const owner = lockOwner(file);
  if (owner !== undefined && !isAlive(owner)) rmSync(file, { force: true });
  return false;
}

export interface ProcessLockOptions {
  /** Who is waited for, as in "Timed out after 30 s waiting for <what>". */
  what: string;
  timeoutMs: number;
  todo: string;
  signal?: AbortSignal;
  /** Told once, with the process that has the lock, when it is not to be had at once. */
  onWait?: (owner: number | undefined) => void;
}

/**
 * Runs `work` while this process has a lock file whose folder is there; waits for the process that has it.
 *
 * @throws PipelineError `TIMED_OUT`, and what `work` throws
 */
export async function withProcessLock<T>(
  file: string,
  { what, timeoutMs, todo, signal, onWait }: ProcessLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  let isTold = false;
  await waitFor(
    () => {
      // The lock of a dead process is only removed by the first attempt.
      if (tryLock(file) || tryLock(file)) return true;
      if (!isTold) onWait?.(lockOwner(file));
      isTold = true;
      return false;
    },
    { what, timeoutMs, todo, ...(signal && { signal }) },
  );
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** The process that holds a lock; undefined while it is writing its id, or when the lock is gone by now. */
export function lockOwner(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
