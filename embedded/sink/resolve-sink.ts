import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { InterruptedError, PipelineError, codeOf } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { parseWith } from '../../core/parse.ts';
import { buildStandIn, standInSources } from './build-stand-in.ts';
import { DownloadError } from './download-file.ts';
import { forgetFailure, recentFailure, rememberFailure } from './failed-download.ts';
import {
  cachedRelease,
  downloadRelease,
  releaseUrl,
  releaseVersion,
  type CachedRelease,
  type ReleaseLimits,
  type ReleaseOptions,
} from './official-release.ts';
import { pluginVersion, jarsIn, officialSinkClass } from './plugin-folder.ts';

/** The sink the embedded worker gets. */
export interface SinkPlugin {
  kind: 'official' | 'stand-in';
  version: string;
  /** An element for the worker's plugin.path: its one subfolder is the plugin. */
  folder: string;
  /** Where it came from: a folder, an address, or the stand-in's sources. */
  source: string;
  /** Why this one, as a clause: "CLICKHOUSE_SINK_PLUGIN names it". */
  reason: string;
}

export interface ResolveSinkOptions {
  /** The project's cache; the sink uses the folder `sink` in it. */
  cacheFolder: string;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
  /** For tests: smaller limits of the download. */
  limits?: Partial<ReleaseLimits>;
}

/** An empty variable counts as unset. */
const text = z
  .string()
  .optional()
  .transform((value) => value || undefined);

const settingsSchema = z.object({
  CLICKHOUSE_SINK_PLUGIN: text,
  CLICKHOUSE_SINK_DOWNLOAD: text.pipe(z.enum(['on', 'off'], 'expected on or off').default('on')),
  CLICKHOUSE_SINK_URL: text.pipe(
    z.url({ protocol: /^https?$/, error: 'expected an http or https address' }).default(releaseUrl),
  ),
  CLICKHOUSE_SINK_SHA256: text.pipe(
    z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'expected 64 hexadecimal digits')
      .optional(),
  ),
});

/**
 * Finds the sink plugin: the folder in `CLICKHOUSE_SINK_PLUGIN`, the cache, the pinned release, and only if
 * none of them is to be had the project's stand-in.
 *
 * @throws InvalidInputError for malformed settings
 * @throws PipelineError `SINK_PLUGIN_INVALID` for a folder that holds no sink, `SINK_CHECKSUM_MISMATCH` for a
 *   release that is not the one expected: neither falls back to another sink
 */
export async function resolveSinkPlugin(options: ResolveSinkOptions): Promise<SinkPlugin> {
  const { cacheFolder, env, signal, onProgress, limits } = options;
  if (signal?.aborted) throw new InterruptedError();
  const settings = parseWith(
    settingsSchema,
    env,
    'The settings of the sink are not valid',
    'the environment',
  );
  const folder = path.join(cacheFolder, 'sink');
  if (settings.CLICKHOUSE_SINK_PLUGIN !== undefined) {
    return namedPlugin(path.resolve(projectRoot, settings.CLICKHOUSE_SINK_PLUGIN), folder);
  }
  const release: ReleaseOptions = {
    folder,
    url: settings.CLICKHOUSE_SINK_URL,
    sha256: settings.CLICKHOUSE_SINK_SHA256,
    signal,
    onProgress,
    limits,
  };
  const cached = await cachedRelease(release);
  if (cached !== undefined) return { kind: 'official', ...cached, reason: 'it is in the cache' };

  const fetched =
    settings.CLICKHOUSE_SINK_DOWNLOAD === 'on'
      ? await tryDownload(release)
      : { unavailable: 'CLICKHOUSE_SINK_DOWNLOAD is off' };
  if (!('unavailable' in fetched)) return { kind: 'official', ...fetched, reason: 'it was downloaded' };

  onProgress?.(`The official ClickHouse sink ${releaseVersion} is not to be had: ${fetched.unavailable}`);
  const standIn = await buildStandIn({ folder, signal, onProgress });
  return { kind: 'stand-in', ...standIn, source: standInSources, reason: fetched.unavailable };
}

/** Downloads the release, unless that failed a short while ago. */
async function tryDownload(release: ReleaseOptions): Promise<CachedRelease | { unavailable: string }> {
  const failureFile = path.join(release.folder, 'failed-download.json');
  const failure = recentFailure(failureFile, release.url);
  if (failure !== undefined) {
    return {
      unavailable: `downloading it failed at ${failure.at} (${failure.reason}); to try again now, remove ${failureFile}`,
    };
  }
  try {
    const fetched = await downloadRelease(release);
    forgetFailure(failureFile);
    return fetched;
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    rememberFailure(failureFile, release.url, error.message);
    return { unavailable: `downloading it failed (${error.message})` };
  }
}

async function namedPlugin(named: string, folder: string): Promise<SinkPlugin> {
  const invalid = (what: string) =>
    new PipelineError('SINK_PLUGIN_INVALID', {
      what: `CLICKHOUSE_SINK_PLUGIN ${what}`,
      where: named,
      todo: `Name the folder that holds the jars of the official sink, or unset it to have release ${releaseVersion} downloaded.`,
    });
  if (!statSync(named, { throwIfNoEntry: false })?.isDirectory()) throw invalid('names no folder');
  const version = await pluginVersion(jarsIn(named), officialSinkClass);
  if (version === undefined) throw invalid(`names a folder without a jar that holds ${officialSinkClass}`);
  return {
    kind: 'official',
    version,
    folder: linkPlugin(named, folder),
    source: named,
    reason: 'CLICKHOUSE_SINK_PLUGIN names it',
  };
}

/**
 * Makes `plugin` the one subfolder of an element of plugin.path. Connect takes each child of an element for a
 * plugin of its own, so naming a folder of jars there would tear them apart.
 */
function linkPlugin(plugin: string, folder: string): string {
  const target = realpathSync(plugin);
  const element = path.join(
    folder,
    `linked-${createHash('sha256').update(target).digest('hex').slice(0, 12)}`,
  );
  mkdirSync(element, { recursive: true });
  try {
    symlinkSync(target, path.join(element, 'clickhouse-kafka-connect'));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  return element;
}
