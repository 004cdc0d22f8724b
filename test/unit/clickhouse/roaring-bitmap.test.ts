import { expect, it } from 'vitest';
import { forEachRun } from '../../../clickhouse/roaring-bitmap.ts';

function runsOf(state: Buffer): [number, number][] {
  const runs: [number, number][] = [];
  forEachRun(state, (first, last) => runs.push([first, last]));
  return runs;
}

/** States as ClickHouse 26 wrote them; the integration tests compare many more with the engine itself. */
it.each([
  [
    'five numbers in plain',
    '000500000000000000000100000000000000020000000000000003000000000000000400000000000000',
    [[0, 4]],
  ],
  ['nothing', '0000', []],
  ['a hundred in a row', '011B0100000000000000000000003B3000000100006300010000006300', [[0, 99]]],
])('%s', (_, hex, expected) => {
  expect(runsOf(Buffer.from(hex, 'hex'))).toEqual(expected);
});

it('numbers in plain come in any order', () => {
  const state = Buffer.alloc(2 + 3 * 8);
  state[1] = 3;
  [7n, 2n, 3n].forEach((value, index) => state.writeBigUInt64LE(value, 2 + index * 8));
  expect(runsOf(state)).toEqual([
    [2, 3],
    [7, 7],
  ]);
});

it.each([
  ['nothing at all', ''],
  ['another kind', '05'],
  ['another cookie', '011B010000000000000000000000AAAA00000100006300010000006300'],
  ['half of it', '011B0100000000000000000000003B30000001000063'],
])('%s is refused', (_, hex) => {
  expect(() => runsOf(Buffer.from(hex, 'hex'))).toThrow(
    expect.objectContaining({ code: 'CLICKHOUSE_BITMAP' }),
  );
});
