/** Consecutive offsets of one partition, both ends included. */
export interface OffsetRange {
  first: number;
  last: number;
}

/** Offsets in ascending order, as the fewest ranges. */
export function toRanges(offsets: Iterable<number>): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const offset of offsets) {
    const current = ranges.at(-1);
    if (current?.last === offset - 1) current.last = offset;
    else if (current?.last !== offset) ranges.push({ first: offset, last: offset });
  }
  return ranges;
}

/** Joins neighbours; `ranges` are in ascending order and don't overlap. */
export function joinRanges(ranges: Iterable<OffsetRange>): OffsetRange[] {
  const joined: OffsetRange[] = [];
  for (const { first, last } of ranges) {
    const current = joined.at(-1);
    if (current?.last === first - 1) current.last = last;
    else joined.push({ first, last });
  }
  return joined;
}

/** `ranges` without `offsets`; both ascending. */
export function withoutOffsets(ranges: Iterable<OffsetRange>, offsets: readonly number[]): OffsetRange[] {
  const rest: OffsetRange[] = [];
  let next = 0;
  for (const range of ranges) {
    let first = range.first;
    for (; (offsets[next] ?? Infinity) <= range.last; next++) {
      const offset = offsets[next] ?? Infinity;
      if (offset > first) rest.push({ first, last: offset - 1 });
      if (offset >= first) first = offset + 1;
    }
    if (first <= range.last) rest.push({ first, last: range.last });
  }
  return rest;
}

/** The `offsets` that lie in `ranges`, as ranges; both ascending. */
export function onlyOffsets(ranges: readonly OffsetRange[], offsets: Iterable<number>): OffsetRange[] {
  const inside: number[] = [];
  let next = 0;
  for (const offset of offsets) {
    while ((ranges[next]?.last ?? Infinity) < offset) next++;
    if ((ranges[next]?.first ?? Infinity) <= offset) inside.push(offset);
  }
  return toRanges(inside);
}

export function countOffsets(ranges: Iterable<OffsetRange>): number {
  let count = 0;
  for (const { first, last } of ranges) count += last - first + 1;
  return count;
}

/** `12-40, 77`; at most `limit` ranges, then how many more there are. */
export function formatRanges(ranges: readonly OffsetRange[], limit = Infinity): string {
  const shown = ranges
    .slice(0, limit)
    .map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
  const more = ranges.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more.toLocaleString('en-US')} more` : shown.join(', ');
}
