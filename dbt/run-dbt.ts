import { spawn } from 'node:child_process';
import path from 'node:path';
import { InterruptedError, PipelineError } from '../core/errors.ts';
import { ensureHome, projectRoot, type Home } from '../core/home.ts';
import { lockOwner, withProcessLock } from '../core/process-lock.ts';
import { ensurePythonEnvironment } from '../core/python-environment.ts';
import type { Target } from '../targets/load-target.ts';

export interface DbtOptions {
  target: Target;
  home: Home;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  onProgress?: (message: string) => void;
}

/** dbt as a program to run: its environment is made on first use, and its settings come from the target. */
export interface Dbt {
  file: string;
  env: NodeJS.ProcessEnv;
}

export const dbtFolder = path.join(projectRoot, 'dbt');

/** Two of these at once would overwrite each other's temporary tables. */
const writingCommands = new Set(['build', 'run', 'seed', 'snapshot', 'clone', 'retry', 'run-operation']);

/** How long a command waits for another one that writes. */
const lockTimeoutMs = 15 * 60_000;

/** What dbt writes for its next run, and for readers of its results. */
export function dbtTargetFolder(home: Home): string {
  return path.join(home.root, 'dbt');
}

/**
 * @throws PipelineError those of {@link ensurePythonEnvironment}
 */
export async function prepareDbt({ target, home, env, signal, onProgress }: DbtOptions): Promise<Dbt> {
  ensureHome(home);
  const environment = await ensurePythonEnvironment({
    name: 'dbt',
    requirementsFile: path.join(dbtFolder, 'requirements.txt'),
    cacheFolder: home.cache,
    env,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return { file: environment.bin('dbt'), env: { ...env, ...dbtSettings(target, home) } };
}

/** The environment variables of dbt itself and of `dbt/profiles.yml`. */
export function dbtSettings({ clickhouse }: Target, home: Home): Record<string, string> {
  const url = new URL(clickhouse.url);
  const secure = url.protocol === 'https:';
  return {
    DBT_PROJECT_DIR: dbtFolder,
    DBT_PROFILES_DIR: dbtFolder,
    DBT_TARGET_PATH: dbtTargetFolder(home),
    DBT_LOG_PATH: path.join(home.logs, 'dbt'),
    DBT_CLICKHOUSE_HOST: url.hostname,
    DBT_CLICKHOUSE_PORT: url.port || (secure ? '443' : '80'),
    DBT_CLICKHOUSE_SECURE: String(secure),
    DBT_CLICKHOUSE_USER: clickhouse.user,
    // dbt masks what begins like this in all it prints and logs.
    DBT_ENV_SECRET_CLICKHOUSE_PASSWORD: clickhouse.password,
    DBT_CLICKHOUSE_DATABASE: clickhouse.database,
    // dbt's client has no setting for it; OpenSSL reads it in its place.
    ...(clickhouse.tls && { SSL_CERT_FILE: clickhouse.tls.caFile }),
  };
}

/**
 * Runs dbt with these arguments on this process's terminal, to its end.
 *
 * @throws PipelineError `DBT_FAILED` when dbt ends with another exit code than 0; it has said why by then
 */
export async function passToDbt(args: readonly string[], options: DbtOptions): Promise<void> {
  const { home, signal } = options;
  const dbt = await prepareDbt(options);
  const run = async () => {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(dbt.file, args, { cwd: dbtFolder, env: dbt.env, stdio: 'inherit' });
      // dbt ends in an orderly way at SIGINT, which a terminal sends to both.
      const stop = () => child.kill('SIGINT');
      signal?.addEventListener('abort', stop, { once: true });
      child.once('error', reject).once('exit', (code) => {
        signal?.removeEventListener('abort', stop);
        resolve(code);
      });
    });
    if (signal?.aborted) throw new InterruptedError();
    if (exitCode === 0) return;
    throw new PipelineError('DBT_FAILED', {
      what: `dbt ${args[0] ?? ''} ended with exit code ${String(exitCode)}`.replace('  ', ' '),
      where: path.join(home.logs, 'dbt', 'dbt.log'),
      todo: 'What failed stands above; "npm run dbt -- retry" goes on from there.',
    });
  };
  if (args.some((arg) => writingCommands.has(arg))) await withDbtLock(home, signal, run);
  else await run();
}

/** Runs `work` while no other process of this home writes with dbt. */
export async function withDbtLock<T>(
  home: Home,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const file = path.join(home.run, 'dbt.lock');
  const options = {
    what: `another dbt (process ${lockOwner(file) ?? 'unknown'}) to end`,
    timeoutMs: lockTimeoutMs,
    todo: 'Let it finish, then run the command again.',
    ...(signal && { signal }),
  };
  return withProcessLock(file, options, work);
}
