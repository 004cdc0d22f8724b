import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../../../core/run-command.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';
import { javaClientClassPath } from '../../support/java-client.ts';

let endpoint: TestEndpoint;
let classPath: string;
beforeAll(async () => {
  classPath = await javaClientClassPath();
  endpoint = await startClickHouseEndpoint();
});
afterAll(async () => {
  await endpoint.stop();
});

test.each([
  ['its default settings, which ask for compressed blocks', 'default'],
  ['compressed requests', 'compressed-requests'],
  ['HTTP compression in both directions', 'http-compression'],
  ['no compression', 'plain'],
])('the Java client V2 works unchanged with %s', async (_, mode) => {
  const args = ['-Xmx256m', '-cp', classPath, 'ClientCheck', endpoint.url, mode];
  const { stdout } = await runCommand('java', args, { purpose: 'The Java client', timeoutMs: 60_000 });
  const lines = stdout.trim().split('\n');
  expect(lines.filter((line) => !line.startsWith('passed: '))).toEqual([]);
  expect(lines).toHaveLength(9);
});
