import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessStatements } from '../../../clickhouse/access.ts';
import { ask, startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';
import { runCli } from '../../support/run-cli.ts';

let endpoint: TestEndpoint;
beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
  await ask(endpoint, 'CREATE DATABASE billing');
});
afterAll(() => endpoint.stop());

it.each([
  ['one server', ''],
  ['a cluster', 'billing'],
])("ClickHouse's parser takes every access statement for %s", async (_where, cluster) => {
  for (const statement of accessStatements(cluster)) {
    expect(await ask(endpoint, `EXPLAIN AST ${statement}`)).toMatch(/Grant|Role|ROW POLICY/);
  }
});

it('a server that does not let us manage roles is named, with what to do', async () => {
  const env = { ...process.env, CLICKHOUSE_URL: endpoint.url };
  const { exitCode, stdout, stderr } = await runCli(env, 'clickhouse:access');
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr.trim().split('\n')).toHaveLength(3);
  expect(stderr).toContain('ACCESS MANAGEMENT');
});
