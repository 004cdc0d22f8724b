import { z } from 'zod';
import { PipelineError } from '../../core/errors.ts';
import { parseWith } from '../../core/parse.ts';
import type { Target } from '../../targets/load-target.ts';
import { resolveServerSettings } from '../server/settings.ts';
import { readPipelineLogin } from '../server/start.ts';
import type { SupersetAccess } from './client.ts';

/** An empty variable counts as unset. */
const text = z
  .string()
  .optional()
  .transform((value) => value || undefined);
const address = text.pipe(
  z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' }).optional(),
);

const variables = z.object({
  SUPERSET_URL: address,
  SUPERSET_TOKEN: text,
  SUPERSET_USER: text,
  SUPERSET_PASSWORD: text,
  SUPERSET_CLICKHOUSE_URL: address,
  METRICS_URL: address,
});

export interface DashboardSettings {
  access: SupersetAccess;
  /** ClickHouse as Superset reaches it. */
  clickhouseUrl: string;
  /** The page that defines the metrics. */
  definitionsUrl: string;
}

/**
 * Which Superset the dashboards go to: the one of `SUPERSET_URL`, or the one of `dashboards:up`.
 *
 * @throws InvalidInputError, PipelineError `SUPERSET_LOGIN` where there is no login to use
 */
export function resolveDashboardSettings(env: NodeJS.ProcessEnv, target: Target): DashboardSettings {
  const given = parseWith(variables, env, 'The settings of the dashboards are not valid', 'the environment');
  const server = resolveServerSettings(env);
  const url = (given.SUPERSET_URL ?? `http://127.0.0.1:${String(server.port)}`).replace(/\/+$/, '');
  const login = loginOf(given) ?? (given.SUPERSET_URL === undefined ? readPipelineLogin(server) : undefined);
  if (login === undefined) {
    throw new PipelineError('SUPERSET_LOGIN', {
      what: 'There is no login for Superset',
      where: url,
      todo:
        given.SUPERSET_URL === undefined
          ? 'Start Superset with "npm run dashboards:up", or set SUPERSET_URL and SUPERSET_TOKEN.'
          : 'Set SUPERSET_TOKEN, or SUPERSET_USER and SUPERSET_PASSWORD.',
    });
  }
  return {
    access: { url, login },
    clickhouseUrl: given.SUPERSET_CLICKHOUSE_URL ?? target.clickhouse.url,
    definitionsUrl: given.METRICS_URL ?? `${url}/definitions/`,
  };
}

function loginOf(given: z.infer<typeof variables>): SupersetAccess['login'] | undefined {
  if (given.SUPERSET_TOKEN !== undefined) return { token: given.SUPERSET_TOKEN };
  if (given.SUPERSET_USER === undefined || given.SUPERSET_PASSWORD === undefined) return undefined;
  return { user: given.SUPERSET_USER, password: given.SUPERSET_PASSWORD };
}

/** SQLAlchemy URI of the target's ClickHouse, as the driver clickhouse-connect reads it. A secret: it has the password. */
export function databaseUri({ clickhouse }: Target, clickhouseUrl: string): string {
  const url = new URL(clickhouseUrl);
  const secure = url.protocol === 'https:';
  const port = url.port || (secure ? '443' : '80');
  const credentials = `${encodeURIComponent(clickhouse.user)}:${encodeURIComponent(clickhouse.password)}`;
  const options = new URLSearchParams({
    // The embedded endpoint compresses as HTTP does, not in ClickHouse's own blocks.
    compress: 'false',
    ...(secure ? { secure: 'true' } : {}),
    // A session of its own for each chart would stay on the server until it is idle for a minute.
    autogenerate_session_id: 'false',
    connect_timeout: '10',
    send_receive_timeout: '60',
  });
  return `clickhousedb://${credentials}@${url.hostname}:${port}/${clickhouse.database}?${options.toString()}`;
}
