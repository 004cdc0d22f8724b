import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot, resolveHome } from '../../../core/home.ts';
import { ensurePythonEnvironment, type PythonEnvironment } from '../../../core/python-environment.ts';
import { runCommand } from '../../../core/run-command.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

const fixture = path.join(projectRoot, 'test', 'fixtures', 'clickhouse-connect');

let endpoint: TestEndpoint;
let environment: PythonEnvironment;
beforeAll(async () => {
  environment = await ensurePythonEnvironment({
    name: 'clickhouse-connect',
    requirementsFile: path.join(fixture, 'requirements.txt'),
    cacheFolder: resolveHome().cache,
  });
  endpoint = await startClickHouseEndpoint();
});
afterAll(async () => {
  await endpoint.stop();
});

test('clickhouse-connect works unchanged, with every compression it knows', async () => {
  const { stdout } = await runCommand(
    environment.python,
    [path.join(fixture, 'client_check.py'), endpoint.url],
    {
      purpose: 'clickhouse-connect',
      timeoutMs: 60_000,
    },
  );
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => !line.startsWith('passed: '))).toEqual([]);
  expect(lines).toHaveLength(31);
});
