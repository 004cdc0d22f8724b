import { describe, expect, it } from 'vitest';
import type { CatalogTopic } from '../../../schemas/catalog.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { rawTableOf } from '../../../schemas/raw-table.ts';
import { folderWith } from './catalog-copy.ts';

/** The payments with one field more, as the catalog has them. */
function paymentsWith(name: string, type: unknown, fallback?: unknown): CatalogTopic {
  const extra = { name, type, doc: `The ${name}.`, ...(fallback === undefined ? {} : { default: fallback }) };
  const folder = folderWith({ schema: (schema) => schema.fields.push(extra) });
  return loadCatalog(folder).topics.find(({ topic }) => topic === 'billing.payments')!;
}

function columnOf(name: string, type: unknown, fallback?: unknown) {
  const { table, problems } = rawTableOf(paymentsWith(name, type, fallback));
  expect(problems).toEqual([]);
  return table.columns.find((column) => column.name === name);
}

const color = { type: 'enum', name: 'Color', doc: 'A color.', symbols: ['red', 'none'], default: 'none' };
const instant = { type: 'long', logicalType: 'timestamp-millis' };
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 12 };

describe('the column of a field', () => {
  it.each<[string, unknown, string, string]>([
    ['remark', 'string', 'LowCardinality(String)', 'ZSTD(1)'],
    ['processor_ref', 'string', 'String', 'ZSTD(1)'],
    ['payer_email', 'string', 'String', 'ZSTD(1)'],
    ['number', 'string', 'String', 'ZSTD(1)'],
    ['color', color, 'LowCardinality(String)', 'ZSTD(1)'],
    ['former_status', 'billing.PaymentStatus', 'LowCardinality(String)', 'ZSTD(1)'],
    ['next_status', 'PaymentStatus', 'LowCardinality(String)', 'ZSTD(1)'],
    ['is_test', 'boolean', 'Bool', 'ZSTD(1)'],
    ['line_count', 'int', 'Int32', 'ZSTD(1)'],
    ['fee_minor', 'long', 'Int64', 'ZSTD(1)'],
    ['score', 'float', 'Float32', 'ZSTD(1)'],
    ['weight', 'double', 'Float64', 'ZSTD(1)'],
    ['settled_at', instant, "DateTime64(3, 'UTC')", 'T64, ZSTD(1)'],
    ['value_date', { type: 'int', logicalType: 'date' }, 'Date32', 'T64, ZSTD(1)'],
    ['rate', decimal, 'Decimal(38, 12)', 'ZSTD(1)'],
  ])('%s of type %j is %s', (name, type, column, codec) => {
    expect(columnOf(name, type)).toEqual({ name, type: column, codec, comment: `The ${name}.` });
  });

  it.each<[string, unknown, string]>([
    ['remark', 'string', 'LowCardinality(Nullable(String))'],
    ['refund_id', 'string', 'Nullable(String)'],
    ['color', color, 'LowCardinality(Nullable(String))'],
    ['line_count', 'int', 'Nullable(Int32)'],
    ['settled_at', instant, "Nullable(DateTime64(3, 'UTC'))"],
    ['rate', decimal, 'Nullable(Decimal(38, 12))'],
  ])('%s of type %j takes null where it is optional: %s', (name, type, column) => {
    expect(columnOf(name, ['null', type], null)).toMatchObject({ type: column, fallback: null });
  });

  it('keeps the default of its field, a decimal as the number it is', () => {
    expect(columnOf('remark', 'string', 'none')?.fallback).toBe('none');
    expect(columnOf('rate', decimal, '\u0001')?.fallback).toBe('0.000000000001');
    expect(columnOf('settled_at', instant, 0)?.fallback).toBe(0);
  });

  it.each<[string, unknown]>([
    ['a list', { type: 'array', items: 'string' }],
    ['a map', { type: 'map', values: 'string' }],
    ['bytes', 'bytes'],
    ['a record', { type: 'record', name: 'Inner', fields: [{ name: 'x', type: 'int' }] }],
    ['a time in microseconds', { type: 'long', logicalType: 'timestamp-micros' }],
    ['a decimal beyond ClickHouse', { type: 'bytes', logicalType: 'decimal', precision: 77, scale: 2 }],
  ])('does not exist for %s, and the problem names the field', (_, type) => {
    const { problems } = rawTableOf(paymentsWith('extra', type));
    expect(problems).toEqual([
      {
        path: expect.stringMatching(/^avro\/billing\.payments\.avsc: fields\[\d+\]\.type$/) as string,
        message: expect.stringContaining('"extra" has a type that no column takes') as string,
      },
    ]);
  });
});

it('the idempotency key is a UUID, and the table is the catalog’s', () => {
  const topic = loadCatalog().topics.find(({ rawTable }) => rawTable === 'raw_payments')!;
  const { table } = rawTableOf(topic);
  expect(table).toMatchObject({
    name: 'raw_payments',
    topic: 'billing.payments',
    key: 'customer_id',
    comment: topic.definition.doc,
  });
  expect(table.columns[0]).toMatchObject({ name: 'event_id', type: 'UUID' });
  expect(table.columns.map(({ name }) => name)).toEqual(topic.fields.map(({ name }) => name));
});
