import path from 'node:path';
import { z } from 'zod';
import { resolveHome, type Home } from '../../core/home.ts';
import { parseWith } from '../../core/parse.ts';

/** The Superset of `dashboards:up`: where it listens and what it keeps. */
export interface ServerSettings {
  home: Home;
  /** On 127.0.0.1. */
  port: number;
  /** Holds metadata, secret key and the pipeline's own account; readable by the owner only. */
  folder: string;
  env: NodeJS.ProcessEnv;
}

const defaultPort = 8088;
const expected = 'expected a port number, 1 to 65535';

/** @throws InvalidInputError when `SUPERSET_PORT` is no port */
export function resolveServerSettings(env: NodeJS.ProcessEnv): ServerSettings {
  const port = z.coerce.number({ error: expected }).int(expected).min(1, expected).max(65_535, expected);
  const { SUPERSET_PORT } = parseWith(
    z.object({ SUPERSET_PORT: port }),
    { SUPERSET_PORT: env['SUPERSET_PORT'] || defaultPort },
    'The settings of Superset are not valid',
    'the environment',
  );
  const home = resolveHome(env);
  return { home, port: SUPERSET_PORT, folder: path.join(home.data, 'superset'), env };
}
