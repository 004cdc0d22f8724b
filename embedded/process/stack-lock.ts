import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../core/errors.ts';
import type { Home } from '../../core/home.ts';
import { waitFor } from '../../core/wait.ts';
import { processInfo } from './process-info.ts';

const holderSchema = z.object({ pid: z.int(), identity: z.string() });

/** Longer than a first start that fetches everything over a slow line. */
const waitTimeoutMs = 900_000;

export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once with the pid of the process that has to be waited for. */
  onWait?: (pid: number) => void;
}

/**
 * Runs `work` while no other process starts or stops services of this home. Waits for one that does; a lock
 * whose process is dead is taken over.
 */
export async function withStackLock<T>(
  home: Home,
  { signal, onWait }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const file = path.join(home.run, 'lock');
  const mine = `${file}.${randomUUID()}`;
  const me = JSON.stringify({ pid: process.pid, identity: processInfo(process.pid)?.identity ?? '' });
  writeFileSync(mine, me);
  let told = false;
  try {
    await waitFor(
      () => {
        if (takeLock(mine, file)) return true;
        const holder = holderOf(file);
        if (holder === 'dead') removeDeadLock(file);
        else if (holder !== undefined && !told) {
          told = true;
          onWait?.(holder);
        }
        return false;
      },
      {
        what: 'another up or down of this state folder',
        timeoutMs: waitTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
        todo: `If none is running, remove ${file}.`,
      },
    );
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** A hard link is created only if the name is free, and with its content already there. */
function takeLock(mine: string, file: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The pid that holds the lock, 'dead' when that process is gone, undefined when the lock is. */
function holderOf(file: string): number | 'dead' | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const holder = holderSchema.safeParse(safeJson(text)).data;
  return holder !== undefined && processInfo(holder.pid)?.identity === holder.identity ? holder.pid : 'dead';
}

/** Sets the lock aside before removing it: of two processes that find it dead only one gets to rename it. */
function removeDeadLock(file: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody may have taken it over in the meantime: then what was renamed is alive, and goes back.
  if (typeof holderOf(aside) === 'number') takeLock(aside, file);
  rmSync(aside, { force: true });
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
