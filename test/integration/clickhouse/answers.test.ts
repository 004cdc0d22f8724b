import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAnswers, type Answer } from '../../../clickhouse/answers.ts';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { migrate } from '../../../clickhouse/migrate.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;
let clickhouse: ClickHouse;

/** Today of the test: the periods are 2 to 15 March, 14 February to 15 March, and 30 January to 28 February. */
const asOf = new Date('2025-03-15T12:00:00Z');

interface Payment {
  id: string;
  amount: number;
  currency: string;
  method: string;
  region: string;
}
/** Time, status and what differs from the payment's event before. */
type Step = [
  at: string,
  status: string,
  change?: { attempt?: number; code?: string; refunded?: number; method?: string; deleted?: 1 },
];

const payments: [Payment, ...Step[]][] = [
  [
    { id: 'part-refunded', amount: 10_000, currency: 'USD', method: 'card', region: 'north_america' },
    ['03-10 10:00', 'initiated'],
    ['03-10 10:01', 'captured'],
    ['03-12 09:00', 'partially_refunded', { refunded: 2500 }],
  ],
  [
    { id: 'recovered', amount: 5000, currency: 'JPY', method: 'bank_transfer', region: 'asia_pacific' },
    ['03-11 00:00', 'initiated'],
    ['03-11 00:01', 'failed', { code: 'insufficient_funds' }],
    ['03-12 00:01', 'retrying', { attempt: 2 }],
    ['03-12 00:02', 'captured', { attempt: 2 }],
  ],
  [
    { id: 'declined', amount: 99, currency: 'KWD', method: 'wallet', region: 'asia_pacific' },
    ['03-11 23:59', 'initiated'],
    ['03-11 23:59', 'failed', { code: 'card_declined' }],
  ],
  [
    { id: 'dispute-lost', amount: 20_000, currency: 'USD', method: 'card', region: 'north_america' },
    ['01-31 08:00', 'initiated'],
    ['01-31 08:01', 'captured'],
    ['02-01 08:00', 'partially_refunded', { refunded: 5000 }],
    ['02-20 08:00', 'disputed', { refunded: 5000 }],
    ['03-01 08:00', 'lost', { refunded: 5000 }],
  ],
  [
    {
      id: 'refunded-over-two-periods',
      amount: 9999,
      currency: 'EUR',
      method: 'direct_debit',
      region: 'europe',
    },
    ['02-10 08:00', 'initiated'],
    ['02-10 08:01', 'captured'],
    ['02-12 08:00', 'partially_refunded', { refunded: 4000 }],
    ['02-20 08:00', 'refunded', { refunded: 9999 }],
  ],
  [
    { id: 'captured-after-15-days', amount: 3000, currency: 'EUR', method: 'card', region: 'europe' },
    ['02-20 08:00', 'initiated'],
    ['02-20 08:01', 'failed', { code: 'processing_error' }],
    ['03-07 08:00', 'retrying', { attempt: 2 }],
    ['03-07 08:01', 'captured', { attempt: 2 }],
  ],
  [
    { id: 'method-known-later', amount: 700, currency: 'USD', method: 'wallet', region: 'north_america' },
    ['03-14 08:00', 'initiated', { method: 'unknown' }],
    ['03-14 08:01', 'captured'],
  ],
  [
    { id: 'deleted', amount: 999_999, currency: 'USD', method: 'card', region: 'north_america' },
    ['02-14 08:00', 'initiated'],
    ['02-14 08:01', 'captured'],
    ['02-15 08:02', 'captured', { deleted: 1 }],
  ],
  [
    { id: 'after-today', amount: 1, currency: 'USD', method: 'card', region: 'north_america' },
    ['03-15 12:01', 'initiated'],
    ['03-15 12:02', 'captured'],
  ],
  [
    { id: 'abandoned', amount: 400, currency: 'GBP', method: 'direct_debit', region: 'europe' },
    ['02-26 08:00', 'initiated'],
    ['02-26 08:01', 'failed', { code: 'authentication_failed' }],
    ['03-01 08:00', 'retrying', { attempt: 2 }],
    ['03-01 08:01', 'abandoned', { attempt: 2, code: 'authentication_failed' }],
  ],
  [
    { id: 'voided', amount: 100, currency: 'USD', method: 'card', region: 'north_america' },
    ['03-05 08:00', 'initiated'],
    ['03-05 08:01', 'authorized'],
    ['03-05 09:00', 'voided'],
  ],
  [
    { id: 'in-dinars', amount: 12_345, currency: 'KWD', method: 'card', region: 'asia_pacific' },
    ['03-13 08:00', 'initiated'],
    ['03-13 08:01', 'captured'],
    ['03-14 08:01', 'settled'],
  ],
  [
    {
      id: 'recovered-within-14-days',
      amount: 1000,
      currency: 'USD',
      method: 'card',
      region: 'north_america',
    },
    ['02-15 08:00', 'initiated'],
    ['02-15 08:01', 'failed', { code: 'limit_exceeded' }],
    ['02-17 08:00', 'retrying', { attempt: 2 }],
    ['02-17 08:01', 'captured', { attempt: 2 }],
  ],
];

/** Every event with its offset; the later versions first, as after a backlog that was read twice. */
function rowsFrom(firstOffset: number): object[] {
  let event = 0;
  const rows = payments.flatMap(([payment, ...steps]) =>
    steps.map(([at, status, change = {}], index) => ({
      event_id: `00000000-0000-7000-8000-${String(event++).padStart(12, '0')}`,
      event_type: `payment.${status}`,
      occurred_at: `2025-${at}:00`,
      produced_at: `2025-${at}:00`,
      entity_version: index + 1,
      is_deleted: change.deleted ?? 0,
      payment_id: payment.id,
      customer_id: 'customer',
      method: change.method ?? payment.method,
      amount_minor: payment.amount,
      refunded_minor: change.refunded ?? 0,
      currency: payment.currency,
      status,
      previous_status: index === 0 ? 'none' : steps[index - 1]?.[1],
      attempt_no: change.attempt ?? 1,
      failure_code: change.code ?? 'none',
      region: payment.region,
      initiated_at: `2025-${steps[0]?.[0] ?? ''}:00`,
      kafka_topic: 'billing.payments',
      kafka_offset: firstOffset + event,
    })),
  );
  return rows.reverse();
}

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
  const target = { clickhouse: { url: endpoint.url, user: 'default', password: '', database: 'billing' } };
  await migrate(target);
  clickhouse = createClickHouse(target);
  await clickhouse.command('SYSTEM STOP MERGES raw_payments');
  await clickhouse.insert('raw_payments', rowsFrom(0));
  // The same events again, as parts of their own: nothing below may change.
  await clickhouse.insert('raw_payments', rowsFrom(1000));
});
afterAll(async () => {
  await clickhouse.close();
  await endpoint.stop();
});

async function answer(number: number): Promise<Answer> {
  const [found] = await runAnswers(clickhouse, { numbers: [number], asOf });
  return found!;
}

const tenths = (rows: Answer['rows']) =>
  rows.map((row) => row.map((cell) => (typeof cell === 'number' ? Math.round(cell * 1e4) / 1e4 : cell)));

describe('the answers', () => {
  it('1 counts payments on the day they started, and of these the captured ones', async () => {
    const { columns, rows } = await answer(1);
    expect(columns.map(({ name }) => name)).toEqual(['day', 'payments', 'captured', 'captured_rate']);
    expect(rows.map(([day]) => day)).toEqual(
      Array.from({ length: 14 }, (_, index) => `2025-03-${String(index + 2).padStart(2, '0')}`),
    );
    expect(rows.filter(([, count]) => count !== 0)).toEqual([
      ['2025-03-05', 1, 0, 0],
      ['2025-03-10', 1, 1, 1],
      ['2025-03-11', 2, 1, 0.5],
      ['2025-03-13', 1, 1, 1],
      ['2025-03-14', 1, 1, 1],
    ]);
  });

  it('3 shares attempts, captures and, within a currency, value among the methods', async () => {
    const { columns, rows } = await answer(3);
    expect(columns.map(({ name }) => name)).toEqual([
      'currency',
      'method',
      'attempts',
      'attempts_share',
      'captures',
      'captures_share',
      'value_minor',
      'value_share',
    ]);
    expect(tenths(rows)).toEqual([
      ['all', 'card', 7, 0.5385, 4, 0.6667, null, null],
      ['all', 'bank_transfer', 2, 0.1538, 1, 0.1667, null, null],
      ['all', 'direct_debit', 2, 0.1538, 0, 0, null, null],
      ['all', 'wallet', 2, 0.1538, 1, 0.1667, null, null],
      ['USD', 'card', 4, 0.8, 2, 0.6667, 11_000, 0.9402],
      ['USD', 'wallet', 1, 0.2, 1, 0.3333, 700, 0.0598],
      ['EUR', 'card', 2, 1, 1, 1, 3000, 1],
      ['JPY', 'bank_transfer', 2, 1, 1, 1, 5000, 1],
      ['KWD', 'card', 1, 0.5, 1, 1, 12_345, 1],
      ['KWD', 'wallet', 1, 0.5, 0, 0, 0, 0],
      ['GBP', 'direct_debit', 2, 1, 0, null, 0, null],
    ]);
  });

  it('4 counts attempts that failed by reason, of all that ended', async () => {
    const { columns, rows } = await answer(4);
    expect(columns.map(({ name }) => name)).toEqual([
      'kind',
      'failure_code',
      'failed_attempts',
      'failures_share',
      'failure_rate',
    ]);
    expect(tenths(rows)).toEqual([
      ['all', 'all', 6, 1, 0.4615],
      ['soft', 'all', 5, 0.8333, 0.3846],
      ['soft', 'authentication_failed', 2, 0.3333, 0.1538],
      ['soft', 'insufficient_funds', 1, 0.1667, 0.0769],
      ['soft', 'limit_exceeded', 1, 0.1667, 0.0769],
      ['soft', 'processing_error', 1, 0.1667, 0.0769],
      ['hard', 'all', 1, 0.1667, 0.0769],
      ['hard', 'card_declined', 1, 0.1667, 0.0769],
    ]);
  });

  it('5 takes refunds and lost disputes off in the period they happened', async () => {
    const { columns, rows } = await answer(5);
    expect(columns.map(({ name }) => name)).toEqual([
      'by',
      'name',
      'currency',
      'gross_minor',
      'refunds_minor',
      'lost_minor',
      'net_minor',
    ]);
    expect(rows).toEqual([
      ['region', 'north_america', 'USD', 11_700, 2500, 15_000, -5800],
      ['region', 'europe', 'EUR', 3000, 5999, 0, -2999],
      ['region', 'asia_pacific', 'JPY', 5000, 0, 0, 5000],
      ['region', 'asia_pacific', 'KWD', 12_345, 0, 0, 12_345],
      ['method', 'card', 'USD', 11_000, 2500, 15_000, -6500],
      ['method', 'wallet', 'USD', 700, 0, 0, 700],
      ['method', 'card', 'EUR', 3000, 0, 0, 3000],
      ['method', 'direct_debit', 'EUR', 0, 5999, 0, -5999],
      ['method', 'bank_transfer', 'JPY', 5000, 0, 0, 5000],
      ['method', 'card', 'KWD', 12_345, 0, 0, 12_345],
    ]);
  });

  it('21 tells success at the first attempt from success within 14 days', async () => {
    const { columns, rows } = await answer(21);
    expect(columns.map(({ name }) => name)).toEqual([
      'currency',
      'payments',
      'first_attempt_rate',
      'eventual_rate',
      'first_value_rate',
      'eventual_value_rate',
    ]);
    expect(tenths(rows)).toEqual([
      ['all', 5, 0.4, 0.6, null, null],
      ['EUR', 2, 0.5, 0.5, 0.7692, 0.7692],
      ['USD', 2, 0.5, 1, 0.9524, 1],
      ['GBP', 1, 0, 0, 0, 0],
    ]);
  });
});

describe('runAnswers', () => {
  it('answers every question, as of the newest event that is not in the future', async () => {
    await clickhouse.insert('raw_payments', [
      { event_id: '00000000-0000-7000-8000-999999999999', occurred_at: '2199-01-01 00:00:00' },
    ]);
    const answers = await runAnswers(clickhouse);
    expect(answers.map(({ number, to }) => [number, to])).toEqual([
      [1, '2025-03-15T12:02:00.000Z'],
      [3, '2025-03-15T12:02:00.000Z'],
      [4, '2025-03-15T12:02:00.000Z'],
      [5, '2025-03-15T12:02:00.000Z'],
      [21, '2025-02-28T23:59:59.999Z'],
    ]);
  });

  it('names the questions there are when it is asked another one', async () => {
    await expect(runAnswers(clickhouse, { numbers: [1, 2] })).rejects.toMatchObject({
      code: 'UNKNOWN_QUESTION',
      todo: 'Ask one of: 1, 3, 4, 5, 21.',
    });
  });

  it('has answers without rows where there are no payments', async () => {
    const answers = await runAnswers(clickhouse, { asOf: new Date('2010-01-01T00:00:00Z') });
    expect(answers.map(({ rows }) => rows.filter(([, count]) => count !== 0))).toEqual([[], [], [], [], []]);
  });

  it('says so when the database is not migrated', async () => {
    const empty = createClickHouse({
      clickhouse: { url: endpoint.url, user: 'default', password: '', database: 'default' },
    });
    await expect(runAnswers(empty)).rejects.toMatchObject({ code: 'CLICKHOUSE_NOT_MIGRATED' });
    await empty.close();
  });
});
