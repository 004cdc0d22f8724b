import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { projectRoot } from '../../../core/home.ts';

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'cli/main.ts', ...args],
    {
      cwd: projectRoot,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
  return { status, stdout, stderr };
}

describe('the command line', () => {
  it('refuses an unknown command with exit 1', () => {
    expect(run('deploy')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('"deploy"') as string,
    });
  });

  it('refuses an unknown flag with exit 1 and names it', () => {
    const { status, stderr } = run('topics:apply', '--tagret', 'x');
    expect(status).toBe(1);
    expect(stderr).toContain('--tagret');
    expect(stderr).not.toContain('    at ');
  });

  it('refuses an unknown target before it does anything', () => {
    expect(run('topics:apply', '--target', 'moon')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('There is no target "moon"') as string,
    });
  });

  it('takes an optional argument that is not given for absent', () => {
    const { status, stderr } = run('answers', '--target', 'moon');
    expect(status).toBe(1);
    expect(stderr).toContain('There is no target "moon"');
  });

  it('explains a command with --help and exit 0', () => {
    const { status, stdout } = run('produce', '--help');
    expect(status).toBe(0);
    expect(stdout).toContain('--rate <n>');
    expect(stdout).toContain('--target <name>');
  });

  it('has an npm script for every command', () => {
    const { stdout } = run('--help');
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z:]+) /gm)].map(([, name]) => name);
    expect(commands.length).toBeGreaterThan(10);
    for (const name of commands) {
      expect(packageJson.scripts, `the script of ${String(name)}`).toHaveProperty(
        [String(name)],
        `node --import tsx cli/main.ts ${String(name)}`,
      );
    }
  });
});
