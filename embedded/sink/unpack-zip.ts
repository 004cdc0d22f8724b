import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';

export interface UnpackLimits {
  maxEntries: number;
  /** Of all files together once unpacked. */
  maxBytes: number;
}

const symbolicLink = 0o120000;
const fileTypeMask = 0o170000;

/**
 * Unpacks a zip archive into `folder`, which must be empty: the caller removes it when this throws.
 *
 * Names that would leave the folder, links and encrypted entries are refused; sizes are checked against what
 * the archive says before and while it is read (yauzl refuses an entry that grows beyond its declared size).
 */
export async function unpackZip(
  archiveFile: string,
  folder: string,
  { maxEntries, maxBytes }: UnpackLimits,
  signal: AbortSignal | undefined,
): Promise<void> {
  // yauzl refuses absolute names, backslashes and "..": its documented default, strictFileNames keeps it exact.
  const archive = await yauzl.openPromise(archiveFile, { autoClose: false, strictFileNames: true });
  try {
    if (archive.entryCount > maxEntries) throw new Error(`it has more than ${maxEntries} entries`);
    let bytes = 0;
    for await (const entry of archive.eachEntry()) {
      bytes += entry.uncompressedSize;
      if (bytes > maxBytes) throw new Error(`it unpacks to more than ${Math.round(maxBytes / 1e6)} MB`);
      const target = path.resolve(folder, entry.fileName);
      if (target !== folder && !target.startsWith(folder + path.sep)) {
        throw new Error(`the entry ${entry.fileName} leads out of the folder`);
      }
      if (((entry.externalFileAttributes >>> 16) & fileTypeMask) === symbolicLink) {
        throw new Error(`the entry ${entry.fileName} is a symbolic link`);
      }
      if (entry.fileName.endsWith('/')) {
        await mkdir(target, { recursive: true });
        continue;
      }
      await mkdir(path.dirname(target), { recursive: true });
      const content = await archive.openReadStreamPromise(entry);
      await pipeline(
        content,
        createWriteStream(target, { flags: 'wx' }),
        signal === undefined ? {} : { signal },
      );
    }
  } finally {
    archive.close();
  }
}
