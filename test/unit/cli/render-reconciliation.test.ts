import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { renderChange, renderReconciliation, renderVerdict } from '../../../cli/render-reconciliation.ts';

const row = {
  topic: 'billing.invoices',
  partition: 0,
  produced: 100,
  landed: 100,
  dlq: 0,
  missing: [],
  duplicates: 0,
  dead: [],
  missingOffsets: 0,
  lag: 0,
  newestLandedAt: null,
  newestAgeMs: null,
  empty: 0,
  tombstones: 0,
  expired: 0,
  repeated: null,
  late: null,
  removed: null,
  unrecorded: null,
  unverified: null,
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
      missingOffsets: 30,
    },
  ]);
  const lines = stripVTControlCharacters(text).split('\n');
  expect(lines).toEqual([
    'topic              produced     landed  dlq  missing  redelivered',
    'billing.invoices        200        200    0        0            5',
    'billing.payments  1,000,000    999,968    2       30            0',
    'total             1,000,200  1,000,168    2       30            5',
    '',
    'Missing offsets',
    '  billing.payments/3: 12-40, 77',
  ]);
});

const plain = (text: string) => stripVTControlCharacters(text).split('\n');

it('says of a topic what is no loss, where there is something to say', () => {
  const text = renderReconciliation([
    {
      ...row,
      newestAgeMs: 7000,
      repeated: 12,
      late: 3,
      empty: 4,
      tombstones: 1,
      expired: 20,
      removed: [],
      unrecorded: [],
    },
    {
      ...row,
      partition: 1,
      newestAgeMs: 3000,
      lag: 2,
      missingOffsets: 2,
      missing: [{ first: 98, last: 99 }],
    },
    { ...row, topic: 'billing.payments' },
  ]);
  expect(plain(text).slice(4)).toEqual([
    '',
    'topic             lag  newest  repeated  late  no record  expired',
    'billing.invoices    2     3 s        12     3          5       20',
    '',
    'Missing offsets',
    '  billing.invoices/1: 98-99',
  ]);
});

it('fits a terminal of 80 columns with millions of records', () => {
  const many = {
    topic: 'billing.marketing-spend',
    produced: 99_999_999,
    landed: 99_999_999,
    duplicates: 9_999_999,
  };
  const more = { repeated: 9_999_999, late: 9_999_999, empty: 999_999, expired: 999_999, newestAgeMs: 9e6 };
  for (const line of plain(renderReconciliation([{ ...row, ...many, ...more }]))) {
    expect(line.length).toBeLessThanOrEqual(80);
  }
});

it('lists what was removed behind its back, and how it comes back', () => {
  const found = [
    {
      ...row,
      removed: [{ first: 5, last: 6 }],
      unrecorded: [{ first: 9, last: 9 }],
      repeated: 0,
      late: 0,
      unverified: 0,
    },
  ];
  expect(plain(renderReconciliation(found)).slice(2)).toEqual([
    '',
    'Landed, but the row was removed from its table',
    '  billing.invoices/0: 5-6',
    '',
    'In the table, but unknown to the ledger',
    '  billing.invoices/0: 9',
  ]);
  expect(renderVerdict(found)).toContain('--repair');
});

it('tells what may be on its way from what was passed over', () => {
  const missing = [{ first: 1, last: 3 }];
  expect(renderVerdict([{ ...row, missing, missingOffsets: 3, lag: 3 }])).toMatch(
    /^3 come after the newest.*on their way/,
  );
  expect(renderVerdict([{ ...row, missing, missingOffsets: 3 }])).toMatch(/^3 were passed over/);
  expect(renderVerdict([row])).toBe('Nothing is missing: every record landed or is in a dead letter topic.');
  expect(renderVerdict([{ ...row, unverified: 7 }])).toContain('7 landed offsets have no row of their own');
});

it('prints of a later look only what changed', () => {
  const other = { ...row, topic: 'billing.payments' };
  expect(renderChange([row, other], [row, other])).toBe('');
  const [line, ...rest] = plain(
    renderChange([row, other], [row, { ...other, produced: 1100, landed: 90, missingOffsets: 5 }]),
  );
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d billing.payments: produced 100 -> 1,100, landed 100 -> 90, missing 0 -> 5$/,
  );
  expect(rest).toEqual([]);
});
