import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import type { ConnectorConfig } from '../../../controlplane/connector-config.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { createConnectClient } from '../../../controlplane/kafka-connect/connect-client.ts';
import { standInSinkClass, officialSinkClass } from '../../../controlplane/sink-class.ts';
import { stateFileOf } from '../../../controlplane/watch/supervisor.ts';
import { waitFor } from '../../../core/wait.ts';
import { startStack, stopStack } from '../../../embedded/stack.ts';
import { awaitTopics } from '../../../schemas/apply-topics.ts';
import { createKafka, withKafkaAdmin } from '../../../targets/kafka.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';
import { testOffsetResets } from './offsets-suite.ts';
import { testWatching } from './watch-suite.ts';
import { count, declare, verdictOf, watch } from './watch-support.ts';

let stack: TestStack;
let service: ConnectorService;
let clickhouse: ClickHouse;
let producer: Producer;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'clickhouse', 'connect']);
  service = createConnectClient({ url: stack.target.connect.url });
  clickhouse = createClickHouse(stack.target, { database: 'system' });
  await clickhouse.command('CREATE DATABASE IF NOT EXISTS billing');
  // A database without any table is a cause of its own.
  await createTable('other');
  producer = createKafka(stack.target, { clientId: 'watch-test' }).producer();
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  await clickhouse.close();
  await stack.stop();
});

interface Connector {
  name: string;
  config: ConnectorConfig;
}

async function create({ name, config }: Connector): Promise<Connector> {
  await service.put({ name, config, secretKeys: new Set() });
  onTestFinished(() => service.delete(name));
  return { name, config };
}

/**
 * Kafka's own test sink: its task, or itself, fails as soon as it starts. The connector waits a second, because an
 * error that races with the end of its start is overwritten with RUNNING.
 */
function mock(mode: 'none' | 'task-failure' | 'connector-failure', name = `mock-${randomUUID()}`): Connector {
  return {
    name,
    config: {
      'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector',
      'tasks.max': '1',
      topics: name,
      mock_mode: mode,
      delay_ms: mode === 'connector-failure' ? '1000' : '0',
    },
  };
}

const heal = (connector: Connector): Connector => ({
  ...connector,
  config: { ...connector.config, mock_mode: 'none' },
});

/** The sink on a topic and a table of its own, without the registry: JSON that brings its schema. */
async function sink(): Promise<Connector & { topic: string; table: string }> {
  const id = randomUUID().slice(0, 8);
  const [name, topic, table] = [`sink-${id}`, `watch.${id}`, `watch_${id}`];
  const { hostname, port } = new URL(stack.target.clickhouse.url);
  await withKafkaAdmin(stack.target, { clientId: 'watch-test' }, async (admin) => {
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
    await awaitTopics(admin, [topic]);
  });
  const config = {
    'connector.class': stack.started.sink?.kind === 'official' ? officialSinkClass : standInSinkClass,
    'tasks.max': '1',
    topics: topic,
    topic2TableMap: `${topic}=${table}`,
    hostname,
    port,
    ssl: 'false',
    username: 'default',
    password: '',
    database: 'billing',
    jdbcConnectionProperties: '?compress=0',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'consumer.override.auto.offset.reset': 'earliest',
    'errors.tolerance': 'none',
    'errors.retry.timeout': '60000',
  };
  return { name, topic, table, config };
}

async function produce(topic: string, count_: number): Promise<void> {
  const schema = {
    type: 'struct',
    optional: false,
    fields: [{ field: 'id', type: 'string', optional: false }],
  };
  const messages = Array.from({ length: count_ }, () => ({
    value: JSON.stringify({ schema, payload: { id: randomUUID() } }),
  }));
  await producer.send({ topic, messages });
}

async function createTable(table: string): Promise<void> {
  await clickhouse.command(`CREATE TABLE billing.${table} (id String) ENGINE = MergeTree ORDER BY id`);
}

async function rowsOf(table: string): Promise<number> {
  const [row] = await clickhouse.query(`SELECT uniqExact(id) AS rows FROM billing.${table}`);
  return Number(row?.['rows']);
}

test('a task that keeps failing is restarted up to its cap, then held and told, and its cure is noticed', async () => {
  const connector = await create(mock('task-failure'));
  const { name } = connector;
  const watching = watch({
    target: stack.target,
    folder: declare(connector),
    restarts: { restartsPerUnit: 2 },
    notices: { patienceMs: 60_000, quietMs: 2000 },
  });
  const held = await watching.until('the hold', ({ decisions }) => decisions[0]?.action === 'hold');
  expect(held.decisions).toEqual([
    expect.objectContaining({
      connector: name,
      task: 0,
      cause: 'unknown',
      reason: 'restarted 2 times within 60 minutes',
    }),
  ]);
  expect(count(watching, 'restart', name)).toBe(2);
  expect(watching.notices).toMatchObject([
    { status: 'firing', subject: name, cause: 'unknown', endedAt: null },
  ]);

  await service.put({ ...heal(connector), secretKeys: new Set() });
  await service.restartFailed(name);
  await watching.until('the end of it', () => watching.notices.length > 1 && count(watching, 'recovery') > 0);
  expect(watching.notices[1]).toMatchObject({ status: 'resolved', subject: name, cause: 'unknown' });
  expect(count(watching, 'restart', name)).toBe(2);
  expect(count(watching, 'recovery', name)).toBe(1);
  const metrics = await watching.metrics.expose();
  expect(metrics).toContain(
    `billing_connector_restarts_total{connector="${name}",cause="unknown",outcome="accepted"} 2`,
  );
  expect(metrics).toContain(`billing_connector_recovery_seconds_count{connector="${name}"} 1`);
  expect(metrics).toContain(`billing_connector_verdict{connector="${name}",verdict="healthy"} 1`);
});

test('of a connector that fails while its task runs only the connector is restarted', async () => {
  const connector = await create(mock('connector-failure'));
  const watching = watch({
    target: stack.target,
    folder: declare(connector),
    restarts: { restartsPerUnit: 1 },
  });
  await watching.until('the hold', ({ decisions }) => decisions[0]?.action === 'hold');
  expect(watching.supervisor.journal.entries().filter(({ event }) => event === 'restart')).toMatchObject([
    { subject: connector.name, task: null },
  ]);
});

test('many tasks that fail at once stay within the budget of the fleet', async () => {
  const connectors = await Promise.all(Array.from({ length: 8 }, () => create(mock('task-failure'))));
  const watching = watch({
    target: stack.target,
    folder: declare(...connectors),
    restarts: { fleetPerMinute: 3 },
  });
  const isUsedUp = ({ action, ...rest }: object & { action: string; reason?: string }) =>
    action === 'wait' && rest.reason?.includes('budget') === true;
  await watching.until('the end of the budget', ({ decisions }) => decisions.filter(isUsedUp).length >= 5);
  for (let look = 0; look < 5; look += 1) await watching.supervisor.look(new AbortController().signal);
  expect(count(watching, 'restart')).toBe(3);
});

test('the memory outlives the watcher: the next one neither restarts nor tells again', async () => {
  const connector = await create(mock('task-failure'));
  const options = { target: stack.target, folder: declare(connector), restarts: { restartsPerUnit: 1 } };
  const first = watch(options);
  await first.until('the hold', ({ decisions }) => decisions[0]?.action === 'hold');
  expect(first.notices).toHaveLength(1);

  const second = watch({ ...options, home: first.home });
  const snapshot = await second.supervisor.look(new AbortController().signal);
  expect(snapshot.decisions).toMatchObject([{ action: 'hold' }]);
  expect(second.notices).toEqual([]);

  const file = stateFileOf(first.home, stack.target.name);
  writeFileSync(file, '{"version": 1, "clock": ');
  const third = watch({ ...options, home: first.home });
  await third.supervisor.look(new AbortController().signal);
  expect(count(third, 'state-corrupt')).toBe(1);
  expect(readFileSync(`${file}.corrupt`, 'utf8')).toBe('{"version": 1, "clock": ');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: 1 });
});

test('a missing table holds the task; once it is there and somebody restarts it, every row lands', async () => {
  const { topic, table, ...connector } = await sink();
  await produce(topic, 100);
  await create(connector);
  const watching = watch({ target: stack.target, folder: declare(connector) });
  const held = await watching.until('the hold', ({ decisions }) => decisions[0]?.action === 'hold');
  expect(held.connectors).toMatchObject([{ verdict: 'failed', cause: 'schema-mismatch' }]);
  expect(watching.notices).toMatchObject([
    { status: 'firing', subject: connector.name, cause: 'schema-mismatch' },
  ]);
  expect(count(watching, 'restart')).toBe(0);

  await createTable(table);
  await service.restartFailed(connector.name);
  await watching.until(
    'no lag',
    (seen) => seen.connectors[0]?.lag === 0 && verdictOf(seen, connector.name) === 'healthy',
  );
  expect(await rowsOf(table)).toBe(100);
  await watching.until('the end of the incident', () => watching.notices.length > 1);
  expect(watching.notices.at(-1)).toMatchObject({ status: 'resolved', cause: 'schema-mismatch' });
});

test('while ClickHouse is away nothing is restarted; when it is back everything runs and no row is lost', async () => {
  const { topic, table, ...connector } = await sink();
  const failing = await create(mock('task-failure'));
  await createTable(table);
  await produce(topic, 50);
  await create(connector);
  const watching = watch({
    target: stack.target,
    folder: declare(connector, failing),
    restarts: { restartsPerUnit: 1000 },
    notices: { patienceMs: 0, quietMs: 300 },
  });
  await watching.until('the first rows', (seen) => seen.connectors.some(({ lag }) => lag === 0));

  await stopStack(stack.settings, { services: ['clickhouse'] });
  await produce(topic, 50);
  // A sink that starts while ClickHouse is away fails, whereas one that runs only retries.
  await fetch(`${stack.target.connect.url}/connectors/${connector.name}/restart?includeTasks=true`, {
    method: 'POST',
  });
  await watching.until('the sink to fail', (seen) => verdictOf(seen, connector.name) === 'failed');
  const before = count(watching, 'restart');
  for (let look = 0; look < 5; look += 1) {
    const { decisions } = await watching.supervisor.look(new AbortController().signal);
    expect(decisions.filter(({ action }) => action !== 'wait')).toEqual([]);
  }
  expect(count(watching, 'restart')).toBe(before);
  expect(watching.notices).toContainEqual(
    expect.objectContaining({ subject: 'ClickHouse', status: 'firing' }),
  );
  // One outage, one message.
  expect(watching.notices.filter(({ subject }) => subject === connector.name)).toEqual([]);

  await startStack(stack.settings, { services: ['clickhouse'] });
  await watching.until('the sink to run', (seen) => verdictOf(seen, connector.name) === 'healthy');
  await waitFor(async () => (await rowsOf(table)) === 100, { what: 'all rows', timeoutMs: 30_000 });
  expect(count(watching, 'restart', connector.name)).toBeGreaterThan(0);
  await watching.until('the news', () =>
    watching.notices.some(({ subject, status }) => subject === 'ClickHouse' && status === 'resolved'),
  );
});

test('a worker that is away ends nothing: what was known is shown, and it goes on when the worker is back', async () => {
  const connector = await create(mock('none'));
  const watching = watch({
    target: stack.target,
    folder: declare(connector),
    notices: { patienceMs: 0, quietMs: 0 },
  });
  await watching.until('the connector', (seen) => verdictOf(seen, connector.name) === 'healthy');
  await stopStack(stack.settings, { services: ['connect'] });
  const away = await watching.supervisor.look(new AbortController().signal);
  expect(away.servers.connect).toMatchObject({
    isUp: false,
    reason: expect.stringContaining('does not answer') as string,
  });
  expect(verdictOf(away, connector.name)).toBe('healthy');
  expect(watching.notices).toMatchObject([{ subject: 'Kafka Connect', status: 'firing' }]);

  await startStack(stack.settings, { services: ['connect'] });
  await watching.until(
    'the worker',
    ({ servers, connectors }) => servers.connect.isUp && connectors[0]?.verdict === 'healthy',
  );
  expect(watching.notices.at(-1)).toMatchObject({ subject: 'Kafka Connect', status: 'resolved' });
});

testWatching(() => ({
  target: stack.target,
  service,
  mockSink: { 'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector', delay_ms: '0' },
}));
testOffsetResets(() => ({ target: stack.target, service, clickhouse }));
