import { expect, test } from 'vitest';
import { hasChanges, planConnectors } from '../../../controlplane/plan.ts';
import { desired, live, task } from './fixtures.ts';

function plan(
  wanted: Parameters<typeof planConnectors>[0],
  there: readonly ReturnType<typeof live>[],
  removable: readonly string[] = [],
) {
  return planConnectors(wanted, new Map(there.map((one) => [one.name, one])), new Set(removable));
}

test('a connector that is not there is created with every key', () => {
  const { changes } = plan([desired('a', { topics: 't', 'tasks.max': '1' })], []);
  expect(changes).toEqual([
    {
      operation: 'create',
      name: 'a',
      restartFailed: false,
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
    plan([desired('a', { x })], [there]).changes[0]?.restartFailed;
  expect(restarts('2', failedTask)).toBe(true);
  expect(restarts('2', live('a', { x: '1' }, 'FAILED', []))).toBe(true);
  expect(restarts('2', live('a', { x: '1' }))).toBe(false);
  expect(restarts('1', failedTask)).toBe(false);
});

test('an undeclared connector is left alone unless it is ours to remove', () => {
  const there = [live('ours', { password: 'pa55' }), live('theirs', { x: '1' })];
  expect(plan([], there).changes).toEqual([]);
  expect(plan([], there, ['ours', 'gone']).changes).toEqual([
    {
      operation: 'delete',
      name: 'ours',
      restartFailed: false,
      leftOut: [],
      diff: [{ key: 'password', before: '(secret)', after: null }],
    },
  ]);
});

test('changes come in the order of their names', () => {
  const { changes } = plan([desired('c', {}), desired('a', {})], [live('b')], ['b']);
  expect(changes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});
