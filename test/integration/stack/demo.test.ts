import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoReport } from '../../../demo/run-demo.ts';
import { projectRoot } from '../../../core/home.ts';
import { resolveStackSettings, stopStack } from '../../../embedded/stack.ts';
import { runCli } from '../../support/run-cli.ts';
import { testEnvironment } from '../../support/test-stack.ts';

/** The demo as `npm run demo` runs it, on a stack that it starts itself. */
describe('the demo', () => {
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    env = { ...process.env, ...(await testEnvironment()) };
  });

  afterAll(async () => {
    const settings = resolveStackSettings(env);
    await stopStack(settings);
    await rm(settings.home.root, { recursive: true, force: true });
  });

  it('stops what it started when Ctrl-C interrupts it, and exits with 130', async () => {
    const { exitCode, stderr } = await interruptAfter('ClickHouse', env);
    expect(stderr).toContain('stopped Interrupted');
    expect(stderr).not.toContain('    at ');
    expect(exitCode).toBe(130);
    const { stdout } = await runCli(env, 'status', '--json');
    const { services } = JSON.parse(stdout) as { services: { state: string }[] };
    expect(services.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped', 'stopped']);
  });

  it(
    'proves that all it produced landed, answers the questions and leaves the stack up',
    { timeout: 120_000 },
    async () => {
      const { exitCode, stdout, stderr } = await runCli(env, 'demo', '--json');
      expect(stderr).not.toContain('error');
      expect(exitCode).toBe(0);
      const report = JSON.parse(stdout) as DemoReport;
      const acknowledged = (report.history?.sent ?? 0) + report.live.total;
      expect(report.history?.sent).toBeGreaterThanOrEqual(100_000);
      expect(report.live.total).toBeGreaterThanOrEqual(14_000);
      const sum = (field: 'produced' | 'landed' | 'dlq') =>
        report.partitions.reduce((total, partition) => total + partition[field], 0);
      expect([sum('produced'), sum('landed'), sum('dlq')]).toEqual([acknowledged, acknowledged, 0]);
      expect(report.partitions.flatMap(({ missing }) => missing)).toEqual([]);
      expect(report.answers.map(({ number }) => number)).toEqual([1, 3, 4, 5, 21, 26]);
      expect(report.answers.filter(({ rows }) => rows.length === 0)).toEqual([]);
      expect((await runCli(env, 'status')).exitCode).toBe(0);
      expect((await runCli(env, 'reconcile')).exitCode).toBe(0);
    },
  );
});

/** Sends SIGINT once the demo has finished the named step. */
async function interruptAfter(step: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'demo'], {
    cwd: projectRoot,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    // Once: a second signal means "at once", and leaves no time to clean up.
    const wasThere = stderr.includes(`✓ ${step}`);
    stderr += chunk;
    if (!wasThere && stderr.includes(`✓ ${step}`)) child.kill('SIGINT');
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, stderr };
}
