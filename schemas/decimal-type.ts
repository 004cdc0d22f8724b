import avsc, { type Schema, type Type } from 'avsc';

/**
 * Avro's decimal logical type on bytes: a record carries a string such as `-12.5`, the wire carries the unscaled
 * number as big-endian two's complement (Avro specification, "Decimal"). A string, because a double loses the
 * last of 38 digits and a bigint cannot be written as JSON.
 *
 * @throws RangeError where the schema's precision and scale make no sense
 */
export class DecimalType extends avsc.types.LogicalType {
  readonly #scale: number;
  /** The first unscaled number with a digit too many. */
  readonly #limit: bigint;

  constructor(schema: Schema, options?: unknown) {
    super(schema, options);
    const { precision, scale = 0 } = schema as { precision?: unknown; scale?: unknown };
    if (!isCount(precision) || precision === 0) throw new RangeError('a decimal needs its precision');
    if (!isCount(scale) || scale > precision)
      throw new RangeError('the scale of a decimal exceeds its precision');
    this.#scale = scale;
    this.#limit = 10n ** BigInt(precision);
  }

  /** Undefined, which avsc reports as an invalid value, for anything but a decimal that fits. */
  protected override _toValue(value: unknown): Buffer | undefined {
    const match = typeof value === 'string' ? /^(-?)(\d+)(?:\.(\d+))?$/.exec(value) : null;
    if (match === null) return undefined;
    const [, sign, whole = '', fraction = ''] = match;
    if (fraction.length > this.#scale) return undefined;
    const magnitude = BigInt(whole + fraction.padEnd(this.#scale, '0'));
    if (magnitude >= this.#limit) return undefined;
    return bytesOf(sign === '-' ? -magnitude : magnitude);
  }

  protected override _fromValue(bytes: Buffer): string {
    const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x0${bytes.toString('hex')}`));
    const sign = unscaled < 0n ? '-' : '';
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(this.#scale + 1, '0');
    const point = digits.length - this.#scale;
    return this.#scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  }

  /** Read as it was written: another scale would be another number. */
  protected override _resolve(type: Type): ((value: string) => string) | undefined {
    return type instanceof DecimalType && type.#scale === this.#scale ? (value) => value : undefined;
  }
}

/** The fewest bytes that hold the number and its sign. */
function bytesOf(unscaled: bigint): Buffer {
  const magnitude = unscaled < 0n ? ~unscaled : unscaled;
  const length = Math.floor(magnitude.toString(2).length / 8) + 1;
  const hex = BigInt.asUintN(length * 8, unscaled).toString(16);
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex');
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
