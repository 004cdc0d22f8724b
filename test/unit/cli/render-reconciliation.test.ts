import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { renderReconciliation } from '../../../cli/render-reconciliation.ts';

const row = {
  topic: 'billing.invoices',
  partition: 0,
  produced: 100,
  landed: 100,
  dlq: 0,
  missing: [],
  duplicates: 0,
};

it('shows one line for each topic, and the missing offsets of a partition that lacks some', () => {
  const text = renderReconciliation([
    { ...row, duplicates: 5 },
    { ...row, partition: 1 },
    {
      ...row,
      topic: 'billing.payments',
      partition: 3,
      produced: 1_000_000,
      landed: 999_968,
      dlq: 2,
      missing: [
        { first: 12, last: 40 },
        { first: 77, last: 77 },
      ],
    },
  ]);
  const lines = stripVTControlCharacters(text).split('\n');
  expect(lines).toEqual([
    'topic             partitions   produced     landed  dlq  missing  redelivered',
    'billing.invoices           2        200        200    0        0            5',
    'billing.payments           1  1,000,000    999,968    2       30            0',
    'total                      3  1,000,200  1,000,168    2       30            5',
    '',
    'Missing offsets',
    '  billing.payments/3: 12-40, 77',
  ]);
});
