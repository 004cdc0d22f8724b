import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../../core/home.ts';
import { runCommand } from '../../core/run-command.ts';
import { PipelineError } from '../../core/errors.ts';
import { renameUnlessThere } from './official-release.ts';
import { findPlugin, jarsIn, standInSinkClass } from './plugin-folder.ts';

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
    await mkdir(folder, { recursive: true });
    const staging = await mkdtemp(path.join(folder, 'staging-'));
    try {
      await runCommand(
        'mvn',
        ['-B', '-q', '-f', path.join(standInSources, 'pom.xml'), `-Dbuild.folder=${staging}/build`].concat([
          '-DskipTests',
          'package',
        ]),
        {
          purpose: 'Building the stand-in sink',
          cwd: staging,
          timeoutMs: buildTimeoutMs,
          ...(signal === undefined ? {} : { signal }),
          todo: 'The first start needs the network, once, for the jars. "npm run doctor" checks Java and Maven.',
        },
      );
      const element = path.join(staging, 'element');
      await mkdir(element);
      await rename(path.join(staging, 'build', 'plugin'), path.join(element, 'clickhouse-sink-stand-in'));
      await renameUnlessThere(element, built);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }
  const ownJars = jarsIn(built).filter((jar) => path.basename(jar).startsWith('stand-in-'));
  const plugin = await findPlugin(ownJars, standInSinkClass);
  if (plugin === undefined) {
    throw new PipelineError('STAND_IN_BROKEN', {
      what: `The built stand-in sink does not hold ${standInSinkClass}`,
      where: built,
      todo: 'Remove that folder; the next start builds it again.',
    });
  }
  return { folder: built, version: plugin.version };
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
