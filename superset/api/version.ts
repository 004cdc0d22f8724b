import semver from 'semver';
import { z } from 'zod';
import { check } from '../../core/parse.ts';
import { PipelineError } from '../../core/errors.ts';
import type { Superset } from './client.ts';

/** What the declarations are made for: 6.1 brought currencies that follow the row. */
const supportedVersions = '>=6.1.0 <7.0.0';

/**
 * The version that a Superset tells; undefined where it tells none, as Preset does.
 *
 * @throws PipelineError `SUPERSET_VERSION` when it is one the declarations are not made for
 */
export async function checkVersion(superset: Superset): Promise<string | undefined> {
  const answer = await superset.get('/version').catch((error: unknown) => {
    if (error instanceof PipelineError && error.code === 'SUPERSET_REFUSED') return {};
    throw error;
  });
  const told = check(z.looseObject({ version_string: z.string() }), answer).value?.version_string;
  const version = semver.coerce(told)?.version;
  if (version === undefined) return undefined;
  if (!semver.satisfies(version, supportedVersions)) {
    throw new PipelineError('SUPERSET_VERSION', {
      what: `This is Superset ${version}, and the dashboards are made for ${supportedVersions}`,
      where: superset.url,
      todo: 'Upgrade it, or set SUPERSET_URL to another one; "npm run dashboards:up" installs one that fits.',
    });
  }
  return version;
}
