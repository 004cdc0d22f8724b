import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { projectRoot, type Home } from '../../core/home.ts';
import { ensurePythonEnvironment, type PythonEnvironment } from '../../core/python-environment.ts';
import { runCommand } from '../../core/run-command.ts';

export const serverFolder = path.join(projectRoot, 'superset', 'server');

/** Everything Superset's own tables and roles are made of; the installed versions are in the environment's name. */
const preparedBy = ['prepare.py', 'superset_config.py'];

const prepareTimeoutMs = 5 * 60_000;

export interface SupersetEnvironment extends PythonEnvironment {
  /** Metadata without any account, asset or secret, made once for each installation and copied for each home. */
  emptyMetadata: string;
}

export interface EnvironmentOptions {
  home: Home;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
}

/**
 * Superset, installed into an environment of its own, with prepared metadata beside it: installing takes a minute or
 * two, Superset's migrations 15 s more, and both are done once for all homes that share a cache.
 *
 * @throws PipelineError those of {@link ensurePythonEnvironment}
 */
export async function ensureSuperset(options: EnvironmentOptions): Promise<SupersetEnvironment> {
  const { home, env, signal, onProgress } = options;
  const environment = await ensurePythonEnvironment({
    name: 'superset',
    requirementsFile: path.join(projectRoot, 'superset', 'requirements.txt'),
    cacheFolder: home.cache,
    newestMinor: 12,
    env,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  const hash = createHash('sha256');
  for (const name of preparedBy) hash.update(readFileSync(path.join(serverFolder, name)));
  const folder = path.dirname(path.dirname(environment.python));
  const emptyMetadata = path.join(folder, `metadata-${hash.digest('hex').slice(0, 16)}.db`);
  if (!existsSync(emptyMetadata)) {
    onProgress?.("Preparing Superset's metadata");
    // Renamed when it is complete: an interruption leaves none, and of two processes the later one wins.
    const making = mkdtempSync(path.join(folder, 'preparing-'));
    try {
      // Superset refuses to start without a key; nothing of what is made here is encrypted with it.
      writeFileSync(path.join(making, 'secret-key'), 'x'.repeat(42));
      await prepareMetadata(environment, making, options);
      renameSync(path.join(making, 'metadata.db'), emptyMetadata);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  return { ...environment, emptyMetadata };
}

/** Gives the folder its metadata, or brings that of another version up to date; true where it is new. */
export async function placeMetadata(
  environment: SupersetEnvironment,
  folder: string,
  options: EnvironmentOptions,
): Promise<boolean> {
  const metadata = path.join(folder, 'metadata.db');
  const marker = path.join(folder, 'prepared-by');
  const version = `${path.basename(path.dirname(path.dirname(environment.python)))}/${path.basename(environment.emptyMetadata)}`;
  const isThere = existsSync(metadata);
  if (isThere) {
    if (existsSync(marker) && readFileSync(marker, 'utf8') === version) return false;
    options.onProgress?.("Bringing Superset's metadata up to date");
    copyFileSync(metadata, `${metadata}.before`);
    await prepareMetadata(environment, folder, options);
  } else {
    const placing = `${metadata}.${String(process.pid)}`;
    copyFileSync(environment.emptyMetadata, placing);
    renameSync(placing, metadata);
  }
  writeFileSync(marker, version);
  return !isThere;
}

async function prepareMetadata(
  environment: PythonEnvironment,
  folder: string,
  { env, signal }: EnvironmentOptions,
): Promise<void> {
  await runCommand(environment.python, [path.join(serverFolder, 'prepare.py')], {
    purpose: "Preparing Superset's metadata",
    env: supersetVariables(env, folder),
    timeoutMs: prepareTimeoutMs,
    todo: 'Run the command again; if it stays so, remove the folder of the environment.',
    ...(signal && { signal }),
  });
}

/** Variables of somebody's own Python, or of another Superset, that would change this one. */
const notPassedOn = /^(PYTHON|FLASK_|SUPERSET_|GUNICORN_)/;

/** The environment of every process of this Superset. */
export function supersetVariables(env: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !notPassedOn.test(name))),
    SUPERSET_HOME: folder,
    SUPERSET_SECRET_KEY_FILE: path.join(folder, 'secret-key'),
    SUPERSET_CONFIG_PATH: path.join(serverFolder, 'superset_config.py'),
    SUPERSET_DEFINITIONS: path.join(projectRoot, 'docs', 'metrics.md'),
    // Superset would report its installation to its makers.
    SCARF_ANALYTICS: 'false',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
  };
}
