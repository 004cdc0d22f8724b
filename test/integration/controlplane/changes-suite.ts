import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { applyPlan } from '../../../controlplane/apply.ts';
import type { DesiredConnector } from '../../../controlplane/connector-config.ts';
import { judge } from '../../../controlplane/health.ts';
import { withMark, withWrittenSecrets } from '../../../controlplane/marks.ts';
import { findConnectors, operate } from '../../../controlplane/operate.ts';
import { hasChanges, planConnectors } from '../../../controlplane/plan.ts';
import { createSecretHash } from '../../../controlplane/secret-hash.ts';
import type { Connection, Fixture } from './service-under-test.ts';

/** Plans and applies one connector in a process of its own; returns the failure, null for none. */
async function applyInAProcess(connection: Connection, connector: DesiredConnector): Promise<string | null> {
  const script = path.join(import.meta.dirname, 'apply-once.ts');
  const asked = JSON.stringify({
    connection,
    connector: { ...connector, secretKeys: [...connector.secretKeys] },
  });
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, asked]);
  return JSON.parse(stdout) as string | null;
}

/** Races, states, rotations, and what is done by hand: the same whatever runs the connectors. */
export function testChanges({ under, mockSink, changed, plan, apply }: Fixture): void {
  test('a connector that was deleted or changed since the plan is left alone; one that is as declared is done', async () => {
    const connector = mockSink();
    const [update, other] = ['1000', '2000'].map((ms) => changed(connector, { 'errors.retry.timeout': ms }));
    const failureOf = async (planned: Awaited<ReturnType<typeof plan>>) =>
      (await applyPlan(under().service, planned, { pace: under().pace }))[0]?.failure;
    await apply(connector);
    const planned = await plan(update!);
    await apply(other!);
    expect(await failureOf(planned)).toBe('it was changed in errors.retry.timeout since the plan was made');
    expect((await under().service.read(connector.name))?.config['errors.retry.timeout']).toBe('2000');
    await apply(update!);
    expect(await failureOf(planned)).toBeNull();
    const last = await plan(connector);
    await under().service.delete(connector.name);
    expect(await failureOf(last)).toBe('it was deleted since the plan was made');
    expect(await under().service.read(connector.name)).toBeUndefined();
    const create = await plan(connector);
    await apply(update!);
    expect(await failureOf(create)).toBe('it was created since the plan was made');
  });

  test('two processes that apply at once end in one consistent state', async () => {
    const mine = mockSink();
    const theirs = changed(mine, { 'errors.retry.timeout': '1000', 'errors.log.enable': 'true' });
    const ends = await Promise.all([mine, theirs].map((one) => applyInAProcess(under().connection, one)));
    const live = (await under().service.read(mine.name))!;
    const winners = [mine, theirs].filter(
      (one) => !hasChanges(planConnectors([one], new Map([[mine.name, live]]))),
    );
    // One of the two as a whole, never a mixture; whoever is overruled is told, or came before.
    expect(winners).toHaveLength(1);
    expect(ends[winners[0] === mine ? 0 : 1]).toBeNull();
    for (const end of ends) {
      if (end !== null) expect(end).toMatch(/since the plan was made|reads back differently|already exists/);
    }
    await apply(mine);
    expect(hasChanges(await plan(mine))).toBe(false);
    expect(judge(await under().service.read(mine.name)).verdict).toBe('healthy');
  });

  test('a declared state is brought about and kept, and without one the operator decides', async () => {
    const connector = mockSink();
    const paused = { ...connector, state: 'paused' } as const;
    expect(await apply(paused)).toMatchObject([{ failure: null }]);
    expect((await under().service.read(connector.name))?.state).toBe('PAUSED');
    expect(hasChanges(await plan(paused))).toBe(false);
    expect(hasChanges(await plan(connector))).toBe(false);
    const running = { ...connector, state: 'running' } as const;
    expect((await plan(running)).changes).toMatchObject([
      { operation: 'update', diff: [], state: { before: 'paused', after: 'running' }, restart: null },
    ]);
    expect(await apply(running)).toMatchObject([{ failure: null }]);
    expect((await under().service.read(connector.name))?.state).toBe('RUNNING');
    if (under().service.stop === undefined) return;
    expect(await apply({ ...connector, state: 'stopped' })).toMatchObject([{ failure: null }]);
    expect(await under().service.read(connector.name)).toMatchObject({ state: 'STOPPED', tasks: [] });
    expect(await apply(running)).toMatchObject([{ failure: null }]);
  });

  test('a rotated secret is seen by its hash, never shown, written and restarted for', async () => {
    const hash = createSecretHash('the key of this test');
    const first = mockSink({ [under().rotates]: 'planted-one' });
    const secretKeys = new Set([...first.secretKeys, under().rotates]);
    const of = (value: string) =>
      withWrittenSecrets({ ...changed(first, { [under().rotates]: value }), secretKeys }, hash);
    const planOf = async (value: string) =>
      planConnectors([of(value)], await under().service.list(), { hash });
    await applyPlan(under().service, await planOf('planted-one'), { pace: under().pace });
    expect(hasChanges(await planOf('planted-one'))).toBe(false);
    const rotation = await planOf('planted-two');
    expect(rotation.changes).toMatchObject([
      {
        operation: 'update',
        restart: 'all',
        diff: [
          {
            key: under().rotates,
            before: `(secret ${hash.of(first.name, under().rotates, 'planted-one')})`,
            after: `(secret ${hash.of(first.name, under().rotates, 'planted-two')})`,
          },
        ],
      },
    ]);
    expect(JSON.stringify(rotation.changes)).not.toContain('planted');
    expect(await applyPlan(under().service, rotation, { pace: under().pace })).toMatchObject([
      { failure: null },
    ]);
    expect(hasChanges(await planOf('planted-two'))).toBe(false);
  });

  test('the mark is accepted, kept and given back', async () => {
    const connector = withMark(mockSink());
    expect(await under().service.validate(connector)).toEqual([]);
    expect(await apply(connector)).toMatchObject([{ failure: null }]);
    expect(hasChanges(await plan(connector))).toBe(false);
  });

  test('by hand: paused, resumed, restarted and deleted, each until it is so', async () => {
    const connector = mockSink();
    await apply(connector);
    const act = async (action: Parameters<typeof operate>[2], allTasks = false) => {
      const found = await findConnectors(under().service, [connector.name, connector.name]);
      return operate(under().service, found, action, { pace: under().pace, allTasks });
    };
    expect(await act('pause')).toMatchObject([{ before: 'RUNNING', after: 'PAUSED', failure: null }]);
    expect(await act('restart')).toMatchObject([{ failure: 'it is paused: resume it instead' }]);
    expect(await act('resume')).toMatchObject([{ before: 'PAUSED', after: 'RUNNING', failure: null }]);
    expect(await act('restart')).toMatchObject([
      { remark: 'nothing of it has failed; --all-tasks restarts what runs', failure: null },
    ]);
    expect(await act('restart', true)).toMatchObject([{ after: 'RUNNING', remark: null, failure: null }]);
    if (under().service.stop === undefined)
      await expect(act('stop')).rejects.toMatchObject({ code: 'STOP_UNSUPPORTED' });
    else expect(await act('stop')).toMatchObject([{ after: 'STOPPED', failure: null }]);
    expect(await act('delete')).toMatchObject([{ after: null, failure: null }]);
    await expect(findConnectors(under().service, [connector.name])).rejects.toMatchObject({
      code: 'UNKNOWN_CONNECTOR',
    });
  });
}
