import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCloudClient } from '../../../../controlplane/confluent-cloud/cloud-client.ts';
import type { Snapshot } from '../../../../controlplane/watch/snapshot.ts';
import { migrate } from '../../../../clickhouse/migrate.ts';
import { loadTarget } from '../../../../targets/load-target.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../../support/clickhouse-endpoint.ts';
import { runCli, type CliRun } from '../../../support/run-cli.ts';
import { json, scriptedServer, type ScriptedServer } from '../scripted-server.ts';
import { cloudLogin, startConformingServer, type ConformingServer } from './conforming-server.ts';
import { findOpenApiDocument, reportNotRun } from './openapi-document.ts';

const document = findOpenApiDocument();
const secrets = ['cloud+s3cret/', 'kafka-s3cret', 'registry-s3cret', 'clickhouse-s3cret'];
const [, kafkaSecret, registrySecret, clickhouseSecret] = secrets;

if (document === undefined) reportNotRun('the commands against Confluent Cloud');
else {
  describe('the commands need nothing but the documented variables:', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'cloud-commands-'));
    let cloud: ConformingServer;
    let registry: ScriptedServer;
    let clickhouse: TestEndpoint;
    let env: NodeJS.ProcessEnv;
    const runs: CliRun[] = [];

    async function run(...command: [name: string, ...flags: string[]]): Promise<CliRun> {
      const [name, ...flags] = command;
      const done = await runCli(env, name, '--target', 'confluent-cloud', '--verbose', ...flags);
      runs.push(done);
      return done;
    }

    beforeAll(async () => {
      const password = clickhouseSecret!;
      const started = [startClickHouseEndpoint({ env: { CLICKHOUSE_PASSWORD: password } })] as const;
      cloud = await startConformingServer(document);
      registry = await scriptedServer(({ authorization }, response) => {
        const expected = `Basic ${Buffer.from(`SRKEY:${registrySecret!}`).toString('base64')}`;
        json(response, authorization === expected ? 200 : 401, authorization === expected ? [1] : {});
      });
      [clickhouse] = await Promise.all(started);
      env = {
        PATH: process.env['PATH'],
        PIPELINE_HOME: home,
        // Nothing listens there: a plan, an apply and a status do without Kafka.
        KAFKA_BROKERS: '127.0.0.1:1',
        KAFKA_API_KEY: 'KAFKAKEY',
        KAFKA_API_SECRET: kafkaSecret,
        SCHEMA_REGISTRY_URL: registry.url,
        SCHEMA_REGISTRY_API_KEY: 'SRKEY',
        SCHEMA_REGISTRY_API_SECRET: registrySecret,
        CONFLUENT_CLOUD_URL: cloud.url,
        CONFLUENT_ENVIRONMENT_ID: cloudLogin.environment,
        CONFLUENT_KAFKA_CLUSTER_ID: cloudLogin.cluster,
        CONFLUENT_CLOUD_API_KEY: cloudLogin.apiKey,
        CONFLUENT_CLOUD_API_SECRET: cloudLogin.apiSecret,
        CLICKHOUSE_URL: clickhouse.url,
        CLICKHOUSE_PASSWORD: password,
      };
      await migrate(loadTarget('confluent-cloud', env), {});
    });
    afterAll(async () => {
      cloud.close();
      registry.close();
      await clickhouse.stop();
      rmSync(home, { recursive: true, force: true });
    });

    test('plan shows the form that will be sent, and what will not', async () => {
      const { exitCode, stdout } = await run('connectors:plan');
      expect(exitCode).toBe(2);
      expect(stdout).toContain("Sink: Confluent Cloud's managed ClickHouse sink 1.3.4");
      expect(stdout).toContain('+ connector.class: ClickHouseSink');
      expect(stdout).toMatch(/\+ kafka\.api\.secret: \(secret \w{12}\)/);
      expect(stdout).toMatch(/not sent: .*client_version/);
      expect(stdout).not.toContain('+ value.converter');
    });

    test('apply makes it so: a second plan finds nothing to do, and status shows what runs', async () => {
      const { exitCode, stderr } = await run('connectors:apply');
      expect(exitCode, stderr).toBe(0);
      const [plan, status] = await Promise.all([
        run('connectors:plan', '--json'),
        run('connectors:status', '--json'),
      ]);
      expect([plan.exitCode, status.exitCode]).toEqual([0, 0]);
      expect(JSON.parse(plan.stdout)).toMatchObject({ sink: { kind: 'managed', class: 'ClickHouseSink' } });
      const statuses = JSON.parse(status.stdout) as unknown[];
      expect(statuses.length).toBeGreaterThan(1);
      for (const one of statuses) expect(one).toMatchObject({ state: 'RUNNING', verdict: 'healthy' });
    });

    test('a rotated secret is a change in the plan, and a saved plan does not outlive it', async () => {
      const saved = path.join(home, 'plan.json');
      const rotated = { ...env, KAFKA_API_SECRET: 'kafka-s3cret-rotated' };
      const plan = await runCli(rotated, 'connectors:plan', '--target', 'confluent-cloud', '--out', saved);
      runs.push(plan);
      expect(plan.exitCode).toBe(2);
      expect(plan.stdout).toMatch(/~ kafka\.api\.secret: \(secret \w{12}\) -> \(secret \w{12}\)/);
      expect(plan.stdout).toContain('and restart it, because a secret changes');
      expect(plan.stdout).not.toContain('~ password');
      const { exitCode, stderr } = await run('connectors:apply', '--plan', saved);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('billing-core-sink: its declaration was changed since');
    });

    test('what is paused by hand is left alone; drift is reported, and restored when told to', async () => {
      const [paused, drifted] = ['billing-core-sink', 'billing-payments-sink'] as const;
      expect((await run('connectors:pause', paused)).exitCode).toBe(0);
      const { environment, cluster, apiKey, apiSecret } = cloudLogin;
      const credentials = { username: apiKey, password: apiSecret };
      const client = createCloudClient({ url: cloud.url, environment, cluster, credentials });
      const live = (await client.read(drifted))!;
      const secrets = {
        password: clickhouseSecret!,
        'kafka.api.key': 'KAFKAKEY',
        'kafka.api.secret': kafkaSecret!,
      };
      const config = { ...live.config, ...secrets, 'tasks.max': '1' };
      await client.put({ name: drifted, config, secretKeys: new Set(Object.keys(secrets)) });

      const look = async (...flags: string[]) => {
        const { stdout, stderr } = await run('connectors:watch', '--once', '--json', ...flags);
        expect(stdout, stderr).not.toBe('');
        return JSON.parse(stdout) as Snapshot;
      };
      const seen = await look();
      const change = { name: drifted, operation: 'update', keys: ['tasks.max'] };
      expect(seen.drift).toMatchObject({ changes: [change], error: null });
      expect(seen.connectors.find(({ name }) => name === paused)).toMatchObject({ verdict: 'paused' });
      expect(seen.decisions).toEqual([]);
      expect((await look('--reconcile')).drift).toMatchObject({ changes: [], error: null });
      const plan = await run('connectors:plan');
      expect(plan.exitCode, plan.stdout).toBe(0);
      expect((await client.read(paused))?.state).toBe('PAUSED');
      expect((await run('connectors:stop', paused)).stderr).toContain('This server cannot stop a connector');
    });

    test('no command shows a secret, and every request and response conformed', () => {
      const files = readdirSync(home, { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
      expect(files.length).toBeGreaterThan(2);
      const shown = [...runs.map(({ stdout, stderr }) => stdout + stderr), ...files].join('\n');
      expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
      expect(cloud.violations).toEqual([]);
      expect(cloud.undocumented.filter((line) => !line.endsWith('/restart'))).toEqual([]);
    });
  });
}

test('what is missing is reported together before anything is contacted', async () => {
  const { exitCode, stderr } = await runCli(
    { PATH: process.env['PATH'] },
    'connectors:apply',
    '--target',
    'confluent-cloud',
  );
  expect(exitCode).toBe(1);
  for (const name of [
    'KAFKA_BROKERS',
    'CONFLUENT_CLOUD_API_KEY',
    'CONFLUENT_ENVIRONMENT_ID',
    'CLICKHOUSE_PASSWORD',
  ]) {
    expect(stderr).toContain(`the environment variable ${name} is not set`);
  }
});
