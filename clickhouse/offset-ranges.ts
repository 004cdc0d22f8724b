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

/** What is in `ranges` and not in `removed`; both ascending, and neither overlaps itself. */
export function withoutRanges(ranges: Iterable<OffsetRange>, removed: readonly OffsetRange[]): OffsetRange[] {
  const rest: OffsetRange[] = [];
  let next = 0;
  for (const { first, last } of ranges) {
    let from = first;
    while ((removed[next]?.last ?? Infinity) < from) next += 1;
    for (let at = next; from <= last; at += 1) {
      const hole = removed[at];
      if (hole === undefined || hole.first > last) break;
      if (hole.first > from) rest.push({ first: from, last: hole.first - 1 });
      from = hole.last + 1;
    }
    if (from <= last) rest.push({ first: from, last });
  }
  return rest;
}

/** What is in both; both ascending, and neither overlaps itself. */
export function commonRanges(ranges: readonly OffsetRange[], others: readonly OffsetRange[]): OffsetRange[] {
  return withoutRanges(ranges, withoutRanges(ranges, others));
}

/** What is in either, as the fewest ranges. */
export function unitedRanges(...lists: readonly (readonly OffsetRange[])[]): OffsetRange[] {
  const united: OffsetRange[] = [];
  for (const { first, last } of lists.flat().sort((a, b) => a.first - b.first)) {
    const current = united.at(-1);
    if (current !== undefined && first <= current.last + 1) current.last = Math.max(current.last, last);
    else united.push({ first, last });
  }
  return united;
}

/** The lowest ranges that hold at most `limit` offsets together; the last one may be cut. */
export function lowestOffsets(ranges: Iterable<OffsetRange>, limit: number): OffsetRange[] {
  const lowest: OffsetRange[] = [];
  let left = limit;
  for (const { first, last } of ranges) {
    if (left <= 0) break;
    const end = Math.min(last, first + left - 1);
    lowest.push({ first, last: end });
    left -= end - first + 1;
  }
  return lowest;
}

/** Each offset by itself. */
export function* offsetsIn(ranges: Iterable<OffsetRange>): Generator<number> {
  for (const { first, last } of ranges) for (let at = first; at <= last; at += 1) yield at;
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
