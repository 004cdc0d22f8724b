import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PipelineError, isAbort, messageOf } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { replaceFile } from '../../core/replace-file.ts';
import { releaseChecksum } from '../../embedded/sink/release-checksum.ts';
import type { Run } from '../command.ts';

/** 24 random bytes in letters that no shell, URL or YAML reads otherwise. */
const generate = () => randomBytes(24).toString('base64url');

/** What docker-compose.yml demands. Nothing that has a value is ever changed. */
const generated = {
  PIPELINE_TARGET: () => 'compose',
  CLICKHOUSE_PASSWORD: generate,
  CONNECTORS_HASH_KEY: generate,
  WATCH_TOKEN: generate,
  SUPERSET_USER: () => 'admin',
  SUPERSET_PASSWORD: generate,
  SUPERSET_SECRET_KEY: generate,
  GRAFANA_PASSWORD: generate,
  // For dashboards:apply from outside; the other address is Superset's own view.
  SUPERSET_URL: (env: NodeJS.ProcessEnv) => `http://127.0.0.1:${env['SUPERSET_PORT'] || '8088'}`,
  SUPERSET_CLICKHOUSE_URL: () => 'http://clickhouse:8123',
} as const;

/** Writes `.env` with a password for everything that wants one, and the checksum that the sink's image demands. */
export const run: Run = async ({ env, home, output, signal }, options) => {
  const file = path.resolve(
    typeof options['file'] === 'string' ? options['file'] : path.join(projectRoot, '.env'),
  );
  let text = existsSync(file)
    ? readFileSync(file, 'utf8')
    : '# Written by "npm run compose:init": passwords of docker-compose.yml. Load it with: set -a; . ./.env; set +a\n';
  const added: string[] = [];
  const add = (name: string, value: string) => {
    if (valueOf(text, name) !== '') return;
    text = `${text.replace(new RegExp(`^${name}=\\s*\\n?`, 'm'), '').replace(/\n*$/, '\n')}${name}=${value}\n`;
    added.push(name);
  };
  for (const [name, make] of Object.entries(generated)) add(name, make(env));
  // Before the download, which may fail: what was generated must not be generated anew.
  if (added.length > 0) replaceFile(file, text);
  if (valueOf(text, 'CLICKHOUSE_SINK_SHA256') === '') {
    const { sha256, origin } = await checksum({ cacheFolder: home.cache, env, signal });
    add('CLICKHOUSE_SINK_SHA256', sha256);
    replaceFile(file, text);
    output.note(`The ClickHouse sink has the SHA-256 ${sha256} (${origin}).`);
  }
  output.print(
    added.length === 0 ? `${file} has everything already.` : `Added to ${file}: ${added.join(', ')}`,
  );
  output.document({ file, added });
  return 0;
};

function valueOf(text: string, name: string): string {
  return new RegExp(`^(?:export )?${name}=(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}

async function checksum(options: Parameters<typeof releaseChecksum>[0]) {
  try {
    return await releaseChecksum(options);
  } catch (error) {
    if (isAbort(error) || error instanceof PipelineError) throw error;
    throw new PipelineError('SINK_CHECKSUM_UNKNOWN', {
      what: `The checksum of the ClickHouse sink could not be found out: ${messageOf(error)}`,
      where: '.env',
      todo: 'Everything else is written. Run it again where the release can be downloaded, or set CLICKHOUSE_SINK_SHA256 to the SHA-256 of its zip file.',
      retryable: true,
    });
  }
}
