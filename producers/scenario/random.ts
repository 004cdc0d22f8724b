/** Anything that can be told apart by 32 bits: an index, a salt, another stream's word. */
type Label = number;

/** A name as a label: FNV-1a. */
export function labelOf(name: string): Label {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

export type RandomState = readonly [number, number, number, number];

/**
 * A stream of random numbers that depends on nothing but its labels: sfc32 (Chris Doty-Humphrey, PractRand),
 * 128 bits of state, so that every customer can have a stream of its own. faker's Mersenne Twister would
 * cost 2.5 KB and 624 steps for each.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Streams with different labels are independent; equal labels give the same numbers. */
  constructor(...labels: readonly Label[]) {
    const [a, b, c] = hash(labels);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    // The generator's own advice: its first outputs still resemble the seed.
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** A stream that goes on where `state` was taken. */
  static resume([a, b, c, counter]: RandomState): Random {
    const random = new Random();
    random.#a = a;
    random.#b = b;
    random.#c = c;
    random.#counter = counter;
    return random;
  }

  /** All there is to a stream; {@link Random.resume} goes on from it. */
  state(): RandomState {
    return [this.#a, this.#b, this.#c, this.#counter];
  }

  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform in [0, 1), in steps of 2^-32. */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** A whole number in [min, max], both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  /** Exponentially distributed: most values are small, some are several times the mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.float());
  }

  /** Log-normally distributed around its median; `spread` is the standard deviation of the logarithm. */
  logNormal(median: number, spread: number): number {
    // Box-Muller; the second of its two numbers is not kept, so that the state stays what state() says.
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return median * Math.exp(spread * radius * Math.cos(2 * Math.PI * this.float()));
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.integer(0, items.length - 1)] ?? items[0];
  }

  draw<T>(table: Weighted<T>): T {
    return valueAt(table, this.float());
  }
}

/** Values with their shares, ready to be drawn from. */
export interface Weighted<T> {
  values: readonly T[];
  /** Sum of the shares up to and including each value; the last one is taken as 1. */
  upTo: readonly number[];
}

export function weighted<T>(entries: readonly (readonly [value: T, share: number])[]): Weighted<T> {
  let sum = 0;
  return { values: entries.map(([value]) => value), upTo: entries.map(([, share]) => (sum += share)) };
}

/** The value whose share covers `fraction`, a number in [0, 1). */
export function valueAt<T>({ values, upTo }: Weighted<T>, fraction: number): T {
  let index = 0;
  while (index < values.length - 1 && fraction >= (upTo[index] ?? 1)) index += 1;
  return values[index] as T;
}

/** Spreads 32 bits over 32 bits, one to one (the finalizer of MurmurHash3). */
export function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hash(labels: readonly Label[]): [number, number, number] {
  let [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
  for (const label of labels) {
    a = mix(a ^ label);
    b = mix(b + Math.imul(label, 0x2545f491) + a);
    c = mix(c ^ b ^ Math.imul(label, 0x6c078965));
  }
  return [a, b, c];
}
