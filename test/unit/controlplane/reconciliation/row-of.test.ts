import { describe, expect, it } from 'vitest';
import { whyOnlyTheSink } from '../../../../controlplane/reconciliation/repeatable.ts';
import { rowOf } from '../../../../controlplane/reconciliation/row-of.ts';
import type { AvroType } from '../../../../schemas/read-schema.ts';

const coordinates = { topic: 'billing.payments', partition: 3, offset: 77, timestampMs: 1_700_000_000_123 };
const place = {
  kafka_topic: 'billing.payments',
  kafka_partition: 3,
  kafka_offset: 77,
  kafka_timestamp: '2023-11-14T22:13:20.123Z',
};
const millis = { type: 'long', logicalType: 'timestamp-millis' };
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 2 };
const row = (type: AvroType, value: unknown) =>
  rowOf({ fields: [{ name: 'f', type }] }, { f: value }, coordinates);

describe('the row of a record', () => {
  it.each<[string, AvroType, unknown, unknown]>([
    ['text', 'string', 'a', 'a'],
    ['a number', 'int', -5, -5],
    ['a fraction', 'double', 1.5, 1.5],
    ['what is no number', 'double', NaN, 'nan'],
    ['more than any number', 'float', Infinity, 'inf'],
    ['less than any number', 'float', -Infinity, '-inf'],
    ['a truth', 'boolean', false, false],
    ['null', ['null', 'string'], null, null],
    ['an optional time', ['null', millis], 0, '1970-01-01T00:00:00.000Z'],
    ['a time before 1970', millis, -1, '1969-12-31T23:59:59.999Z'],
    ['a day', { type: 'int', logicalType: 'date' }, 19_675, '2023-11-14'],
    ['a decimal', decimal, '-12.50', '-12.50'],
    ['a symbol', { type: 'enum', name: 'S', symbols: ['a'] }, 'a', 'a'],
    ['a symbol of a type defined before', 'billing.S', 'a', 'a'],
    ['a UUID', { type: 'string', logicalType: 'uuid' }, 'u', 'u'],
  ])('has %s as ClickHouse reads it from JSON', (_, type, value, expected) => {
    expect(row(type, value)).toEqual({ f: expected, ...place });
  });

  it.each<[string, AvroType, unknown]>([
    ['bytes', 'bytes', Buffer.from('x')],
    ['a list', { type: 'array', items: 'int' }, [1]],
    ['a record', { type: 'record', name: 'R', fields: [] }, {}],
    ['microseconds', { type: 'long', logicalType: 'timestamp-micros' }, 1],
    ['a field that the record lacks', 'string', undefined],
  ])('is refused for %s, because only the sink knows', (_, type, value) => {
    expect(row(type, value)).toBe('the field f has a type that only the sink can write');
  });
});

describe('a topic', () => {
  const declaration = (transforms: Record<string, string>) => ({
    name: 'core',
    config: {
      topics: 'a, b',
      transforms: Object.keys(transforms).join(','),
      ...Object.fromEntries(
        Object.entries(transforms).map(([alias, type]) => [`transforms.${alias}.type`, type]),
      ),
    },
  });
  const smt = (name: string) => `org.apache.kafka.connect.transforms.${name}$Value`;

  it('can be repaired where its connector adds coordinates and casts numbers', () => {
    const one = declaration({ coordinates: smt('InsertField'), wider: smt('Cast') });
    expect(whyOnlyTheSink([one], 'b')).toBeUndefined();
    expect(whyOnlyTheSink([declaration({})], 'a')).toBeUndefined();
  });

  it('cannot where it does more, unless that connector reads other topics', () => {
    const one = declaration({ coordinates: smt('InsertField'), hide: smt('MaskField') });
    expect(whyOnlyTheSink([one], 'a')).toBe(
      'core changes its records by MaskField$Value, which only Connect can do',
    );
    expect(whyOnlyTheSink([one], 'c')).toBeUndefined();
  });
});
