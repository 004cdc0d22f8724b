import { describe, expect, it } from 'vitest';
import {
  countOffsets,
  formatRanges,
  joinRanges,
  onlyOffsets,
  toRanges,
  withoutOffsets,
  type OffsetRange,
} from '../../../clickhouse/offset-ranges.ts';

const ranges = (...pairs: [first: number, last: number][]): OffsetRange[] =>
  pairs.map(([first, last]) => ({ first, last }));

describe('offset ranges', () => {
  it('are the fewest that hold the offsets', () => {
    expect(toRanges([1, 2, 3, 5, 5, 7, 8])).toEqual(ranges([1, 3], [5, 5], [7, 8]));
    expect(toRanges([])).toEqual([]);
  });

  it('join where they touch', () => {
    expect(joinRanges(ranges([0, 4], [5, 9], [11, 12]))).toEqual(ranges([0, 9], [11, 12]));
  });

  it.each([
    ['the middle', [5], ranges([0, 4], [6, 9])],
    ['the ends', [0, 9], ranges([1, 8])],
    ['neighbours', [3, 4, 5], ranges([0, 2], [6, 9])],
    ['everything', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], []],
    ['nothing', [10, 20], ranges([0, 9])],
  ])('lose offsets at %s', (_, offsets, expected) => {
    expect(withoutOffsets(ranges([0, 9]), offsets)).toEqual(expected);
  });

  it('lose offsets that lie before, between and behind them', () => {
    expect(withoutOffsets(ranges([2, 3], [6, 7]), [0, 2, 4, 5, 7, 8])).toEqual(ranges([3, 3], [6, 6]));
  });

  it('keep only the offsets that are named', () => {
    expect(onlyOffsets(ranges([2, 5], [8, 9]), [0, 3, 4, 6, 9, 12])).toEqual(ranges([3, 4], [9, 9]));
  });

  it('are counted by offset', () => {
    expect(countOffsets(ranges([12, 40], [77, 77]))).toBe(30);
  });

  it('print as first-last, a single offset by itself', () => {
    expect(formatRanges(ranges([12, 40], [77, 77]))).toBe('12-40, 77');
    expect(formatRanges(ranges([1, 1], [3, 3], [5, 5]), 2)).toBe('1, 3 and 1 more');
  });
});
