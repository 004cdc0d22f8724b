import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';
import { freePorts } from '../../support/free-ports.ts';
import { runCli } from '../../support/run-cli.ts';

/** The real dbt against the real engine, through the command line. */
describe('npm run dbt', () => {
  const password = 'planted-password-7391';
  let endpoint: TestEndpoint;
  let home: string;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    home = mkdtempSync(path.join(tmpdir(), 'dbt-'));
    endpoint = await startClickHouseEndpoint({ env: { CLICKHOUSE_PASSWORD: password } });
    env = {
      ...process.env,
      PIPELINE_HOME: home,
      PIPELINE_CACHE: process.env['PIPELINE_CACHE'] ?? path.resolve('.pipeline/cache'),
      CLICKHOUSE_URL: endpoint.url,
      CLICKHOUSE_PASSWORD: password,
    };
  });
  afterAll(async () => {
    await endpoint.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('hands its arguments to dbt and shows what dbt prints', async () => {
    const run = await runCli(env, 'dbt', 'show', '--inline', 'select 6 * 7 as answer', '--output', 'json');
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('"answer": 42');
  });

  it('fails as dbt does, in three lines below what dbt says, and shows no password', async () => {
    const run = await runCli(env, 'dbt', 'show', '--inline', 'select nothing_of_this_name');
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain('nothing_of_this_name');
    expect(run.stderr.trim().split('\n')).toHaveLength(3);
    expect(run.stderr).toContain('dbt show ended with exit code');
    const log = readFileSync(path.join(home, 'logs', 'dbt', 'dbt.log'), 'utf8');
    expect(run.stdout + run.stderr + log).not.toContain(password);
  });

  it('names a server that does not answer, and shows no password', async () => {
    const [port = 0] = await freePorts(1);
    const run = await runCli({ ...env, CLICKHOUSE_URL: `http://127.0.0.1:${port}` }, 'dbt:refresh');
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('Building the models failed');
    expect(run.stderr).toContain('refused');
    expect(run.stdout + run.stderr).not.toContain(password);
  });

  it('waits for another dbt of the same home that writes', async () => {
    // The lock of a process that has ended is taken over; one that lives is waited for.
    writeFileSync(path.join(home, 'run', 'dbt.lock'), String(process.pid));
    const waiting = runCli(env, 'dbt', 'run', '--select', 'stg_plans');
    let ended = false;
    void waiting.then(() => (ended = true));
    const other = await runCli(env, 'dbt', 'show', '--inline', 'select 1');
    expect(other.exitCode).toBe(0);
    expect(ended).toBe(false);
    rmSync(path.join(home, 'run', 'dbt.lock'));
    expect((await waiting).stdout).toContain('stg_plans');
  });

  it.each([
    [['--schedule', 'every day'], 'The schedule "every day" is not valid'],
    [['--schedule', '* * * * *', '--full'], '--full and --schedule do not go together'],
  ])('refuses %j', async (flags, message) => {
    const run = await runCli(env, 'dbt:refresh', ...flags);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(message);
  });
});
