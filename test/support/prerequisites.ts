import { spawnSync } from 'node:child_process';
import { PipelineError } from '../../core/errors.ts';
import { runCommand } from '../../core/run-command.ts';

/** What the tests need of the machine besides Node, the command that proves it, and Debian's package for it. */
const prerequisites = [
  { name: 'a JDK (17 or newer)', proof: ['javac', '-version'], debian: 'openjdk-17-jdk-headless' },
  { name: 'Maven', proof: ['mvn', '--version'], debian: 'maven' },
  { name: 'Python with venv', proof: ['python3', '-c', 'import venv, ensurepip'], debian: 'python3-venv' },
] as const;

/**
 * Makes sure that what the tests need is there: installs what is missing where that is possible (Debian, as
 * root, as in CI), otherwise names it.
 *
 * @throws PipelineError `PREREQUISITES_MISSING`
 */
export async function ensurePrerequisites(): Promise<void> {
  const missing = prerequisites.filter(({ proof }) => !works(proof));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && works(['apt-get', '--version'])) {
    const packages = missing.map(({ debian }) => debian);
    process.stdout.write(`Installing ${packages.join(', ')}\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { purpose: 'Installing what the tests need', env, timeoutMs: 600_000 };
    await runCommand('apt-get', ['update', '-q'], options);
    await runCommand('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], options);
  }
  const stillMissing = missing.filter(({ proof }) => !works(proof));
  if (stillMissing.length > 0) {
    throw new PipelineError('PREREQUISITES_MISSING', {
      what: `The tests need ${stillMissing.map(({ name }) => name).join(', ')}`,
      todo: `On Debian: apt-get install ${stillMissing.map(({ debian }) => debian).join(' ')}`,
    });
  }
}

function works([file, ...args]: readonly string[]): boolean {
  return spawnSync(file ?? '', args, { stdio: 'ignore' }).status === 0;
}
