import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PipelineError, codeOf } from './errors.ts';
import { readText } from './parse.ts';
import { runCommand } from './run-command.ts';
import { waitFor } from './wait.ts';

export interface PythonEnvironmentOptions {
  /** What the environment is for, as in `dbt`: part of its folder's name and of messages. */
  name: string;
  /** A requirements file whose versions are all pinned. */
  requirementsFile: string;
  /** The environment is made in its folder `python/`. */
  cacheFolder: string;
  signal?: AbortSignal;
  onProgress?: (message: string) => void;
}

export interface PythonEnvironment {
  /** The environment's interpreter. */
  python: string;
  /** The path of a program the environment has installed. */
  bin: (name: string) => string;
}

/** Superset, the largest, takes about a minute on a good line. */
const installTimeoutMs = 15 * 60_000;

/** Written last: an environment without it is one whose installation was interrupted. */
const completeMarker = 'complete';

const debianCure =
  'Install Python 3.11 or newer with its venv module (Debian: apt-get install python3 python3-venv).';

/**
 * Returns the Python environment with exactly these requirements, made on first use. A change of the requirements
 * or of Python's version makes a new one; two processes that ask at once make one.
 *
 * @throws PipelineError `PYTHON_MISSING`, `PYTHON_TOO_OLD`, `PYTHON_VENV_MISSING`, `PYTHON_INSTALL_FAILED`
 */
export async function ensurePythonEnvironment(options: PythonEnvironmentOptions): Promise<PythonEnvironment> {
  const { name, requirementsFile, cacheFolder, signal, onProgress } = options;
  const requirements = readText(requirementsFile, `Cannot read the Python requirements of ${name}`);
  const version = await pythonVersion(signal);
  const key = createHash('sha256').update(`${version}\n${requirements}`).digest('hex').slice(0, 16);
  const folder = path.join(cacheFolder, 'python', `${name}-${key}`);
  const environment: PythonEnvironment = {
    python: path.join(folder, 'bin', 'python'),
    bin: (program) => path.join(folder, 'bin', program),
  };
  const isComplete = () => existsSync(path.join(folder, completeMarker));
  if (isComplete()) return environment;
  mkdirSync(path.dirname(folder), { recursive: true });
  const unlock = await lock(`${folder}.lock`, name, signal);
  try {
    if (isComplete()) return environment;
    onProgress?.(`Installing the Python packages of ${name}`);
    await install(folder, options);
    writeFileSync(path.join(folder, completeMarker), '');
    return environment;
  } finally {
    unlock();
  }
}

async function install(
  folder: string,
  { name, requirementsFile, signal, onProgress }: PythonEnvironmentOptions,
): Promise<void> {
  // Programs of an environment hold its path, so it is made where it stays instead of being moved there.
  rmSync(folder, { recursive: true, force: true });
  const common = { timeoutMs: installTimeoutMs, ...(signal && { signal }) };
  await runCommand('python3', ['-m', 'venv', folder], {
    ...common,
    purpose: `Making the Python environment of ${name}`,
    todo: debianCure,
  });
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];
  await runCommand(path.join(folder, 'bin', 'python'), [...pip, '-r', requirementsFile], {
    ...common,
    purpose: `Installing the Python packages of ${name}`,
    todo: 'Check the network, then run the command again: it starts over.',
    onLine: (line) => onProgress?.(line),
  });
}

/** The version of `python3`, after making sure that it can make environments. */
async function pythonVersion(signal: AbortSignal | undefined): Promise<string> {
  const probe = 'import sys; print("%d.%d.%d" % sys.version_info[:3]); import venv, ensurepip; print("venv")';
  const { stdout } = await runCommand(
    'python3',
    ['-c', `try:\n exec('''${probe}''')\nexcept ImportError: pass`],
    {
      purpose: 'Asking Python for its version',
      timeoutMs: 30_000,
      ...(signal && { signal }),
      todo: debianCure,
    },
  ).catch((error: unknown) => {
    if (codeOf(error) !== 'COMMAND_NOT_FOUND') throw error;
    throw new PipelineError('PYTHON_MISSING', {
      what: 'There is no "python3"',
      todo: debianCure,
      cause: error,
    });
  });
  const [version = '', venv] = stdout.trim().split('\n');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 3 || (major === 3 && minor < 11)) {
    throw new PipelineError('PYTHON_TOO_OLD', { what: `"python3" is Python ${version}`, todo: debianCure });
  }
  if (venv === undefined) {
    throw new PipelineError('PYTHON_VENV_MISSING', {
      what: `Python ${version} cannot make environments: its venv module is not complete`,
      todo: debianCure,
    });
  }
  return version;
}

/** Takes a lock file, waiting for the process that has it; the lock of a dead process is taken over. */
async function lock(file: string, name: string, signal: AbortSignal | undefined): Promise<() => void> {
  await waitFor(() => tryLock(file), {
    what: `another process that installs the Python packages of ${name}`,
    timeoutMs: installTimeoutMs,
    pollIntervalMs: 250,
    ...(signal && { signal }),
    todo: `If no such process is running, remove ${file}.`,
  });
  return () => {
    rmSync(file, { force: true });
  };
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  if (!isAlive(ownerOf(file))) rmSync(file, { force: true });
  return false;
}

/** The process that holds a lock; undefined while it is writing its id, or when the lock is gone by now. */
function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
