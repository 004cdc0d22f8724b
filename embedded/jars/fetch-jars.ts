import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, isAbort, messageOf, PipelineError } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { runCommand } from '../../core/run-command.ts';
import { moveIntoPlace, withStaging } from '../staging.ts';

/** Each has a pom.xml in the folder of its name. */
export type JarSet = 'kafka' | 'registry-converter' | 'schema-registry';

/** 190 MB altogether; a line of 3 Mbit/s needs nine minutes for them. */
const fetchTimeoutMs = 900_000;

export interface FetchOptions {
  cacheFolder: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

/** The sets that are not in the cache yet. */
export function missingJars(sets: readonly JarSet[], cacheFolder: string): JarSet[] {
  return sets.filter((set) => !existsSync(cachedFolder(set, cacheFolder)));
}

/**
 * The folder of the set's jars, fetched with Maven unless the cache has it. The fetch happens aside and is
 * moved into place in one step: an interrupted one is never mistaken for a finished one.
 */
export async function fetchJars(set: JarSet, options: FetchOptions): Promise<string> {
  const { cacheFolder } = options;
  const finished = cachedFolder(set, cacheFolder);
  if (!existsSync(finished)) {
    await withStaging(path.dirname(finished), async (staging) => {
      await runMaven(set, path.join(staging, set), options);
      // All of it, so that nothing is found before the whole folder is.
      await moveIntoPlace(staging, finished);
    });
  }
  return path.join(finished, set);
}

async function runMaven(set: JarSet, folder: string, { signal, onProgress }: FetchOptions): Promise<void> {
  onProgress?.(`Fetching the jars of ${set} from Maven Central (once)`);
  let downloaded = 0;
  let firstError: string | undefined;
  const onLine = (line: string) => {
    firstError ??= /^\[ERROR\] (\S.*?)(?: -> \[Help 1\])?$/.exec(line)?.[1];
    if (!/^\[INFO\] Downloaded from .*\.(jar|tar\.gz) \(/.test(line)) return;
    downloaded += 1;
    if (downloaded % 20 === 0) onProgress?.(`  ${set}: ${downloaded} files`);
  };
  const interruptible = signal === undefined ? {} : { signal };
  // Strict checksums (-C): a damaged download fails instead of being kept.
  const args = ['-B', '-C', '-Dstyle.color=never', '-f', pomFile(set), `-Djars.folder=${folder}`];
  try {
    await runCommand('mvn', [...args, 'generate-resources'], {
      purpose: `Fetching the jars of ${set}`,
      timeoutMs: fetchTimeoutMs,
      ...interruptible,
      onLine,
    });
  } catch (error) {
    if (isAbort(error) || codeOf(error) === 'COMMAND_NOT_FOUND') throw error;
    throw new PipelineError('JARS_NOT_FETCHED', {
      what: `The jars of ${set} could not be fetched from Maven Central`,
      where: pomFile(set),
      todo: [
        // The cause stands at the end, after the names of what was wanted for what.
        (firstError ?? messageOf(error)).replace(/^.+(?=.{200}$)/s, '… '),
        'Check the network (and ~/.m2/settings.xml, if you need a proxy or a mirror), then run it again.',
      ].join('\n'),
      cause: error,
    });
  }
  for (const archive of readdirSync(folder).filter((file) => file.endsWith('.tar.gz'))) {
    const file = path.join(folder, archive);
    const options = { purpose: `Unpacking ${archive}`, timeoutMs: 120_000, ...interruptible };
    await runCommand('tar', ['-xzf', file, '-C', folder], options);
    await rm(file);
  }
}

/**
 * Keyed by the pom and the files beside it: another version is another folder, and needs no decision about
 * what is stale.
 */
function cachedFolder(set: JarSet, cacheFolder: string): string {
  const folder = path.dirname(pomFile(set));
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((candidate) => candidate.isFile())
    .map((candidate) => path.relative(folder, path.join(candidate.parentPath, candidate.name)))
    .sort()) {
    hash
      .update(`${entry}\0`)
      .update(readFileSync(path.join(folder, entry)))
      .update('\0');
  }
  return path.join(cacheFolder, 'jars', `${set}-${hash.digest('hex').slice(0, 12)}`);
}

function pomFile(set: JarSet): string {
  return path.join(projectRoot, 'embedded', 'jars', set, 'pom.xml');
}
