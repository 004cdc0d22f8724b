import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { applyPlan } from '../../../controlplane/apply.ts';
import { createConnectClient } from '../../../controlplane/connect-client.ts';
import type { ConnectorConfig, DesiredConnector } from '../../../controlplane/connector-config.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { judge } from '../../../controlplane/health.ts';
import { hasChanges, planConnectors } from '../../../controlplane/plan.ts';
import { waitFor } from '../../../core/wait.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

const startTimeoutMs = 30_000;
const timing = { startTimeoutMs, settleMs: 400 };
let stack: TestStack;
let service: ConnectorService;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'connect']);
  service = createConnectClient({ url: stack.target.connect.url });
});
afterAll(async () => {
  await stack.stop();
});

/** Kafka's own test sink, which fails on command; it stands for any connector. Deleted when the test ends. */
function mockSink(config: ConnectorConfig = {}): DesiredConnector {
  const name = `mock-${randomUUID()}`;
  onTestFinished(() => service.delete(name));
  return {
    name,
    config: {
      'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector',
      'tasks.max': '1',
      topics: name,
      mock_mode: 'none',
      ...config,
    },
    secretKeys: new Set(),
  };
}

/** The same connector with some keys changed. */
function changed(connector: DesiredConnector, config: ConnectorConfig): DesiredConnector {
  return { ...connector, config: { ...connector.config, ...config } };
}

async function plan(...desired: DesiredConnector[]) {
  return planConnectors(desired, await service.list());
}

async function apply(...desired: DesiredConnector[]) {
  return applyPlan(service, await plan(...desired), timing);
}

async function untilFailed(connector: DesiredConnector) {
  return waitFor(
    async () => {
      const live = await service.read(connector.name);
      return judge(live).verdict === 'unhealthy' && live;
    },
    { what: 'the injected failure', timeoutMs: startTimeoutMs },
  );
}

test('a connector is created, runs, and a second plan finds nothing to do', async () => {
  const connector = mockSink();
  const applied = await apply(connector);
  expect(applied).toMatchObject([{ change: { operation: 'create' }, failure: null }]);
  expect(await service.read(connector.name)).toMatchObject({
    config: connector.config,
    state: 'RUNNING',
    tasks: [{ id: 0, state: 'RUNNING', trace: null }],
  });
  const second = await plan(connector);
  expect(hasChanges(second)).toBe(false);
  expect(await applyPlan(service, second)).toEqual([]);
});

test('an update writes exactly the keys of the plan, removals included', async () => {
  const after = mockSink({ 'errors.retry.timeout': '1000' });
  const { 'errors.retry.timeout': added, ...config } = after.config;
  const before = { ...after, config: { ...config, 'errors.log.enable': 'true' } };
  await apply(before);
  const planned = await plan(after);
  expect(planned.changes[0]?.diff).toEqual([
    { key: 'errors.log.enable', before: 'true', after: null },
    { key: 'errors.retry.timeout', before: null, after: added },
  ]);
  expect(await applyPlan(service, planned, timing)).toMatchObject([{ failure: null }]);
  expect((await service.read(before.name))?.config).toEqual(after.config);
});

test('a task that fails is seen with its trace, and its update restarts it', async () => {
  const connector = mockSink({ mock_mode: 'task-failure', delay_ms: '0' });
  await service.put(connector);
  const failed = await untilFailed(connector);
  expect(failed).toMatchObject({ state: 'RUNNING', tasks: [{ state: 'FAILED' }] });
  expect(failed.tasks[0]?.trace).toContain('org.apache.kafka.connect.tools.MockSinkTask');

  const planned = await plan(changed(connector, { mock_mode: 'none' }));
  expect(planned.changes).toMatchObject([{ operation: 'update', restartFailed: true }]);
  expect(await applyPlan(service, planned, timing)).toMatchObject([{ failure: null }]);
});

test('a connector that fails while its task says RUNNING fails the apply, and its update heals it', async () => {
  const connector = mockSink({ mock_mode: 'connector-failure', delay_ms: '0' });
  const applied = await applyPlan(service, await plan(connector), { startTimeoutMs, settleMs: 2000 });
  expect(applied[0]?.failure).toMatch(/^unknown: the connector failed: .*RuntimeException/);
  expect(await untilFailed(connector)).toMatchObject({ state: 'FAILED' });
  expect(await apply(changed(connector, { mock_mode: 'none' }))).toMatchObject([{ failure: null }]);
});

test('one change that is refused does not keep the others from being made', async () => {
  const refused = mockSink({ 'tasks.max': 'many' });
  const sound = mockSink();
  const applied = await apply(refused, sound);
  const failureOf = (name: string) => applied.find(({ change }) => change.name === name)?.failure;
  expect(failureOf(refused.name)).toMatch(/Invalid value many for configuration tasks\.max/);
  expect(failureOf(sound.name)).toBeNull();
  expect(await service.read(refused.name)).toBeUndefined();
});

test('what the worker finds wrong is reported for each key', async () => {
  const problems = await service.validate(
    mockSink({ 'tasks.max': 'many', 'value.converter': 'no.such.Converter' }),
  );
  expect(problems.map(({ path }) => path.replace(/^mock-[^.]*\./, '')).sort()).toEqual([
    'config.tasks.max',
    'config.value.converter',
  ]);
});

test('settings of the consumer may be overridden', async () => {
  expect(await service.validate(mockSink({ 'consumer.override.max.poll.records': '20000' }))).toEqual([]);
});

test('a connector of ours that is no longer declared is deleted, another one is left alone', async () => {
  const ours = mockSink();
  const theirs = mockSink();
  await apply(ours, theirs);
  const planned = planConnectors([], await service.list(), new Set([ours.name]));
  expect(planned.changes).toMatchObject([{ operation: 'delete', name: ours.name }]);
  expect(await applyPlan(service, planned)).toMatchObject([{ failure: null }]);
  expect(await service.read(ours.name)).toBeUndefined();
  expect(await service.read(theirs.name)).toBeDefined();
});

test('two applies at once end in one consistent state', async () => {
  const connector = mockSink();
  const other = changed(connector, { 'errors.retry.timeout': '1000' });
  await Promise.all([apply(connector), apply(other)]);
  const live = (await service.read(connector.name))?.config;
  expect([connector.config, other.config]).toContainEqual(live);
  expect(await apply(connector)).toHaveLength(live?.['errors.retry.timeout'] === undefined ? 0 : 1);
});

test('many writes at once are all made, whatever the rebalances between them', async () => {
  const connectors = Array.from({ length: 8 }, () => mockSink());
  await Promise.all(connectors.map((connector) => service.put(connector)));
  const live = await service.list();
  expect(connectors.filter(({ name }) => live.has(name))).toHaveLength(8);
});

test('a paused connector is updated and stays paused', async () => {
  const connector = mockSink();
  await apply(connector);
  await fetch(`${stack.target.connect.url}/connectors/${connector.name}/pause`, { method: 'PUT' });
  await waitFor(async () => (await service.read(connector.name))?.state === 'PAUSED', {
    what: 'the pause',
    timeoutMs: startTimeoutMs,
  });
  expect(await apply(changed(connector, { 'errors.log.enable': 'true' }))).toMatchObject([{ failure: null }]);
  expect((await service.read(connector.name))?.state).toBe('PAUSED');
});

test('an apply that is interrupted stops waiting', async () => {
  const connector = mockSink({ mock_mode: 'none' });
  const interruption = new AbortController();
  const applying = applyPlan(service, await plan(connector), {
    signal: interruption.signal,
    settleMs: 60_000,
    onProgress: () => {
      interruption.abort();
    },
  });
  await expect(applying).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
