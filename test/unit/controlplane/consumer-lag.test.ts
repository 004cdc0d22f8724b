import { expect, test } from 'vitest';
import { sumLag } from '../../../controlplane/consumer-lag.ts';

const orders = {
  topic: 'orders',
  partitions: [
    { partition: 0, low: 0, high: 10 },
    { partition: 1, low: 5, high: 8 },
  ],
};
const items = { topic: 'items', partitions: [{ partition: 0, low: 0, high: 4 }] };

function lag(committed: Record<string, number>): number {
  return sumLag([orders, items], new Map(Object.entries(committed)));
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
