import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyPlan } from '../../../controlplane/apply.ts';
import type { DesiredConnector } from '../../../controlplane/connector-config.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { judge } from '../../../controlplane/health.ts';
import { hasChanges, planConnectors } from '../../../controlplane/plan.ts';
import { waitFor } from '../../../core/wait.ts';
import { testChanges } from './changes-suite.ts';
import { createFixture, type ServiceUnderTest } from './service-under-test.ts';

/** What plan, apply and status rely on, whatever runs the connectors. */
export function testConnectorService(start: () => Promise<ServiceUnderTest>): void {
  let under: ServiceUnderTest;
  let stop: ServiceUnderTest['stop'] | undefined;
  let service: ConnectorService;
  const timeoutMs = 30_000;

  beforeAll(async () => {
    under = await start();
    ({ service, stop } = under);
  });
  afterAll(() => stop?.());

  const fixture = createFixture(() => under);
  const { mockSink, changed, plan, apply } = fixture;

  async function untilFailed({ name }: DesiredConnector) {
    return waitFor(
      async () => {
        const live = (await service.list()).get(name);
        return judge(live).cause !== null && live;
      },
      { what: 'the injected failure', timeoutMs },
    );
  }

  test('a connector is created, runs, and a second plan finds nothing to do', async () => {
    const connector = mockSink();
    const applied = await apply(connector);
    expect(applied).toMatchObject([{ change: { operation: 'create' }, failure: null }]);
    expect(await service.read(connector.name)).toMatchObject({
      state: 'RUNNING',
      tasks: [{ id: 0, state: 'RUNNING', trace: null }],
    });
    const second = await plan(connector);
    expect(second.changes).toMatchObject([{ operation: 'none', diff: [] }]);
    expect(hasChanges(second)).toBe(false);
    expect(await applyPlan(service, second)).toEqual([]);
  });

  test('the list says the same of a connector as reading it, and names its consumer group', async () => {
    const connector = mockSink();
    await apply(connector);
    const { consumerGroup, ...listed } = (await service.list()).get(connector.name)!;
    expect(consumerGroup).toMatch(/^connect-/);
    expect(await service.read(connector.name)).toMatchObject(listed);
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
    expect(await applyPlan(service, planned, { pace: under.pace })).toMatchObject([{ failure: null }]);
    expect(hasChanges(await plan(after))).toBe(false);
  });

  test('a task that fails is seen with its trace, and its update restarts it', async () => {
    const connector = mockSink({ mock_mode: 'task-failure', delay_ms: '0' });
    await service.put(connector);
    const failed = await untilFailed(connector);
    expect(failed).toMatchObject({ tasks: [{ state: 'FAILED' }] });
    expect(failed.tasks[0]?.trace).toContain(under.taskTrace);

    const planned = await plan(changed(connector, { mock_mode: 'none' }));
    expect(planned.changes).toMatchObject([{ operation: 'update', restart: 'failed' }]);
    expect(await applyPlan(service, planned, { pace: under.pace })).toMatchObject([{ failure: null }]);
  });

  test('a connector that fails fails the apply, and its update heals it', async () => {
    // Raised at once, the error races with the end of the start, and the worker writes RUNNING over FAILED.
    const connector = mockSink({ mock_mode: 'connector-failure', delay_ms: '1000' });
    const applied = await applyPlan(service, await plan(connector), {
      pace: { ...under.pace, settleMs: 6000 },
    });
    expect(applied[0]?.failure).toMatch(/^(unknown|configuration): the connector failed: .*RuntimeException/);
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

  test('what the server finds wrong is reported for each key', async () => {
    const problems = await service.validate(mockSink({ 'tasks.max': 'many', ...under.invalid }));
    expect(problems.map(({ path }) => path.replace(/^mock-[^.]*\.config\./, '')).sort()).toEqual(
      [...Object.keys(under.invalid), 'tasks.max'].sort(),
    );
    expect(await service.validate(mockSink())).toEqual([]);
  });

  test('a connector of ours that is no longer declared is deleted, another one is left alone', async () => {
    const ours = mockSink();
    const theirs = mockSink();
    await apply(ours, theirs);
    const planned = planConnectors([], await service.list(), { removable: new Set([ours.name]) });
    expect(planned.changes).toMatchObject([{ operation: 'delete', name: ours.name }]);
    expect(await applyPlan(service, planned)).toMatchObject([{ failure: null }]);
    expect(await service.read(ours.name)).toBeUndefined();
    expect(await service.read(theirs.name)).toBeDefined();
    await service.delete(ours.name);
  });

  test('many writes at once are all made', async () => {
    const connectors = Array.from({ length: 8 }, () => mockSink());
    await Promise.all(connectors.map((connector) => service.put(connector)));
    const live = await service.list();
    expect(connectors.filter(({ name }) => live.has(name))).toHaveLength(8);
  });

  test('a paused connector is updated and stays paused until it is resumed', async () => {
    const connector = mockSink();
    await apply(connector);
    await service.pause(connector.name);
    expect(await service.read(connector.name)).toMatchObject({
      state: 'PAUSED',
      tasks: [{ state: 'PAUSED' }],
    });
    expect(await apply(changed(connector, { 'errors.log.enable': 'true' }))).toMatchObject([
      { failure: null },
    ]);
    expect((await service.read(connector.name))?.state).toBe('PAUSED');
    await service.resume(connector.name);
    expect((await service.read(connector.name))?.state).not.toBe('PAUSED');
  });

  test('offsets are shown, altered and reset', async () => {
    const connector = mockSink();
    await apply(connector);
    await under.readyForOffsets(connector);
    expect(await service.offsets(connector.name)).toEqual([]);
    const offsets = [{ topic: connector.name, partition: 0, offset: 7 }];
    await service.alterOffsets(connector.name, offsets);
    expect(await service.offsets(connector.name)).toEqual(offsets);
    await service.resetOffsets(connector.name);
    expect(await service.offsets(connector.name)).toEqual([]);
  });

  test('what is asked of a connector that is not there is an error that says so', async () => {
    const verbs = ['pause', 'resume', 'offsets', 'resetOffsets', 'restartFailed', 'restartAll'] as const;
    for (const verb of verbs) {
      await expect(service[verb]('absent')).rejects.toMatchObject({ code: 'CONNECT_NOT_FOUND' });
    }
    expect(await service.read('absent')).toBeUndefined();
  });

  test('an apply that is interrupted stops waiting', async () => {
    const interruption = new AbortController();
    const applying = applyPlan(service, await plan(mockSink()), {
      signal: interruption.signal,
      pace: { settleMs: 60_000 },
      onProgress: () => {
        interruption.abort();
      },
    });
    await expect(applying).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  testChanges(fixture);
}
