import { expect, test } from 'vitest';
import { hasChanges, planConnectors } from '../../../controlplane/plan.ts';
import { withWrittenSecrets } from '../../../controlplane/marks.ts';
import { createSecretHash } from '../../../controlplane/secret-hash.ts';
import { desired, live, task } from './fixtures.ts';

function plan(
  wanted: Parameters<typeof planConnectors>[0],
  there: readonly ReturnType<typeof live>[],
  removable: readonly string[] = [],
) {
  return planConnectors(wanted, new Map(there.map((one) => [one.name, one])), {
    removable: new Set(removable),
  });
}

test('a connector that is not there is created with every key', () => {
  const { changes } = plan([desired('a', { topics: 't', 'tasks.max': '1' })], []);
  expect(changes).toEqual([
    {
      operation: 'create',
      name: 'a',
      state: null,
      restart: null,
      leftOut: [],
      diff: [
        { key: 'tasks.max', before: null, after: '1' },
        { key: 'topics', before: null, after: 't' },
      ],
    },
  ]);
});

test('an update shows each key that is added, changed or removed, and no other', () => {
  const before = live('a', { same: '1', changed: '1', removed: '1' });
  expect(plan([desired('a', { same: '1', changed: '2', added: '2' })], [before]).changes[0]).toMatchObject({
    operation: 'update',
    diff: [
      { key: 'added', before: null, after: '2' },
      { key: 'changed', before: '1', after: '2' },
      { key: 'removed', before: '1', after: null },
    ],
  });
});

test('equal configurations are no change, whatever the order of their keys', () => {
  const result = plan([desired('a', { x: '1', y: '2' })], [live('a', { y: '2', x: '1' })]);
  expect(result.changes).toMatchObject([{ operation: 'none', diff: [] }]);
  expect(hasChanges(result)).toBe(false);
});

test('a rotated secret is seen and never shown, marked or not', () => {
  const before = live('a', { password: 'old-one', url: 'x?p=old-two' });
  const result = plan([desired('a', { password: 'new-one', url: 'x?p=new-two' }, ['url'])], [before]);
  expect(result.changes[0]?.diff).toEqual([
    { key: 'password', before: '(secret)', after: '(secret)' },
    { key: 'url', before: '(secret)', after: '(secret)' },
  ]);
  expect(JSON.stringify(result.changes)).not.toMatch(/old-|new-/);
});

test('what failed is restarted after its update, and only then', () => {
  const failedTask = live('a', { x: '1' }, 'RUNNING', [task(0, 'RUNNING'), task(1, 'FAILED', 'boom')]);
  const restarts = (x: string, there: ReturnType<typeof live>) =>
    plan([desired('a', { x })], [there]).changes[0]?.restart;
  expect(restarts('2', failedTask)).toBe('failed');
  expect(restarts('2', live('a', { x: '1' }, 'FAILED', []))).toBe('failed');
  expect(restarts('2', live('a', { x: '1' }))).toBeNull();
  expect(restarts('1', failedTask)).toBeNull();
});

test('an undeclared connector is left alone unless it is ours to remove', () => {
  const there = [live('ours', { password: 'pa55' }), live('theirs', { x: '1' })];
  expect(plan([], there).changes).toEqual([]);
  expect(plan([], there, ['ours', 'gone']).changes).toEqual([
    {
      operation: 'delete',
      name: 'ours',
      state: null,
      restart: null,
      leftOut: [],
      diff: [{ key: 'password', before: '(secret)', after: null }],
    },
  ]);
});

test('changes come in the order of their names', () => {
  const { changes } = plan([desired('c', {}), desired('a', {})], [live('b')], ['b']);
  expect(changes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test('a declared state is part of the plan, and a state that nobody declared is left to whoever operates', () => {
  const paused = live('a', {}, 'PAUSED', [task(0, 'PAUSED')]);
  const change = (state: 'running' | 'paused' | 'stopped', there?: ReturnType<typeof live>) =>
    plan(
      [{ ...desired('a', { x: '1' }), state }],
      there === undefined ? [] : [{ ...there, config: { x: '1' } }],
    ).changes[0];
  expect(change('running', paused)).toMatchObject({
    operation: 'update',
    diff: [],
    state: { before: 'paused', after: 'running' },
  });
  expect(change('stopped', paused)).toMatchObject({ state: { before: 'paused', after: 'stopped' } });
  expect(change('paused', paused)).toMatchObject({ operation: 'none', state: null });
  expect(change('paused')).toMatchObject({ operation: 'create', state: { before: null, after: 'paused' } });
  expect(change('running')).toMatchObject({ operation: 'create', state: null });
  expect(plan([desired('a', {})], [paused]).changes).toMatchObject([{ operation: 'none', state: null }]);
});

test('a rotated secret restarts everything, but nothing that is paused or is to be', () => {
  const secret = (value: string) => desired('a', { password: value });
  const running = live('a', { password: 'old' });
  expect(plan([secret('new')], [running]).changes[0]?.restart).toBe('all');
  expect(plan([{ ...secret('new'), state: 'paused' }], [running]).changes[0]?.restart).toBeNull();
  expect(plan([secret('new')], [live('a', { password: 'old' }, 'PAUSED')]).changes[0]?.restart).toBeNull();
});

test('secrets are shown by their keyed hashes: the same one alike, another one otherwise', () => {
  const options = { hash: createSecretHash('the key of the test') };
  const diff = (before: string, after: string) =>
    planConnectors(
      [desired('a', { password: after })],
      new Map([['a', live('a', { password: before })]]),
      options,
    ).changes[0]?.diff[0];
  const [first, second] = [diff('one', 'two'), diff('two', 'three')];
  expect(first?.before).toMatch(/^\(secret [0-9a-f]{12}\)$/);
  expect(first?.after).toBe(second?.before);
  expect(first?.before).not.toBe(first?.after);
  expect(options.hash.of('a', 'password', 'one')).not.toBe(
    createSecretHash('another').of('a', 'password', 'one'),
  );
});

test('a secret that is withheld is compared by what was written last, with the same key only', () => {
  const hash = createSecretHash('the key of the test');
  const secret = (value: string, by = hash) =>
    withWrittenSecrets(desired('a', { password: value, x: '1' }), by);
  const there = live('a', { ...secret('one').config, password: '****************' });
  const changesTo = (wanted: ReturnType<typeof secret>, rewriteSecrets = false) =>
    planConnectors([wanted], new Map([['a', there]]), { hash, rewriteSecrets }).changes[0];
  expect(changesTo(secret('one'))).toMatchObject({ operation: 'none' });
  expect(changesTo(secret('one'), true)).toMatchObject({ operation: 'update', restart: 'all' });
  expect(changesTo(secret('two'))).toMatchObject({
    operation: 'update',
    restart: 'all',
    diff: [
      {
        key: 'password',
        before: `(secret ${hash.of('a', 'password', 'one')})`,
        after: `(secret ${hash.of('a', 'password', 'two')})`,
      },
    ],
  });
  // Made on another machine: nothing can be said, and nothing flaps.
  expect(changesTo(secret('two', createSecretHash('another')))).toMatchObject({ operation: 'none' });
});
