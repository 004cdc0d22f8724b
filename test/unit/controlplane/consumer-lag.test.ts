import { expect, test } from 'vitest';
import { sumLag } from '../../../controlplane/consumer-lag.ts';

const watermarks = [
  { partition: 0, low: '0', high: '10' },
  { partition: 1, low: '5', high: '8' },
];

test('lag is what is left after the committed offsets, over all partitions', () => {
  expect(
    sumLag(
      watermarks,
      new Map([
        [0, '7'],
        [1, '8'],
      ]),
    ),
  ).toBe(3);
});

test('where nothing is committed, all that retention has left is lag', () => {
  expect(sumLag(watermarks, new Map([[0, '-1']]))).toBe(13);
  expect(
    sumLag(
      watermarks,
      new Map([
        [0, '10'],
        [1, '2'],
      ]),
    ),
  ).toBe(3);
});

test('a committed offset beyond the end of a recreated topic is no negative lag', () => {
  expect(
    sumLag(
      watermarks,
      new Map([
        [0, '99'],
        [1, '8'],
      ]),
    ),
  ).toBe(0);
});
