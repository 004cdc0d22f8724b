import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError, isAbort } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { runCommand } from '../../core/run-command.ts';
import { pluginVersion, jarsIn, standInSinkClass } from './plugin-folder.ts';
import { moveIntoPlace, withStaging } from '../staging.ts';

export const standInSources = path.join(projectRoot, 'embedded', 'sink', 'stand-in');

/** Resolving its jars over a slow line is what takes long; the build itself takes seconds. */
const buildTimeoutMs = 600_000;

export interface BuildOptions {
  /** The sink's part of the cache. */
  folder: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

export interface BuiltStandIn {
  /** To be an element of the worker's plugin.path: its one subfolder is the plugin. */
  folder: string;
  version: string;
}

/**
 * The stand-in, from the cache if it was built of the present sources, otherwise built by Maven. The build
 * happens aside and is moved into place in one step, so that an interrupted one leaves nothing.
 */
export async function buildStandIn({ folder, signal, onProgress }: BuildOptions): Promise<BuiltStandIn> {
  const built = path.join(folder, `stand-in-${hashSources(standInSources)}`);
  if (!existsSync(built)) {
    onProgress?.('Building the stand-in sink with Maven (once; its jars are fetched if they are missing)');
    await withStaging(folder, async (staging) => {
      const buildFolder = path.join(staging, 'build');
      await runMaven(buildFolder, signal);
      const element = path.join(staging, 'element');
      await mkdir(element);
      await rename(path.join(buildFolder, 'plugin'), path.join(element, 'clickhouse-sink-stand-in'));
      await moveIntoPlace(element, built);
    });
  }
  const ownJars = jarsIn(built).filter((jar) => path.basename(jar).startsWith('stand-in-'));
  const version = await pluginVersion(ownJars, standInSinkClass);
  if (version === undefined) {
    throw new PipelineError('STAND_IN_BROKEN', {
      what: `The built stand-in sink does not hold ${standInSinkClass}`,
      where: built,
      todo: 'Remove that folder; the next start builds it again.',
    });
  }
  return { folder: built, version };
}

async function runMaven(buildFolder: string, signal: AbortSignal | undefined): Promise<void> {
  const pom = path.join(standInSources, 'pom.xml');
  let reason: string | undefined;
  try {
    // Strict checksums (-C): a damaged download fails instead of being kept.
    await runCommand(
      'mvn',
      ['-B', '-q', '-C', '-f', pom, `-Dbuild.folder=${buildFolder}`, '-Dmaven.test.skip', 'package'],
      {
        purpose: 'Building the stand-in sink',
        timeoutMs: buildTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
        // Maven names the reason first and explains itself for ten lines after it.
        onLine: (line) => (reason ??= /\[ERROR\] (.*?)( -> \[Help 1\])?$/.exec(line)?.[1]),
      },
    );
  } catch (error) {
    if (reason === undefined || isAbort(error)) throw error;
    throw new PipelineError('STAND_IN_NOT_BUILT', {
      what: `The stand-in sink could not be built: ${reason.slice(0, 300)}`,
      where: pom,
      todo: 'Its first build needs the network for its jars; ~/.m2/settings.xml names a proxy or a mirror. "npm run doctor" checks Java and Maven.',
      cause: error,
    });
  }
}

/** Of the names and contents of everything the build reads; tests do not change the jar. */
function hashSources(folder: string): string {
  const hash = createHash('sha256');
  const add = (relative: string) => {
    hash
      .update(`${relative}\0`)
      .update(readFileSync(path.join(folder, relative)))
      .update('\0');
  };
  add('pom.xml');
  for (const file of readdirSync(path.join(folder, 'src', 'main'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort()) {
    add(file);
  }
  return hash.digest('hex').slice(0, 12);
}
