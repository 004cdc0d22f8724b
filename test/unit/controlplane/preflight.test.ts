import { expect, test } from 'vitest';
import { findTableProblems } from '../../../controlplane/preflight.ts';
import { desired } from './fixtures.ts';

const coordinates = ['kafka_topic', 'kafka_partition', 'kafka_offset', 'kafka_timestamp'];
const topics = [
  { topic: 'shop.orders', fields: [{ name: 'id' }, { name: 'total_minor' }] },
  { topic: 'shop.items', fields: [{ name: 'id' }] },
];
const connector = desired('shop', {
  topics: 'shop.orders, shop.items',
  topic2TableMap: 'shop.orders=raw_orders, shop.items=raw_items',
  database: 'shop',
});

function table(...columns: string[]) {
  return new Map([...coordinates, ...columns].map((name) => [name, { required: true }]));
}

test('tables that have a column for each field and coordinate are fine, and may have more with a default', () => {
  const orders = table('id', 'total_minor').set('inserted_at', { required: false });
  expect(
    findTableProblems(
      [connector],
      topics,
      new Map([
        ['raw_orders', orders],
        ['raw_items', table('id')],
      ]),
    ),
  ).toEqual([]);
});

test('each missing table and each missing column is named', () => {
  const incomplete = table('id');
  incomplete.delete('kafka_offset');
  expect(findTableProblems([connector], topics, new Map([['raw_orders', incomplete]]))).toEqual([
    {
      path: 'shop.config.topic2TableMap',
      message: 'raw_orders has no columns for the fields total_minor, kafka_offset of shop.orders',
    },
    { path: 'shop.config.topic2TableMap', message: 'the table shop.raw_items does not exist' },
  ]);
});

test('a required column that no record has is named: it would send every batch to the dead letter topic', () => {
  const demanding = table('id', 'total_minor', 'loaded_by');
  const found = findTableProblems(
    [connector],
    topics,
    new Map([
      ['raw_orders', demanding],
      ['raw_items', table('id')],
    ]),
  );
  expect(found).toEqual([
    {
      path: 'shop.config.topic2TableMap',
      message: 'raw_orders demands loaded_by, which records of shop.orders lack',
    },
  ]);
});
