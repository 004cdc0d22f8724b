import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensurePythonEnvironment } from '../../../core/python-environment.ts';
import { runCommand } from '../../../core/run-command.ts';

let folder: string;
let requirementsFile: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'python-'));
  requirementsFile = path.join(folder, 'requirements.txt');
  // Nothing to install, so that the tests need no network.
  writeFileSync(requirementsFile, '# none\n');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const ensure = (options: Partial<Parameters<typeof ensurePythonEnvironment>[0]> = {}) =>
  ensurePythonEnvironment({ name: 'example', requirementsFile, cacheFolder: folder, ...options });

const environments = () => readdirSync(path.join(folder, 'python')).sort();

test('an environment is made once, also when two ask at the same time, and again when it was interrupted', async () => {
  const said: string[] = [];
  const onProgress = (message: string) => said.push(message);
  const [first, second] = await Promise.all([ensure({ onProgress }), ensure({ onProgress })]);
  expect(second.python).toBe(first.python);
  expect(said.filter((message) => message.startsWith('Installing'))).toHaveLength(1);
  const { stdout } = await runCommand(first.bin('pip'), ['--version'], { purpose: 'pip', timeoutMs: 30_000 });
  const environment = path.dirname(path.dirname(first.python));
  expect(stdout).toContain(environment);

  // As a process leaves it that is killed while it installs. No process has an id this large.
  rmSync(path.join(environment, 'complete'));
  rmSync(first.python);
  writeFileSync(`${environment}.lock`, '4194305');
  await ensure();
  expect(existsSync(first.python)).toBe(true);
  expect(environments()).toEqual([path.basename(environment)]);
});

test('a failed installation leaves nothing that would be taken for a finished one', async () => {
  writeFileSync(requirementsFile, './there-is-no-such-folder\n');
  await expect(ensure()).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  const [left = '', ...others] = environments();
  expect(others).toEqual([]);
  expect(existsSync(path.join(folder, 'python', left, 'complete'))).toBe(false);
});

test('an abort ends it', async () => {
  const controller = new AbortController();
  const aborted = ensure({
    signal: controller.signal,
    onProgress: () => {
      controller.abort();
    },
  });
  await expect(aborted).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('no Python, an old Python and one without venv are each said with their cure', async () => {
  const pythonThat = (script: string) => {
    const bin = path.join(folder, 'bin');
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin);
    if (script !== '') {
      writeFileSync(path.join(bin, 'python3'), `#!/bin/sh\n${script}\n`);
      chmodSync(path.join(bin, 'python3'), 0o755);
    }
    return { env: { PATH: bin } };
  };
  const cases = [
    ['', 'PYTHON_MISSING'],
    ['echo 3.9.2', 'PYTHON_TOO_OLD'],
    ['case "$2" in *venv*) exit 1;; *) echo 3.11.2;; esac', 'PYTHON_VENV_MISSING'],
  ] as const;
  for (const [script, code] of cases) {
    await expect(ensure(pythonThat(script))).rejects.toMatchObject({
      code,
      todo: expect.stringContaining('python3-venv') as string,
    });
  }
});

test('a Python that is newer than the packages is said before anything is installed', async () => {
  await expect(ensure({ newestMinor: 10 })).rejects.toMatchObject({
    code: 'PYTHON_TOO_NEW',
    todo: expect.stringContaining('Python 3.10') as string,
  });
  expect(existsSync(path.join(folder, 'python'))).toBe(false);
});
