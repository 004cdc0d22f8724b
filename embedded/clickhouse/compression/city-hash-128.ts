import { mixChunks, stateNames } from './city-hash-state.ts';

const k0 = 0xc3a5c85c97cb3127n;
const k1 = 0xb492b66fbe98f273n;
const k2 = 0x9ae16a3b2f90404fn;
const k3 = 0xc949d7c7509e6557n;

export interface Hash128 {
  low: bigint;
  high: bigint;
}

/**
 * CityHash128 of version 1.0.2, the checksum of ClickHouse's compressed blocks. Later versions of CityHash give
 * other values: see "CityHash" in ClickHouse's documentation of its native protocol.
 */
export function cityHash128(bytes: Uint8Array): Hash128 {
  const length = bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const word = (at: number) => view.getBigUint64(at, true);
  if (length >= 16) return hashWithSeed(view, 16, { low: word(0) ^ k3, high: word(8) });
  if (length >= 8) {
    const seed = { low: word(0) ^ u64(BigInt(length) * k0), high: word(length - 8) ^ k1 };
    return murmur(view, length, seed);
  }
  return murmur(view, 0, { low: k0, high: k1 });
}

function hashWithSeed(view: DataView, start: number, seed: Hash128): Hash128 {
  const length = view.byteLength - start;
  if (length < 128) return murmur(view, start, seed);
  const word = (at: number) => view.getBigUint64(at, true);
  const size = BigInt(length);
  const z0 = u64(size * k1);
  const v1 = u64(rotate(seed.high ^ k1, 49n) * k1 + word(start));
  const initial = {
    x: seed.low,
    y: seed.high,
    z: z0,
    v1,
    v2: u64(rotate(v1, 42n) * k1 + word(start + 8)),
    w1: u64(rotate(u64(seed.high + z0), 35n) * k1 + seed.low),
    w2: u64(rotate(u64(seed.low + word(start + 88)), 53n) * k1),
  };
  // The loop takes two chunks of 64 bytes at a time.
  const tail = length % 128;
  const state = mix(initial, view, start, view.byteLength - tail);
  return finish(state, view, tail);
}

type State = Record<(typeof stateNames)[number], bigint>;

function mix(initial: State, view: DataView, start: number, end: number): State {
  const words = BigUint64Array.from(stateNames, (name) => initial[name]);
  mixChunks(new Int32Array(words.buffer), view, start, end);
  return Object.fromEntries(stateNames.map((name, index) => [name, words[index] ?? 0n])) as State;
}

function finish({ x, y, z, v1, v2, w1, w2 }: State, view: DataView, tail: number): Hash128 {
  y = u64(y + rotate(w1, 37n) * k0 + z);
  x = u64(x + rotate(u64(v1 + z), 49n) * k0);
  // What is left, in pieces of 32 bytes from the end: the last one may overlap what has been hashed.
  for (let done = 32; done < tail + 32; done += 32) {
    const at = view.byteLength - done;
    y = u64(rotate(u64(y - x), 42n) * k0 + v2);
    w1 = u64(w1 + view.getBigUint64(at + 16, true));
    x = u64(rotate(x, 49n) * k0 + w1);
    w1 = u64(w1 + v1);
    [v1, v2] = weakHash(view, at, v1, v2);
  }
  x = hash16(x, v1);
  y = hash16(y, w1);
  return {
    low: u64(hash16(u64(x + v2), w2) + y),
    high: hash16(u64(x + w2), u64(y + v2)),
  };
}

function weakHash(view: DataView, at: number, seedA: bigint, seedB: bigint): [bigint, bigint] {
  const [w, x, y, z] = [0, 8, 16, 24].map((offset) => view.getBigUint64(at + offset, true)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const c = u64(seedA + w);
  const a = u64(c + x + y);
  const b = u64(rotate(u64(seedB + c + z), 21n) + rotate(a, 44n));
  return [u64(a + z), u64(b + c)];
}

/** For fewer than 128 bytes. */
function murmur(view: DataView, start: number, seed: Hash128): Hash128 {
  const length = view.byteLength - start;
  const size = BigInt(length);
  const word = (at: number) => view.getBigUint64(start + at, true);
  let a = seed.low;
  let b = seed.high;
  let c: bigint;
  let d: bigint;
  if (length <= 16) {
    a = u64(shiftMix(u64(a * k1)) * k1);
    c = u64(b * k1 + hashUpTo16(view, start));
    d = shiftMix(u64(a + (length >= 8 ? word(0) : c)));
  } else {
    c = hash16(u64(word(length - 8) + k1), a);
    d = hash16(u64(b + size), u64(c + word(length - 16)));
    a = u64(a + d);
    for (let at = 0; at < length - 16; at += 16) {
      a = u64((a ^ u64(shiftMix(u64(word(at) * k1)) * k1)) * k1);
      b ^= a;
      c = u64((c ^ u64(shiftMix(u64(word(at + 8) * k1)) * k1)) * k1);
      d ^= c;
    }
  }
  a = hash16(a, c);
  b = hash16(d, b);
  return { low: a ^ b, high: hash16(b, a) };
}

function hashUpTo16(view: DataView, start: number): bigint {
  const length = view.byteLength - start;
  const size = BigInt(length);
  if (length > 8) {
    const a = view.getBigUint64(start, true);
    const b = view.getBigUint64(start + length - 8, true);
    return hash16(a, rotate(u64(b + size), size)) ^ b;
  }
  if (length >= 4) {
    const a = BigInt(view.getUint32(start, true));
    return hash16(size + (a << 3n), BigInt(view.getUint32(start + length - 4, true)));
  }
  if (length > 0) {
    const byte = (at: number) => BigInt(view.getUint8(start + at));
    const y = byte(0) + (byte(length >> 1) << 8n);
    const z = size + (byte(length - 1) << 2n);
    return u64(shiftMix(u64(y * k2) ^ u64(z * k3)) * k2);
  }
  return k2;
}

function hash16(low: bigint, high: bigint): bigint {
  const multiplier = 0x9ddfea08eb382d69n;
  const a = shiftMix(u64((low ^ high) * multiplier));
  const b = shiftMix(u64((high ^ a) * multiplier));
  return u64(b * multiplier);
}

function shiftMix(value: bigint): bigint {
  return value ^ (value >> 47n);
}

function rotate(value: bigint, bits: bigint): bigint {
  return u64((value >> bits) | (value << (64n - bits)));
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
