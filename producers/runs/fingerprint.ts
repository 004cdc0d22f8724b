import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../core/home.ts';
import type { ScenarioSettings } from '../scenario/settings.ts';

/** Where the code is that a customer's life follows from. */
const folders = ['scenario', 'entities', 'lives'];

/**
 * Names everything that lives follow from beside the seed: the settings and the code. A life is told again from
 * its start whenever it is gone on with; told by other settings or by another version of the code it would
 * contradict what the broker holds.
 */
export function fingerprintOf(settings: ScenarioSettings): string {
  const hash = createHash('sha256').update(JSON.stringify(settings)).update(sources());
  return hash.digest('hex').slice(0, 16);
}

let read: string | undefined;

function sources(): string {
  read ??= folders
    .flatMap((name) => {
      const folder = path.join(projectRoot, 'producers', name);
      const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
      return files.sort().map((file) => readFileSync(path.join(folder, file), 'utf8'));
    })
    .join('\0');
  return read;
}
