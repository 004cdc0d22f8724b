import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from './errors.ts';

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
