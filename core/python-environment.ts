import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PipelineError, codeOf, isAbort } from './errors.ts';
import { readText } from './parse.ts';
import { withProcessLock } from './process-lock.ts';
import { runCommand } from './run-command.ts';

export interface PythonEnvironmentOptions {
  /** What the environment is for, as in `dbt`: part of its folder's name and of messages. */
  name: string;
  /** A requirements file whose versions are all pinned. */
  requirementsFile: string;
  /** The environment is made in its folder `python/`. */
  cacheFolder: string;
  /** Of Python 3: the newest minor version its packages can be installed on. Default: any. */
  newestMinor?: number;
  /** Where `python3` is looked for. Default: this process's environment. */
  env?: NodeJS.ProcessEnv;
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

/** Of Python 3. */
const minimumMinor = 11;

const cure = `Install Python 3.${minimumMinor} or newer with its venv module (Debian: apt-get install python3 python3-venv).`;

/**
 * Returns the Python environment with exactly these requirements, made on first use. A change of the requirements
 * or of Python's version makes a new one; two processes that ask at once make one.
 *
 * @throws PipelineError `PYTHON_MISSING`, `PYTHON_TOO_OLD`, `PYTHON_TOO_NEW`, `PYTHON_VENV_MISSING`, or that of a command that failed
 */
export async function ensurePythonEnvironment(options: PythonEnvironmentOptions): Promise<PythonEnvironment> {
  const { name, requirementsFile, cacheFolder, newestMinor, env = process.env, signal, onProgress } = options;
  const requirements = readText(requirementsFile, `Cannot read the Python requirements of ${name}`);
  const version = await pythonVersion(env, signal);
  const minor = Number(version.split('.')[1]);
  if (newestMinor !== undefined && minor > newestMinor) {
    throw new PipelineError('PYTHON_TOO_NEW', {
      what: `"python3" is Python ${version}, and the packages of ${name} are not made for it`,
      todo: `Install Python 3.${newestMinor} beside it, and put a folder before it on the PATH where that one is called python3.`,
    });
  }
  const key = createHash('sha256').update(`${version}\n${requirements}`).digest('hex').slice(0, 16);
  const folder = path.join(cacheFolder, 'python', `${name}-${key}`);
  const environment: PythonEnvironment = {
    python: path.join(folder, 'bin', 'python'),
    bin: (program) => path.join(folder, 'bin', program),
  };
  const isComplete = () => existsSync(path.join(folder, completeMarker));
  if (isComplete()) return environment;
  mkdirSync(path.dirname(folder), { recursive: true });
  const lock = `${folder}.lock`;
  const locking = {
    what: `another process that installs the Python packages of ${name}`,
    timeoutMs: installTimeoutMs,
    todo: `If no such process is running, remove ${lock}.`,
    ...(signal && { signal }),
  };
  return withProcessLock(lock, locking, async () => {
    if (isComplete()) return environment;
    onProgress?.(`Installing the Python packages of ${name}`);
    await install(folder, options);
    writeFileSync(path.join(folder, completeMarker), '');
    return environment;
  });
}

async function install(
  folder: string,
  { name, requirementsFile, env = process.env, signal }: PythonEnvironmentOptions,
): Promise<void> {
  // Programs of an environment hold its path, so it is made where it stays instead of being moved there.
  rmSync(folder, { recursive: true, force: true });
  const common = { env, timeoutMs: installTimeoutMs, ...(signal && { signal }) };
  await runCommand('python3', ['-m', 'venv', folder], {
    ...common,
    purpose: `Making the Python environment of ${name}`,
    todo: cure,
  });
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];
  await runCommand(path.join(folder, 'bin', 'python'), [...pip, '-r', requirementsFile], {
    ...common,
    purpose: `Installing the Python packages of ${name}`,
    todo: 'Check the network, then run the command again: it starts over.',
  });
}

/** The version of `python3`, after making sure that it can make environments. */
async function pythonVersion(env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<string> {
  const ask = async (program: string) => {
    const options = {
      purpose: 'Asking Python for its version',
      env,
      timeoutMs: 30_000,
      ...(signal && { signal }),
    };
    return (await runCommand('python3', ['-c', program], options)).stdout.trim();
  };
  const version = await ask('import platform; print(platform.python_version())').catch((error: unknown) => {
    if (codeOf(error) !== 'COMMAND_NOT_FOUND') throw error;
    throw new PipelineError('PYTHON_MISSING', { what: 'There is no "python3"', todo: cure, cause: error });
  });
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 3 || (major === 3 && minor < minimumMinor)) {
    throw new PipelineError('PYTHON_TOO_OLD', { what: `"python3" is Python ${version}`, todo: cure });
  }
  // Debian has both in a package of their own.
  await ask('import venv, ensurepip').catch((error: unknown) => {
    if (isAbort(error)) throw error;
    throw new PipelineError('PYTHON_VENV_MISSING', {
      what: `Python ${version} cannot make environments: its module venv or ensurepip is missing`,
      todo: cure,
      cause: error,
    });
  });
  return version;
}
