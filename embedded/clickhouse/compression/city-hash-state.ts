/**
 * The inner loop of CityHash128, which is where all the time goes.
 *
 * JavaScript has no fast 64-bit integers: BigInt does 65 MB/s here, halves of 32 bits do 290 MB/s. A function
 * that makes a 64-bit value returns its low half and leaves the high one in `high`.
 */
let high = 0;

function add(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  const low = (aLow + bLow) | 0;
  high = (aHigh + bHigh + (low >>> 0 < aLow >>> 0 ? 1 : 0)) | 0;
  return low;
}

/** Times k1 of CityHash, 0xb492b66fbe98f273. */
function multiplyByK1(low: number, highHalf: number): number {
  const k1Low = 0xbe98f273 | 0;
  const k1High = 0xb492b66f | 0;
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const low0 = Math.imul(a0, 0xf273) >>> 0;
  const middle1 = Math.imul(a1, 0xf273) >>> 0;
  const middle2 = Math.imul(a0, 0xbe98) >>> 0;
  const carry = (low0 >>> 16) + (middle1 & 0xffff) + (middle2 & 0xffff);
  const upper = Math.imul(a1, 0xbe98) + (middle1 >>> 16) + (middle2 >>> 16) + (carry >>> 16);
  high = (upper + Math.imul(low, k1High) + Math.imul(highHalf, k1Low)) | 0;
  return (carry << 16) | (low0 & 0xffff);
}

/** Rotates to the right by fewer than 32 bits. */
function rotate(low: number, highHalf: number, bits: number): number {
  high = (highHalf >>> bits) | (low << (32 - bits));
  return (low >>> bits) | (highHalf << (32 - bits));
}

/** Rotates to the right by 32 to 63 bits, of which `bits` are those beyond 32 (more than none). */
function rotateOver32(low: number, highHalf: number, bits: number): number {
  return rotate(highHalf, low, bits);
}

/** The names of the state's seven values, in their order. */
export const stateNames = ['x', 'y', 'z', 'v1', 'v2', 'w1', 'w2'] as const;

/**
 * Mixes the chunks of 64 bytes from `start` to `end` into the state.
 *
 * @param state each of {@link stateNames} as its low and its high half
 */
export function mixChunks(state: Int32Array, view: DataView, start: number, end: number): void {
  const word = (at: number) => view.getInt32(at, true);
  let [xL = 0, xH = 0, yL = 0, yH = 0, zL = 0, zH = 0] = state.subarray(0, 6);
  let [v1L = 0, v1H = 0, v2L = 0, v2H = 0, w1L = 0, w1H = 0, w2L = 0, w2H = 0] = state.subarray(6);
  for (let at = start; at < end; at += 64) {
    let low = add(xL, xH, yL, yH);
    low = add(low, high, v1L, v1H);
    low = add(low, high, word(at + 16), word(at + 20));
    low = rotateOver32(low, high, 37 - 32);
    xL = multiplyByK1(low, high) ^ w2L;
    xH = high ^ w2H;

    low = add(yL, yH, v2L, v2H);
    low = add(low, high, word(at + 48), word(at + 52));
    low = rotateOver32(low, high, 42 - 32);
    yL = multiplyByK1(low, high) ^ v1L;
    yH = high ^ v1H;

    zL = rotateOver32(zL ^ w1L, zH ^ w1H, 33 - 32);
    zH = high;

    // v = weakHash(first half of the chunk, v2 * k1, x + w1)
    low = multiplyByK1(v2L, v2H);
    let aL = add(low, high, word(at), word(at + 4));
    let aH = high;
    let cL = aL;
    let cH = aH;
    low = add(xL, xH, w1L, w1H);
    low = add(low, high, aL, aH);
    low = add(low, high, word(at + 24), word(at + 28));
    let bL = rotate(low, high, 21);
    let bH = high;
    aL = add(aL, aH, word(at + 8), word(at + 12));
    aL = add(aL, high, word(at + 16), word(at + 20));
    aH = high;
    low = rotateOver32(aL, aH, 44 - 32);
    bL = add(bL, bH, low, high);
    v2L = add(bL, high, cL, cH);
    v2H = high;
    v1L = add(aL, aH, word(at + 24), word(at + 28));
    v1H = high;

    // w = weakHash(second half of the chunk, z + w2, y)
    low = add(zL, zH, w2L, w2H);
    aL = add(low, high, word(at + 32), word(at + 36));
    aH = high;
    cL = aL;
    cH = aH;
    low = add(yL, yH, aL, aH);
    low = add(low, high, word(at + 56), word(at + 60));
    bL = rotate(low, high, 21);
    bH = high;
    aL = add(aL, aH, word(at + 40), word(at + 44));
    aL = add(aL, high, word(at + 48), word(at + 52));
    aH = high;
    low = rotateOver32(aL, aH, 44 - 32);
    bL = add(bL, bH, low, high);
    w2L = add(bL, high, cL, cH);
    w2H = high;
    w1L = add(aL, aH, word(at + 56), word(at + 60));
    w1H = high;

    [xL, zL] = [zL, xL];
    [xH, zH] = [zH, xH];
  }
  state.set([xL, xH, yL, yH, zL, zH, v1L, v1H, v2L, v2H, w1L, w1H, w2L, w2H]);
}
