import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
    });

    test('plan shows the form that will be sent, and what will not', async () => {
      const { exitCode, stdout } = await run('connectors:plan');
      expect(exitCode).toBe(2);
      expect(stdout).toContain("Sink: Confluent Cloud's managed ClickHouse sink 1.3.4");
      expect(stdout).toContain('+ connector.class: ClickHouseSink');
      expect(stdout).toContain('+ kafka.api.secret: (secret)');
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

    test('no command shows a secret, and every request and response conformed', () => {
      const shown = runs.map(({ stdout, stderr }) => stdout + stderr).join('\n');
      expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
      expect(cloud.violations).toEqual([]);
      expect(cloud.undocumented).toEqual([]);
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
