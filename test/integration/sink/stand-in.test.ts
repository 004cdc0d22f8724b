import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../../../core/run-command.ts';
import { standInSources } from '../../../embedded/sink/build-stand-in.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let folder: string;
let endpoint: TestEndpoint;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'stand-in-'));
  endpoint = await startClickHouseEndpoint({
    env: { CLICKHOUSE_USER: 'pipeline', CLICKHOUSE_PASSWORD: 'secret' },
  });
});
afterAll(async () => {
  await endpoint.stop();
  rmSync(folder, { recursive: true, force: true });
});

it('passes its own tests, those against a ClickHouse server included', { timeout: 240_000 }, async () => {
  const server = [`port=${endpoint.port}`, 'user=pipeline', 'password=secret'];
  await runCommand(
    'mvn',
    ['-B', '-q', '-f', path.join(standInSources, 'pom.xml'), `-Dbuild.folder=${folder}`]
      .concat(server.map((setting) => `-Dclickhouse.${setting}`))
      .concat('test'),
    { purpose: "Running the stand-in sink's tests", timeoutMs: 200_000 },
  );
  const reports = readdirSync(path.join(folder, 'surefire-reports')).filter((file) => file.endsWith('.xml'));
  const skipped = reports.filter((file) =>
    readFileSync(path.join(folder, 'surefire-reports', file), 'utf8').includes('<skipped'),
  );
  expect(reports).toContain('TEST-billinganalytics.connect.ClickHouseServerTest.xml');
  expect(skipped).toEqual([]);
});
