import { describe, expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { runCli } from '../../support/run-cli.ts';

const run = (name: string, ...flags: string[]) => runCli(process.env, name, ...flags);

describe('the command line', () => {
  it('refuses an unknown command with exit 1', async () => {
    expect(await run('deploy')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('"deploy"') as string,
    });
  });

  it('refuses an unknown flag with exit 1 and names it', async () => {
    const { exitCode, stderr } = await run('topics:apply', '--tagret', 'x');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('--tagret');
    expect(stderr).not.toContain('    at ');
  });

  it('refuses an unknown target before it does anything', async () => {
    expect(await run('topics:apply', '--target', 'moon')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('There is no target "moon"') as string,
    });
  });

  it('takes an optional argument that is not given for absent', async () => {
    const { exitCode, stderr } = await run('answers', '--target', 'moon');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('There is no target "moon"');
  });

  it('explains a command with --help and exit 0', async () => {
    const { exitCode, stdout } = await run('produce', '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('--rate <n>');
    expect(stdout).toContain('--target <name>');
  });

  it('has an npm script for every command', async () => {
    const { stdout } = await run('--help');
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
