import { expect, it } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { runCli } from '../../support/run-cli.ts';
import { spawnCli } from '../producers/spawn-cli.ts';
import type { Streams } from './streams.ts';

export function commandSuite(get: () => Streams): void {
  const catalog = loadCatalog();
  const env = () => ({ ...process.env, ...get().stack.env });

  it('names every topic that the broker lacks', async () => {
    const { exitCode, stderr } = await runCli(env(), 'reconcile');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/The broker has no topic billing\.fx-rates, .*\n.*\n.*topics:apply/);
  });

  it('exits with 2 and the missing ranges, and with 0 when nothing is missing', async () => {
    const { createTopics, produce, land } = get();
    await createTopics(...catalog.topics.map(({ topic }) => ({ topic, numPartitions: 1 })));
    await produce('billing.payments', 0, 5);
    await land('billing.payments', 0, [0, 1, 4]);

    const lacking = await runCli(env(), 'reconcile', '--quick', '--json');
    expect(lacking.exitCode).toBe(2);
    const none = { partition: 0, produced: 0, landed: 0, dlq: 0, missing: [], duplicates: 0 };
    const payments = { ...none, produced: 5, landed: 3, missing: [{ first: 2, last: 3 }] };
    expect(JSON.parse(lacking.stdout)).toMatchObject(
      catalog.topics.map(({ topic }) => ({ topic, ...(topic === 'billing.payments' ? payments : none) })),
    );

    await land('billing.payments', 0, [2, 3]);
    const clean = await runCli(env(), 'reconcile', 'billing.payments', '--quick');
    expect([clean.exitCode, clean.stderr]).toEqual([0, '']);
    expect(clean.stdout).toContain('Nothing is missing');
    expect(clean.stdout).not.toContain('billing.refunds');
    for (const line of clean.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('watches until everything has landed, and prints only what changes', async () => {
    const { produce, land } = get();
    await produce('billing.payments', 0, 3);
    const watch = spawnCli(
      env(),
      'reconcile',
      'billing.payments',
      '--watch',
      '0.2',
      '--until-clean',
      '--json',
    );
    await waitFor(() => watch.stdout().includes('\n'), { what: 'the first look', timeoutMs: 30_000 });
    await land('billing.payments', 0, [5, 6]);
    await waitFor(() => watch.stdout().split('\n').length === 3, { what: 'a change', timeoutMs: 30_000 });
    await land('billing.payments', 0, [7]);
    const { exitCode, stdout, stderr } = await watch.ended;
    expect(exitCode, stderr).toBe(0);
    const looks = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { landed: number; missing: unknown }[]);
    expect(looks.map(([partition]) => partition?.landed)).toEqual([5, 7, 8]);
    expect(looks.at(-1)).toMatchObject([{ missing: [], lag: 0 }]);
  });

  it('watches until it is interrupted, and its exit code says how things are', async () => {
    const { produce, land } = get();
    await produce('billing.payments', 0, 1);
    const watch = spawnCli(env(), 'reconcile', 'billing.payments', '--watch', '0.2');
    await waitFor(() => watch.stdout().includes('billing.payments/0: 8'), {
      what: 'a look',
      timeoutMs: 30_000,
    });
    watch.kill('SIGINT');
    const { exitCode, stdout, stderr } = await watch.ended;
    expect([exitCode, stderr]).toEqual([2, '']);
    expect(stdout).toContain('may be on their way');
    await land('billing.payments', 0, [8]);
  });

  it('says in a few lines what was asked wrongly, and which server is away', async () => {
    const run = async (settings: Record<string, string>, ...flags: string[]) => {
      const { exitCode, stdout, stderr } = await runCli({ ...env(), ...settings }, 'reconcile', ...flags);
      expect([exitCode, stdout], stderr).toEqual([1, '']);
      expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(5);
      return stderr;
    };
    const answers = await Promise.all([
      run({}, '--since', '2999-01-01'),
      run({}, '--since', 'yesterday', '--yes'),
      run({}, 'billing.nowhere'),
      run({ CLICKHOUSE_URL: 'http://127.0.0.1:1' }),
      run({ KAFKA_BROKERS: '127.0.0.1:1' }),
      run({ CLICKHOUSE_DATABASE: 'nowhere' }),
      run({ CLICKHOUSE_URL: 'http://127.0.0.1:1' }, '--watch', '1'),
    ]);
    expect(answers).toEqual([
      expect.stringContaining('--since: 2999-01-01T00:00:00.000Z is in the future'),
      expect.stringMatching(/--since: expected a time[^]*--yes: has a meaning only with --repair/),
      expect.stringContaining('The catalog has no topic billing.nowhere'),
      expect.stringContaining('ClickHouse does not answer'),
      expect.stringContaining('Kafka does not answer'),
      expect.stringContaining('has no ledger'),
      expect.stringContaining('ClickHouse does not answer'),
    ]);
  });
}
