import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PipelineError } from '../../core/errors.ts';
import { ensureHome } from '../../core/home.ts';
import { parseWith, readJson } from '../../core/parse.ts';
import { withProcessLock } from '../../core/process-lock.ts';
import { replaceFile } from '../../core/replace-file.ts';
import { waitFor } from '../../core/wait.ts';
import { demandFree } from '../../embedded/ports.ts';
import { launch, terminate } from '../../embedded/process/launch.ts';
import { runningProcess, type ProcessRecord } from '../../embedded/process/process-record.ts';
import { lastLines } from '../../embedded/start-service.ts';
import { ensureSuperset, placeMetadata, serverFolder, supersetVariables } from './environment.ts';
import type { ServerSettings } from './settings.ts';

/** Its process record and its log are called this. */
export const serviceName = 'superset';

/** The account the pipeline's own commands log in with; its password is in a file of mode 600. */
export const pipelineAccount = 'pipeline';
const adminAccount = 'admin';

const readyTimeoutMs = 90_000;
const stopTimeoutMs = 15_000;
const lockTimeoutMs = 20 * 60_000;

/** Of each process: the requests of one dashboard come together. */
const threads = 8;

export interface StartOptions {
  /** Gives the admin a new password, of a Superset that is there already as well. */
  resetPassword?: boolean;
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
}

export interface StartedSuperset {
  url: string;
  pid: number;
  /** False when it ran already, with the same settings. */
  started: boolean;
  /** The login of a person; only when its password is new, as it is stored nowhere. */
  admin: { user: string; password: string } | null;
}

/**
 * Installs Superset where it is missing, starts it on loopback and returns when it is healthy. Idempotent.
 *
 * @throws PipelineError `PORT_TAKEN`, `SUPERSET_DIED`, `SUPERSET_NOT_READY` and those of installing it
 */
export async function startSuperset(
  settings: ServerSettings,
  options: StartOptions,
): Promise<StartedSuperset> {
  const { home, folder, port, env } = settings;
  const { signal, onProgress, resetPassword = false } = options;
  ensureHome(home);
  return withLock(settings, signal, async () => {
    const url = `http://127.0.0.1:${String(port)}`;
    const running = runningProcess(home, serviceName);
    // Said at once, and not after minutes of installing.
    if (running?.record.port !== port)
      await demandFree([{ port, variable: 'SUPERSET_PORT', service: serviceName }]);
    const preparing = { home, env, ...(signal && { signal }), ...(onProgress && { onProgress }) };
    const environment = await ensureSuperset(preparing);
    const plan = {
      file: environment.bin('gunicorn'),
      args: [
        ...['--bind', `127.0.0.1:${String(port)}`, '--workers', '1', '--worker-class', 'gthread'],
        ...['--threads', String(threads), '--timeout', '120', '--chdir', serverFolder, 'serve:app'],
      ],
    };
    const fingerprint = fingerprintOf(plan.args, environment.emptyMetadata);
    if (running !== undefined) {
      if (running.record.fingerprint === fingerprint && !resetPassword) {
        await awaitHealthy(settings, running.record, signal);
        return { url, pid: running.record.pid, started: false, admin: null };
      }
      onProgress?.('Its settings changed: restarting Superset');
      await terminate(home, serviceName, stopTimeoutMs);
    }
    await demandFree([{ port, variable: 'SUPERSET_PORT', service: serviceName }]);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const secretKey = path.join(folder, 'secret-key');
    if (!existsSync(secretKey)) writeFileSync(secretKey, newSecret(), { mode: 0o600 });
    const isNew = await placeMetadata(environment, folder, preparing);
    const admin = askForAccounts(folder, isNew || resetPassword);
    onProgress?.('Starting Superset');
    const record = await launch(home, {
      service: serviceName,
      ...plan,
      env: { ...supersetVariables(env, folder), SUPERSET_PORT: String(port) },
      port,
      fingerprint,
    });
    try {
      await awaitHealthy(settings, record, signal);
      return { url, pid: record.pid, started: true, admin };
    } catch (error) {
      await terminate(home, serviceName, stopTimeoutMs);
      throw error;
    }
  });
}

/** Stops it; what it keeps stays, unless `purge` is set. */
export async function stopSuperset(
  { home, folder }: ServerSettings,
  { purge = false } = {},
): Promise<'stopped' | 'killed' | 'not running'> {
  const outcome = await terminate(home, serviceName, stopTimeoutMs);
  if (purge) rmSync(folder, { recursive: true, force: true });
  return outcome;
}

/** The pipeline's own login to this Superset; undefined where `dashboards:up` has not made one. */
export function readPipelineLogin({
  folder,
}: ServerSettings): { user: string; password: string } | undefined {
  const file = path.join(folder, 'account.json');
  if (!existsSync(file)) return undefined;
  const what = "The pipeline's account of Superset can not be read";
  const login = z.object({ user: z.string(), password: z.string() });
  return parseWith(login, readJson(file, what), what, file);
}

/** Tells the starting process which accounts to make; returns that of a person if it gets a new password. */
function askForAccounts(folder: string, areNew: boolean): StartedSuperset['admin'] {
  const asked = path.join(folder, 'accounts.json');
  const known = path.join(folder, 'account.json');
  if (existsSync(known) && !existsSync(asked) && !areNew) return null;
  // One that is still there belongs to a start that failed, and nobody has seen its password.
  const accounts = { [adminAccount]: newSecret(18), [pipelineAccount]: newSecret() };
  replaceFile(asked, JSON.stringify(accounts));
  replaceFile(known, JSON.stringify({ user: pipelineAccount, password: accounts[pipelineAccount] }));
  return { user: adminAccount, password: accounts[adminAccount] };
}

function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

function fingerprintOf(args: readonly string[], metadata: string): string {
  const hash = createHash('sha256').update(JSON.stringify([args, metadata]));
  hash.update(readFileSync(path.join(serverFolder, 'serve.py')));
  return hash.digest('hex').slice(0, 16);
}

async function awaitHealthy(
  { home }: ServerSettings,
  record: ProcessRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const logged = () => lastLines(readFileSync(record.logFile).subarray(record.logOffset).toString('utf8'));
  const healthy = async () => {
    if (runningProcess(home, serviceName) === undefined) {
      throw new PipelineError('SUPERSET_DIED', {
        what: 'Superset ended before it was ready',
        where: record.logFile,
        todo: logged(),
      });
    }
    return isHealthy(record.port);
  };
  const waiting = {
    what: 'Superset',
    timeoutMs: readyTimeoutMs,
    pollIntervalMs: 150,
    ...(signal && { signal }),
  };
  try {
    await waitFor(healthy, waiting);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'TIMED_OUT') throw error;
    throw new PipelineError('SUPERSET_NOT_READY', {
      what: `Superset was not ready within ${String(readyTimeoutMs / 1000)} s`,
      where: record.logFile,
      todo: `${logged()}\nIf it stays so: npm run dashboards:down, then npm run dashboards:up.`,
      retryable: true,
      cause: error,
    });
  }
}

/** One probe: true when it serves. Never throws. */
export async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${String(port)}/health`, {
      signal: AbortSignal.timeout(5000),
    });
    return response.ok && (await response.text()) === 'OK';
  } catch {
    return false;
  }
}

/** Two starts of one home run one after the other; the second one finds what the first has started. */
async function withLock<T>(
  { home }: ServerSettings,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const file = path.join(home.run, 'superset.lock');
  const options = {
    what: 'another command that starts Superset to end',
    timeoutMs: lockTimeoutMs,
    todo: `It holds ${file}.`,
    ...(signal && { signal }),
  };
  return withProcessLock(file, options, work);
}
