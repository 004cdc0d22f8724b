import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Where everything the pipeline writes lives. Nothing is written anywhere else, so removing the home removes
 * every trace.
 */
export interface Home {
  /** `PIPELINE_HOME`, default `.pipeline/` in the checkout. */
  root: string;
  /** Jars, plugins, Python environments: expensive to fetch, never data. `PIPELINE_CACHE`, default `<root>/cache`. */
  cache: string;
  /** One folder per service; what `down --purge` removes. */
  data: string;
  /** One log file per service. */
  logs: string;
  /** Process records of the running services. */
  run: string;
}

export function resolveHome(env: NodeJS.ProcessEnv = process.env): Home {
  const root = path.resolve(projectRoot, env['PIPELINE_HOME'] || '.pipeline');
  return {
    root,
    cache: env['PIPELINE_CACHE']
      ? path.resolve(projectRoot, env['PIPELINE_CACHE'])
      : path.join(root, 'cache'),
    data: path.join(root, 'data'),
    logs: path.join(root, 'logs'),
    run: path.join(root, 'run'),
  };
}

/** Creates the home's folders, readable by the owner only: logs and data may hold what a server printed. */
export function ensureHome(home: Home): void {
  for (const folder of [home.root, home.cache, home.data, home.logs, home.run]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}
