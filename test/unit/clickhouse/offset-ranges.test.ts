import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commonRanges,
  countOffsets,
  formatRanges,
  lowestOffsets,
  offsetsIn,
  toRanges,
  unitedRanges,
  withoutRanges,
  type OffsetRange,
} from '../../../clickhouse/offset-ranges.ts';

const ranges = (...pairs: [first: number, last: number][]): OffsetRange[] =>
  pairs.map(([first, last]) => ({ first, last }));

describe('offset ranges', () => {
  it('are the fewest that hold the offsets', () => {
    expect(toRanges([1, 2, 3, 5, 5, 7, 8])).toEqual(ranges([1, 3], [5, 5], [7, 8]));
    expect(toRanges([])).toEqual([]);
  });

  it('unite where they overlap or touch, whatever their order', () => {
    expect(unitedRanges(ranges([5, 9], [11, 12]), ranges([0, 4], [8, 8]), [])).toEqual(
      ranges([0, 9], [11, 12]),
    );
  });

  it('give their lowest offsets, the last range cut', () => {
    expect(lowestOffsets(ranges([3, 5], [8, 20]), 5)).toEqual(ranges([3, 5], [8, 9]));
    expect(lowestOffsets(ranges([3, 5]), 0)).toEqual([]);
  });

  it.each([
    ['the middle', ranges([5, 5]), ranges([0, 4], [6, 9])],
    ['the ends', ranges([0, 0], [9, 9]), ranges([1, 8])],
    ['more than there is', ranges([3, 5], [8, Infinity]), ranges([0, 2], [6, 7])],
    ['everything', ranges([0, 9]), []],
    ['nothing', ranges([10, 20]), ranges([0, 9])],
  ])('lose %s', (_, removed, expected) => {
    expect(withoutRanges(ranges([0, 9]), removed)).toEqual(expected);
  });

  it('behave as the sets of their offsets do', () => {
    const set = fc.uniqueArray(fc.integer({ min: 0, max: 60 })).map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [some, others] = [toRanges(a), toRanges(b)];
        expect([...offsetsIn(some)]).toEqual(a);
        expect(withoutRanges(some, others)).toEqual(toRanges(a.filter((offset) => !b.includes(offset))));
        expect(commonRanges(some, others)).toEqual(toRanges(a.filter((offset) => b.includes(offset))));
        expect(unitedRanges(some, others)).toEqual(
          toRanges([...new Set([...a, ...b])].sort((x, y) => x - y)),
        );
        expect(countOffsets(some)).toBe(a.length);
      }),
    );
  });

  it('are counted by offset', () => {
    expect(countOffsets(ranges([12, 40], [77, 77]))).toBe(30);
  });

  it('print as first-last, a single offset by itself', () => {
    expect(formatRanges(ranges([12, 40], [77, 77]))).toBe('12-40, 77');
    expect(formatRanges(ranges([1, 1], [3, 3], [5, 5]), 2)).toBe('1, 3 and 1 more');
  });
});
