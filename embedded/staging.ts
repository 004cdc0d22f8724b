import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError, codeOf } from '../core/errors.ts';
import { processInfo } from './process/process-info.ts';

const prefix = 'staging-';

/**
 * Calls `make` with an empty folder inside `folder` that is gone afterwards, whatever happens: what is finished
 * is moved out of it in one step, so that nothing half-done is ever found in its place.
 *
 * @throws PipelineError `DISK_FULL` and `CACHE_NOT_WRITABLE` for these faults of the local disk
 */
export async function withStaging<T>(folder: string, make: (staging: string) => Promise<T>): Promise<T> {
  let staging: string | undefined;
  try {
    await mkdir(folder, { recursive: true });
    await removeAbandoned(folder);
    staging = await mkdtemp(path.join(folder, `${prefix}${process.pid}-`));
    return await make(staging);
  } catch (error) {
    throw explainDiskFault(error, folder);
  } finally {
    if (staging !== undefined) await rm(staging, { recursive: true, force: true });
  }
}

/** Moves a finished folder into its place, unless another process was faster and made the same one. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** What a killed process left. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || processInfo(pid) !== undefined) continue;
    await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function explainDiskFault(error: unknown, folder: string): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new PipelineError('DISK_FULL', {
        what: 'The disk is full',
        where: folder,
        todo: 'Free room, or choose another cache folder with PIPELINE_CACHE.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'EEXIST':
    case 'ENOTDIR':
      return new PipelineError('CACHE_NOT_WRITABLE', {
        what: 'The cache folder cannot be written to',
        where: folder,
        todo: 'Make it writable, or choose another one with PIPELINE_CACHE.',
        cause: error,
      });
    default:
      return error;
  }
}
