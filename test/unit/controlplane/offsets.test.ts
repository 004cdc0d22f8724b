import { expect, test } from 'vitest';
import { positions } from '../../../controlplane/offsets.ts';

const topic = (name: string, ...bounds: [low: number, high: number][]) => ({
  topic: name,
  partitions: bounds.map(([low, high], partition) => ({ partition, low, high })),
  compacted: false,
});

test('every partition is shown, what was committed as well as what was not, in order', () => {
  const committed = [
    { topic: 'b', partition: 1, offset: 7 },
    { topic: 'gone', partition: 0, offset: 3 },
  ];
  expect(positions(committed, [topic('b', [2, 10], [0, 9]), topic('a', [0, 0])])).toEqual([
    { topic: 'a', partition: 0, offset: null, end: 0, lag: 0 },
    { topic: 'b', partition: 0, offset: null, end: 10, lag: 8 },
    { topic: 'b', partition: 1, offset: 7, end: 9, lag: 2 },
    { topic: 'gone', partition: 0, offset: 3, end: null, lag: null },
  ]);
});

test('what retention removed before it was read is no lag', () => {
  expect(positions([{ topic: 'a', partition: 0, offset: 2 }], [topic('a', [5, 6])])).toMatchObject([
    { lag: 1 },
  ]);
});
