import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { InterruptedError, PipelineError, messageOf } from '../../core/errors.ts';
import { parseWith, readJson } from '../../core/parse.ts';
import { DownloadError, downloadFile } from './download-file.ts';
import { pluginVersion, jarsIn, officialSinkClass } from './plugin-folder.ts';
import { moveIntoPlace, withStaging } from '../staging.ts';
import { unpackZip } from './unpack-zip.ts';

/** The release of ClickHouse/clickhouse-kafka-connect that the pipeline is written against. */
export const releaseVersion = '1.5.0';
export const releaseUrl = `https://github.com/ClickHouse/clickhouse-kafka-connect/releases/download/v${releaseVersion}/clickhouse-kafka-connect-v${releaseVersion}.zip`;

/**
 * A network that drops packets must not hold up a start: 4 s to the first answer. The release is about 20 MB
 * in a handful of files; the limits keep out anything that is not it.
 */
const limits = {
  answerTimeoutMs: 4000,
  stallTimeoutMs: 8000,
  totalTimeoutMs: 300_000,
  maxBytes: 200_000_000,
  maxUnpackedBytes: 500_000_000,
  maxEntries: 2000,
};
export type ReleaseLimits = typeof limits;

export interface ReleaseOptions {
  /** The sink's part of the cache. */
  folder: string;
  /** Where to download from. */
  url: string;
  /** The archive's SHA-256 as the user knows it. */
  sha256?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
  limits?: Partial<ReleaseLimits> | undefined;
}

export interface CachedRelease {
  /** To be an element of the worker's plugin.path: its one subfolder is the plugin. */
  folder: string;
  version: string;
  /** The address it came from. */
  source: string;
}

/** What is remembered of the first download, and demanded of the cached files and of every later download. */
const recordSchema = z.strictObject({
  url: z.string(),
  archiveSha256: z.string(),
  /** SHA-256 of each jar, by its path below the release's folder. */
  jars: z.record(z.string(), z.string()),
});
type ReleaseRecord = z.infer<typeof recordSchema>;

/**
 * The release from the cache, if it is there.
 *
 * @throws PipelineError `SINK_CHECKSUM_MISMATCH` when a jar is not what was downloaded
 */
export async function cachedRelease(options: ReleaseOptions): Promise<CachedRelease | undefined> {
  const { folder, recordFile } = releasePaths(options);
  const record = readRecord(recordFile);
  if (record === undefined || !existsSync(folder)) return undefined;
  demandSha256(options.sha256, record.archiveSha256, `the cached release (${recordFile})`, recordFile);
  if (!sameJars(record.jars, await digestJars(folder))) {
    throw new PipelineError('SINK_CHECKSUM_MISMATCH', {
      what: 'The cached ClickHouse sink is not what was downloaded: a jar was changed, added or removed',
      where: folder,
      todo: 'Remove that folder; the next start downloads it again.',
    });
  }
  const version = await pluginVersion(jarsIn(folder), officialSinkClass);
  return version === undefined ? undefined : { folder, version, source: record.url };
}

/**
 * Downloads the release into the cache, all of it or nothing.
 *
 * @throws DownloadError when it is not to be had: out of reach, refused, damaged, not the sink
 * @throws PipelineError `SINK_CHECKSUM_MISMATCH` when what came is not what is pinned or came the first time
 */
export async function downloadRelease(options: ReleaseOptions): Promise<CachedRelease> {
  const { folder, recordFile } = releasePaths(options);
  const { url, signal, limits: changed } = options;
  return withStaging(options.folder, async (staging) => {
    const archive = path.join(staging, 'archive.zip');
    options.onProgress?.(`Downloading the ClickHouse sink ${releaseVersion} from ${url}`);
    const archiveSha256 = await downloadFile(url, archive, { ...limits, ...changed, signal });
    demandSha256(options.sha256, archiveSha256, url, recordFile);
    demandSha256(readRecord(recordFile)?.archiveSha256, archiveSha256, url, recordFile);
    const unpacked = path.join(staging, 'release');
    await unpackRelease(archive, unpacked, options);
    const record: ReleaseRecord = { url, archiveSha256, jars: await digestJars(unpacked) };
    const stagedRecord = path.join(staging, 'record.json');
    await writeFile(stagedRecord, `${JSON.stringify(record, null, 2)}\n`);
    // The record first: without its folder it only pins the next download, a folder without it is no release.
    await rename(stagedRecord, recordFile);
    await moveIntoPlace(unpacked, folder);
    const cached = await cachedRelease(options);
    if (cached === undefined) throw new DownloadError(`somebody removed ${folder} meanwhile`);
    return cached;
  });
}

async function unpackRelease(archive: string, folder: string, options: ReleaseOptions): Promise<void> {
  const { maxEntries, maxUnpackedBytes } = { ...limits, ...options.limits };
  const pluginFolder = path.join(folder, 'clickhouse-kafka-connect');
  await mkdir(pluginFolder, { recursive: true });
  try {
    await unpackZip(archive, pluginFolder, { maxEntries, maxBytes: maxUnpackedBytes }, options.signal);
  } catch (error) {
    if (options.signal?.aborted) throw new InterruptedError();
    // A fault of the local disk is no property of the archive.
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new DownloadError(`the archive is damaged or unsafe: ${messageOf(error)}`, { cause: error });
  }
  if ((await pluginVersion(jarsIn(folder), officialSinkClass)) === undefined) {
    throw new DownloadError(`the archive does not hold ${officialSinkClass}`);
  }
}

/** SHA-256 of the archive that was downloaded first, if one ever was. */
export function recordedChecksum(options: Pick<ReleaseOptions, 'folder'>): string | undefined {
  return readRecord(releasePaths(options).recordFile)?.archiveSha256;
}

function releasePaths({ folder }: Pick<ReleaseOptions, 'folder'>): { folder: string; recordFile: string } {
  const name = `clickhouse-kafka-connect-${releaseVersion}`;
  return { folder: path.join(folder, name), recordFile: path.join(folder, `${name}.json`) };
}

function readRecord(file: string): ReleaseRecord | undefined {
  if (!existsSync(file)) return undefined;
  const what = 'The record of the downloaded ClickHouse sink is not valid';
  return parseWith(recordSchema, readJson(file, what), what, file);
}

function demandSha256(wanted: string | undefined, found: string, where: string, recordFile: string): void {
  if (wanted === undefined || wanted.toLowerCase() === found) return;
  throw new PipelineError('SINK_CHECKSUM_MISMATCH', {
    what: `The ClickHouse sink has the SHA-256 ${found}, expected ${wanted.toLowerCase()}`,
    where,
    todo: `Find out why before running it. CLICKHOUSE_SINK_SHA256 pins the checksum; without it the first download's, kept in ${recordFile}, is demanded.`,
  });
}

async function digestJars(folder: string): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const jar of jarsIn(folder)) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(jar), hash);
    digests[path.relative(folder, jar)] = hash.digest('hex');
  }
  return digests;
}

function sameJars(left: Record<string, string>, right: Record<string, string>): boolean {
  const names = Object.keys({ ...left, ...right });
  return names.every((name) => left[name] === right[name]);
}
