import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createClickHouse } from '../../../clickhouse/client.ts';
import { migrate } from '../../../clickhouse/migrate.ts';
import { tablesByTopic, topicsOf, type DesiredConnector } from '../../../controlplane/connector-config.ts';
import { applyFleet, planFleet } from '../../../controlplane/fleet.ts';
import { findTableProblems, readTables } from '../../../controlplane/preflight.ts';
import { officialSinkClass } from '../../../controlplane/sink-class.ts';
import { InvalidInputError } from '../../../core/errors.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { loadTarget, type Target } from '../../../targets/load-target.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';
import { json, scriptedServer, type ScriptedServer } from './scripted-server.ts';

const password = 'right-one';
const contracts = loadCatalog();
let endpoint: TestEndpoint;
let worker: ScriptedServer;
let registered = true;

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint({ env: { CLICKHOUSE_PASSWORD: password } });
  // A worker that finds nothing wrong and has no connector yet, and a registry that has every subject.
  worker = await scriptedServer(({ path }, response) => {
    if (path.startsWith('/subjects/')) json(response, registered ? 200 : 404, registered ? [1] : {});
    else if (path === '/connector-plugins')
      json(response, 200, [{ class: officialSinkClass, version: 'v1' }]);
    else json(response, 200, path.endsWith('/validate') ? { configs: [] } : {});
  });
});
afterAll(async () => {
  worker.close();
  await endpoint.stop();
});

function target(changes: Partial<Target['clickhouse']> = {}): Target {
  const embedded = loadTarget('embedded', {});
  return {
    ...embedded,
    connect: { url: worker.url },
    schemaRegistry: { url: worker.url },
    clickhouse: {
      url: endpoint.url,
      user: 'default',
      password,
      database: `trial_${randomBytes(4).toString('hex')}`,
      ...changes,
    },
  };
}

async function desiredConnectors(at: Target): Promise<DesiredConnector[]> {
  const { plan } = await planFleet({ target: at, contracts });
  return [...plan.desired.values()];
}

async function errorOfApply(at: Target): Promise<unknown> {
  const options = { target: at, contracts };
  const planned = await planFleet(options);
  return applyFleet(options, planned).then(
    () => undefined,
    (error: unknown) => error,
  );
}

function expectNothingWritten() {
  const writes = worker.received.filter(
    ({ method, path }) => method !== 'GET' && !path.endsWith('/validate'),
  );
  expect(writes).toEqual([]);
}

test('every missing table is named before anything is written', async () => {
  const at = target();
  const error = await errorOfApply(at);
  expect(error).toBeInstanceOf(InvalidInputError);
  const missing = (error as InvalidInputError).problems.map(({ path, message }) => `${path}: ${message}`);
  expect(missing.sort()).toEqual(
    (await desiredConnectors(at))
      .flatMap((connector) =>
        [...tablesByTopic(connector).values()].map(
          (table) =>
            `${connector.name}.config.topic2TableMap: the table ${at.clickhouse.database}.${table} does not exist`,
        ),
      )
      .sort(),
  );
  expect((error as InvalidInputError).todo).toContain('clickhouse:migrate');
  expectNothingWritten();
});

test('every subject that the registry lacks is named beside what else is wrong', async () => {
  registered = false;
  onTestFinished(() => {
    registered = true;
  });
  const error = await errorOfApply(target({ password: 'wrong-one' }));
  const [first, ...rest] = (error as InvalidInputError).problems.map(
    ({ path, message }) => `${path}: ${message}`,
  );
  expect(first).toBe(`${endpoint.url}: ClickHouse refused the user "default" (code 516)`);
  expect(rest.sort()).toEqual(
    (await desiredConnectors(target()))
      .flatMap((connector) =>
        topicsOf(connector).map(
          (topic) => `${connector.name}.config.topics: the registry has no schema under ${topic}-value`,
        ),
      )
      .sort(),
  );
  expectNothingWritten();
});

test('a wrong password is found before anything is written, and not shown', async () => {
  const error = await errorOfApply(target({ password: 'wrong-one' }));
  expect(error).toMatchObject({ code: 'CLICKHOUSE_AUTHENTICATION' });
  expect((error as Error).message).not.toContain('wrong-one');
  expectNothingWritten();
});

test("the project's own tables take every record of the project's own topics", async () => {
  const at = target();
  await migrate(at);
  const clickhouse = createClickHouse(at);
  onTestFinished(() => clickhouse.close());
  const connectors = await desiredConnectors(at);
  const problems = async () =>
    findTableProblems(connectors, contracts.topics, await readTables(clickhouse, at.clickhouse.database));
  expect(await problems()).toEqual([]);

  await clickhouse.command('ALTER TABLE raw_payments ADD COLUMN loaded_at DateTime DEFAULT now()');
  await clickhouse.command('ALTER TABLE raw_payments ADD COLUMN remark Nullable(String)');
  expect(await problems()).toEqual([]);

  await clickhouse.command('ALTER TABLE raw_payments ADD COLUMN loader String');
  await clickhouse.command('ALTER TABLE raw_payments DROP COLUMN processor');
  expect((await problems()).map(({ message }) => message)).toEqual([
    'raw_payments has no columns for the fields processor of billing.payments',
    'raw_payments demands loader, which records of billing.payments lack',
  ]);
});
