import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { DecimalType } from '../../../schemas/decimal-type.ts';

function decimal(precision: unknown, scale?: unknown): avsc.Type {
  const schema = { type: 'bytes', logicalType: 'decimal', precision, scale } as unknown as avsc.Schema;
  return avsc.Type.forSchema(schema, { logicalTypes: { decimal: DecimalType }, assertLogicalTypes: true });
}

describe('a decimal on the wire', () => {
  const type = decimal(38, 12);

  // Unscaled, as java.math.BigInteger#toByteArray writes it: what every other Avro library expects.
  it.each([
    ['0.000000000000', '00'],
    ['0.000000000001', '01'],
    ['-0.000000000001', 'ff'],
    ['0.000000000127', '7f'],
    ['0.000000000128', '0080'],
    ['-0.000000000128', '80'],
    ['-0.000000000129', 'ff7f'],
    ['0.000000000256', '0100'],
    ['1.082300000000', '00fbfe1b6700'],
    ['152.000000000000', '008a3e42018000'],
    ['99999999999999999999999999.999999999999', '4b3b4ca85a86c47a098a223fffffffff'],
    ['-99999999999999999999999999.999999999999', 'b4c4b357a5793b85f675ddc000000001'],
  ])('is %s as %s', (value, hex) => {
    const bytes = type.toBuffer(value);
    // The first byte is Avro's length of the bytes, zigzag.
    expect(bytes.subarray(1).toString('hex')).toBe(hex);
    expect(type.fromBuffer(bytes)).toBe(value);
  });

  it('may be written with fewer digits than it has', () => {
    expect(type.fromBuffer(type.toBuffer('12'))).toBe('12.000000000000');
    expect(type.fromBuffer(type.toBuffer('-0.5'))).toBe('-0.500000000000');
    expect(decimal(4).fromBuffer(decimal(4).toBuffer('-12'))).toBe('-12');
  });

  it.each([
    ['a number', 1.5],
    ['a digit too many behind the point', '0.0000000000001'],
    ['a digit too many before it', '100000000000000000000000000'],
    ['text', '1e5'],
    ['nothing', ''],
    ['bytes', Buffer.from([1])],
  ])('is never %s', (_, value) => {
    expect(type.isValid(value)).toBe(false);
    expect(() => type.toBuffer(value)).toThrow('invalid');
  });

  it('can be optional, and copied', () => {
    const optional = avsc.Type.forSchema(
      ['null', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }] as unknown as avsc.Schema,
      { logicalTypes: { decimal: DecimalType } },
    );
    expect(optional.fromBuffer(optional.toBuffer(null))).toBeNull();
    expect(optional.fromBuffer(optional.toBuffer('1.25'))).toBe('1.25');
    expect(type.clone('1.25')).toBe('1.250000000000');
  });

  it.each([
    ['no precision', undefined, 2],
    ['a precision of nothing', 0, 0],
    ['a scale beyond its precision', 2, 3],
    ['half a digit', 4.5, 2],
  ])('is refused with %s', (_, precision, scale) => {
    expect(() => decimal(precision, scale)).toThrow(/precision/);
  });

  it('is read with the scale it was written with, and no other', () => {
    expect(type.createResolver(decimal(38, 12))).toBeDefined();
    expect(() => decimal(38, 10).createResolver(type)).toThrow();
  });
});
