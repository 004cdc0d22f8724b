import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * The process that has a data folder open, as far as can be seen from outside.
 *
 * The engine locks the file `status` in it and writes its process id there; the file outlives a killed process.
 * Linux lists who holds which lock. Elsewhere nobody is found, and the engine says itself that it is locked out.
 */
export function folderOwner(dataFolder: string): number | undefined {
  try {
    const status = path.join(dataFolder, 'status');
    const owner = /^PID: (\d+)/.exec(readFileSync(status, 'utf8'))?.[1];
    // As in `1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF`: process, device and number of the file.
    const lock = new RegExp(`FLOCK .* WRITE ${owner} [\\da-f:]+:${statSync(status).ino} `);
    return owner !== undefined && lock.test(readFileSync('/proc/locks', 'utf8')) ? Number(owner) : undefined;
  } catch {
    return undefined;
  }
}
