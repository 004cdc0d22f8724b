import { PipelineError } from '../core/errors.ts';

/**
 * Reads the state of ClickHouse's groupBitmap over UInt64, as `CAST(state, 'String')` gives it: a few numbers in
 * plain, or a Roaring bitmap of 64 bits in its portable form (https://github.com/RoaringBitmap/RoaringFormatSpec).
 * A run of consecutive offsets takes four bytes there, whatever its length, so that what landed of a hundred million
 * records travels as some kilobytes.
 *
 * @param visit called for each run in ascending order, neighbours joined; both ends included
 * @throws PipelineError `CLICKHOUSE_BITMAP` for bytes that are no such state
 */
export function forEachRun(state: Buffer, visit: (first: number, last: number) => void): void {
  const runs = new RunJoiner(visit);
  try {
    const kind = state.readUInt8(0);
    if (kind === smallKind) readSmallSet(state, runs);
    else if (kind === bitmapKind) readBitmap(state, runs);
    else throw new RangeError(`kind ${kind}`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PipelineError('CLICKHOUSE_BITMAP', {
      what: `ClickHouse gave a bitmap that cannot be read (${error.message})`,
      todo: 'Report it with the version of the server.',
      cause: error,
    });
  }
  runs.end();
}

const smallKind = 0;
const bitmapKind = 1;

const noRunCookie = 12_346;
const runCookie = 12_347;
/** A container with more values is a bitmap of 2^16 bits, one with fewer a list. */
const maxListed = 4096;
const containerSize = 65_536;
const bitmapBytes = containerSize / 8;
/** A bitmap with runs leaves the containers' places out when it has fewer than this many of them. */
const noPlacesBelow = 4;

class RunJoiner {
  readonly #visit: (first: number, last: number) => void;
  #first = -1;
  #last = -2;

  constructor(visit: (first: number, last: number) => void) {
    this.#visit = visit;
  }

  add(first: number, last: number): void {
    if (first === this.#last + 1 && this.#first >= 0) {
      this.#last = last;
      return;
    }
    this.end();
    this.#first = first;
    this.#last = last;
  }

  end(): void {
    if (this.#first >= 0) this.#visit(this.#first, this.#last);
    this.#first = -1;
  }
}

/** Up to 32 values, in the order in which they came. */
function readSmallSet(state: Buffer, runs: RunJoiner): void {
  const values = Array.from({ length: state.readUInt8(1) }, (_, index) =>
    Number(state.readBigUInt64LE(2 + index * 8)),
  );
  for (const value of values.sort((a, b) => a - b)) runs.add(value, value);
}

function readBitmap(state: Buffer, runs: RunJoiner): void {
  // The length of the rest comes first, seven bits in a byte.
  let at = 1;
  while (state.readUInt8(at) >= 0x80) at += 1;
  at += 1;
  const upperHalves = Number(state.readBigUInt64LE(at));
  at += 8;
  for (let index = 0; index < upperHalves; index += 1) {
    const base = state.readUInt32LE(at) * 2 ** 32;
    at = readLowerHalf(state, at + 4, base, runs);
  }
}

/** Reads a Roaring bitmap of 32 bits; returns where it ends. */
function readLowerHalf(state: Buffer, start: number, base: number, runs: RunJoiner): number {
  let at = start;
  const cookie = state.readUInt32LE(at);
  at += 4;
  const hasRuns = (cookie & 0xffff) === runCookie;
  if (!hasRuns && cookie !== noRunCookie) throw new RangeError(`cookie ${cookie}`);
  const size = hasRuns ? (cookie >>> 16) + 1 : state.readUInt32LE(at);
  if (!hasRuns) at += 4;
  const flags = at;
  if (hasRuns) at += Math.ceil(size / 8);
  const keys = at;
  at += size * 4;
  if (!hasRuns || size >= noPlacesBelow) at += size * 4;
  for (let index = 0; index < size; index += 1) {
    const from = base + state.readUInt16LE(keys + index * 4) * containerSize;
    const count = state.readUInt16LE(keys + index * 4 + 2) + 1;
    const isRuns = hasRuns && (state.readUInt8(flags + (index >> 3)) & (1 << (index & 7))) !== 0;
    if (isRuns) at = readRuns(state, at, from, runs);
    else if (count <= maxListed) at = readList(state, at, { from, count }, runs);
    else at = readBits(state, at, from, runs);
  }
  return at;
}

function readRuns(state: Buffer, start: number, from: number, runs: RunJoiner): number {
  const count = state.readUInt16LE(start);
  const end = start + 2 + count * 4;
  for (let at = start + 2; at < end; at += 4) {
    const first = from + state.readUInt16LE(at);
    runs.add(first, first + state.readUInt16LE(at + 2));
  }
  return end;
}

function readList(
  state: Buffer,
  start: number,
  { from, count }: { from: number; count: number },
  runs: RunJoiner,
): number {
  const end = start + count * 2;
  for (let at = start; at < end; at += 2) {
    const value = from + state.readUInt16LE(at);
    runs.add(value, value);
  }
  return end;
}

/** 32 bits at a time, and of those one run of ones at a time. */
function readBits(state: Buffer, start: number, from: number, runs: RunJoiner): number {
  for (let word = 0; word < bitmapBytes / 4; word += 1) {
    let bits = state.readUInt32LE(start + word * 4);
    const base = from + word * 32;
    if (bits === 0xffffffff) {
      runs.add(base, base + 31);
      continue;
    }
    while (bits !== 0) {
      const first = 31 - Math.clz32(bits & -bits);
      // Of the shifted bits the lowest zero ends the run.
      const length = 31 - Math.clz32(~(bits >>> first) & -~(bits >>> first));
      runs.add(base + first, base + first + length - 1);
      bits = first + length === 32 ? 0 : bits & (-1 << (first + length));
    }
  }
  return start + bitmapBytes;
}
