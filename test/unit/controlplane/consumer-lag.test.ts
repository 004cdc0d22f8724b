import { expect, test } from 'vitest';
import { measure } from '../../../controlplane/consumer-lag.ts';

const orders = {
  topic: 'orders',
  partitions: [
    { partition: 0, low: 0, high: 10 },
    { partition: 1, low: 5, high: 8 },
  ],
};
const items = { topic: 'items', partitions: [{ partition: 0, low: 0, high: 4 }] };

function lag(committed: Record<string, number>): number {
  const measured = measure([orders, items], new Map(Object.entries(committed)));
  return measured.reduce((sum, partition) => sum + partition.lag, 0);
}

test('lag is what is left after the committed offsets, over all partitions of all topics', () => {
  expect(lag({ 'orders/0': 7, 'orders/1': 8, 'items/0': 4 })).toBe(3);
});

test('where nothing is committed, all that retention has left is lag', () => {
  expect(lag({ 'orders/0': -1 })).toBe(10 + 3 + 4);
  expect(lag({ 'orders/0': 10, 'orders/1': 2, 'items/0': 4 })).toBe(3);
});

test('a committed offset beyond the end of a recreated topic is no negative lag', () => {
  expect(lag({ 'orders/0': 99, 'orders/1': 8, 'items/0': 4 })).toBe(0);
});

test('each partition says what it has committed and where it ends', () => {
  expect(measure([items], new Map([['items/0', 3]]))).toEqual([
    { topic: 'items', partition: 0, committed: 3, end: 4, lag: 1 },
  ]);
  expect(measure([items], new Map())).toMatchObject([{ committed: -1, lag: 4 }]);
});
