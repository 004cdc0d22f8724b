import path from 'node:path';
import { downloadRelease, recordedChecksum, releaseUrl } from './official-release.ts';

/**
 * The SHA-256 of the official sink's archive: the one that is set, the one of an earlier download, or the one of a
 * download now, which from then on is demanded.
 *
 * @throws DownloadError when the release is not to be had
 * @throws PipelineError `SINK_CHECKSUM_MISMATCH`
 */
export async function releaseChecksum({
  cacheFolder,
  env,
  signal,
}: {
  cacheFolder: string;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}): Promise<{ sha256: string; origin: string }> {
  const given = env['CLICKHOUSE_SINK_SHA256'] || undefined;
  if (given !== undefined) return { sha256: given.toLowerCase(), origin: 'as CLICKHOUSE_SINK_SHA256 says' };
  const folder = path.join(cacheFolder, 'sink');
  const known = recordedChecksum({ folder });
  if (known !== undefined) return { sha256: known, origin: 'as of its first download' };
  const url = env['CLICKHOUSE_SINK_URL'] || releaseUrl;
  await downloadRelease({ folder, url, signal });
  return { sha256: recordedChecksum({ folder }) ?? '', origin: `downloaded now from ${url}` };
}
