import { expect, inject, onTestFinished, test } from 'vitest';
import { createClickHouse } from '../../clickhouse/client.ts';
import type { Finding } from '../../core/finding.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { runCli } from '../support/run-cli.ts';

const env = { ...process.env, ...inject('stackEnv') };
const target = loadTarget('embedded', env);

async function check(more: NodeJS.ProcessEnv = {}) {
  const run = await runCli({ ...env, ...more }, 'contracts:check', '--live', '--json');
  const { findings } = JSON.parse(run.stdout || '{"findings":[]}') as { findings: Finding[] };
  return { ...run, found: findings.map(({ rule, subject, path }) => `${rule} ${subject} ${path}`) };
}

test('servers that were set up from the files are as the files say', async () => {
  expect(await check()).toMatchObject({ exitCode: 0, found: [] });
});

test('a table changed by hand and a connector that was reconfigured by hand are found', async () => {
  const clickhouse = createClickHouse(target);
  const config = `${target.connect.url}/connectors/billing-transactions-sink/config`;
  const declared = (await (await fetch(config)).json()) as Record<string, string>;
  const put = (changed: Record<string, string>) =>
    fetch(config, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(changed),
    });
  onTestFinished(async () => {
    await put(declared);
    await clickhouse.command('ALTER TABLE raw_plans DROP COLUMN IF EXISTS by_hand');
    await clickhouse.close();
  });
  await clickhouse.command('ALTER TABLE raw_plans ADD COLUMN by_hand Nullable(String)');
  expect((await put({ ...declared, 'transforms.coordinates.topic.field': 'kafka_source' })).ok).toBe(true);
  const { exitCode, found } = await check();
  expect(exitCode).toBe(2);
  expect(found).toEqual([
    'live-connector billing-transactions-sink transforms.coordinates.topic.field',
    'live-table billing.plans by_hand',
  ]);
});

test('a server that does not answer is named in three lines', async () => {
  const { exitCode, stdout, stderr } = await check({ CLICKHOUSE_URL: 'http://127.0.0.1:1' });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr.trim().split('\n')).toHaveLength(3);
});
