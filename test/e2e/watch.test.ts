import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createConnectClient } from '../../controlplane/kafka-connect/connect-client.ts';
import type { ConnectorService } from '../../controlplane/connector-service.ts';
import type { Snapshot } from '../../controlplane/watch/snapshot.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { runCli } from '../support/run-cli.ts';

const env = { ...process.env, ...inject('stackEnv') };
const name = 'billing-payments-sink';
const key = 'consumer.override.fetch.max.wait.ms';
let service: ConnectorService;
let declared: Record<string, string>;

beforeAll(async () => {
  service = createConnectClient({ url: loadTarget('embedded', env).connect.url });
  declared = { ...(await service.read(name))?.config };
});
afterAll(async () => {
  await service.put({ name, config: declared, secretKeys: new Set() });
});

async function lookOnce(...flags: string[]): Promise<Snapshot> {
  const { exitCode, stdout, stderr } = await runCli(env, 'connectors:watch', '--once', '--json', ...flags);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Snapshot;
}

test('all is well after an apply, and every topic is watched', async () => {
  const { connectors, servers, drift, decisions } = await lookOnce();
  expect(connectors.map(({ verdict }) => verdict)).toEqual(connectors.map(() => 'healthy'));
  expect(servers.clickhouse).toEqual({ isUp: true, reason: null, state: 'ready' });
  expect(drift).toMatchObject({ changes: [], error: null });
  expect(decisions).toEqual([]);
  expect(connectors.flatMap(({ partitions }) => partitions).length).toBeGreaterThan(50);
});

test('what somebody changed by hand is reported, and restored only when that is asked for', async () => {
  await service.put({ name, config: { ...declared, [key]: '499' }, secretKeys: new Set() });
  const reported = await lookOnce();
  expect(reported.drift.changes).toEqual([{ name, operation: 'update', keys: [key] }]);
  expect(reported.journal.map(({ event }) => event)).toContain('drift');
  expect((await service.read(name))?.config[key]).toBe('499');

  const restored = await lookOnce('--reconcile');
  expect(restored.journal).toContainEqual(
    expect.objectContaining({ event: 'reconcile', subject: name, level: 'info' }),
  );
  expect(restored.drift.changes).toEqual([]);
  expect((await service.read(name))?.config).toEqual(declared);
});
