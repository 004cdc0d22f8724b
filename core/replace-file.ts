import { renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Replaces a file as a whole: whoever reads it, at whatever moment, reads one complete content. Only its owner may
 * read it. Against a power failure the content is not synced.
 *
 * @throws what the file system says, with the file before untouched and nothing left beside it
 */
export function replaceFile(file: string, content: string | Uint8Array): void {
  const written = `${file}.${String(process.pid)}`;
  try {
    writeFileSync(written, content, { mode: 0o600 });
    renameSync(written, file);
  } catch (error) {
    rmSync(written, { force: true });
    throw error;
  }
}
