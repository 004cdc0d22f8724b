import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAnswers, type Answer } from '../../../clickhouse/answers.ts';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { loadQuestions } from '../../../clickhouse/questions.ts';
import { awkwardPayments, awkwardSurroundings, customerVersion } from '../../fixtures/awkward-payments.ts';
import { builtAgain, builtMonths, partsOf } from '../../support/built-months.ts';
import { startModelsEndpoint, type ModelsEndpoint } from '../../support/models-endpoint.ts';
import { runCli } from '../../support/run-cli.ts';

let models: ModelsEndpoint;
let clickhouse: ClickHouse;

/** Today of the test: the periods are 14 February to 15 March, and 30 January to 28 February. */
const asOf = new Date('2025-03-15T12:00:00Z');

beforeAll(async () => {
  models = await startModelsEndpoint();
  clickhouse = models.clickhouse;
  await clickhouse.command('SYSTEM STOP MERGES raw_payments');
  await clickhouse.insert('raw_payments', awkwardPayments(0));
  // The same events again, as parts of their own: nothing below may change.
  await clickhouse.insert('raw_payments', awkwardPayments(1000));
  for (const [table, rows] of Object.entries(awkwardSurroundings())) await clickhouse.insert(table, rows);
  await models.refresh();
});
afterAll(async () => {
  await models.stop();
});

async function answer(number: number): Promise<Answer> {
  const [found] = await runAnswers(clickhouse, { numbers: [number], asOf });
  return found!;
}

const rounded = (rows: Answer['rows']) =>
  rows.map((row) => row.map((cell) => (typeof cell === 'number' ? Math.round(cell * 1e4) / 1e4 : cell)));

describe('the answers', () => {
  it('1 counts payments on the day they started, and of these the captured ones', async () => {
    const { columns, rows } = await answer(1);
    expect(columns.map(({ name }) => name)).toEqual([
      'by',
      'starts',
      'payments',
      'captured',
      'captured_rate',
    ]);
    expect(rounded(rows)).toEqual([
      // Days count whole, so that what came half an hour after the question counts, too.
      ['day', '2025-03-15', 1, 1, 1],
      ['day', '2025-03-14', 1, 1, 1],
      ['day', '2025-03-13', 1, 1, 1],
      ['day', '2025-03-11', 2, 1, 0.5],
      ['day', '2025-03-10', 1, 1, 1],
      ['day', '2025-03-05', 1, 0, 0],
      ['day', '2025-02-26', 1, 0, 0],
      ['day', '2025-02-20', 1, 1, 1],
      ['day', '2025-02-15', 1, 1, 1],
      ['week', '2025-03-10', 6, 5, 0.8333],
      ['week', '2025-03-03', 1, 0, 0],
      ['week', '2025-02-24', 1, 0, 0],
      ['week', '2025-02-17', 1, 1, 1],
      ['week', '2025-02-10', 1, 1, 1],
      ['month', '2025-03-01', 7, 5, 0.7143],
      ['month', '2025-02-01', 3, 2, 0.6667],
    ]);
  });

  it('2 divides what was captured by payments and by customers', async () => {
    expect((await answer(2)).rows).toEqual([
      ['USD', 4, 11_701, 2925, 1, 11_701],
      ['EUR', 1, 3000, 3000, 1, 3000],
      ['JPY', 1, 5000, 5000, 1, 5000],
      ['KWD', 1, 12_345, 12_345, 1, 12_345],
    ]);
  });

  it('3 shares attempts, captures and, within a currency, value among the methods', async () => {
    expect(rounded((await answer(3)).rows)).toEqual([
      ['all', 'card', 8, 0.5714, 5, 0.7143, null, null],
      ['all', 'bank_transfer', 2, 0.1429, 1, 0.1429, null, null],
      ['all', 'direct_debit', 2, 0.1429, 0, 0, null, null],
      ['all', 'wallet', 2, 0.1429, 1, 0.1429, null, null],
      ['USD', 'card', 5, 0.8333, 3, 0.75, 11_001, 0.9402],
      ['USD', 'wallet', 1, 0.1667, 1, 0.25, 700, 0.0598],
      ['EUR', 'card', 2, 1, 1, 1, 3000, 1],
      ['JPY', 'bank_transfer', 2, 1, 1, 1, 5000, 1],
      ['KWD', 'card', 1, 0.5, 1, 1, 12_345, 1],
      ['KWD', 'wallet', 1, 0.5, 0, 0, 0, 0],
      ['GBP', 'direct_debit', 2, 1, 0, null, 0, null],
    ]);
  });

  it('4 counts attempts that failed by reason, of all that ended', async () => {
    expect(rounded((await answer(4)).rows)).toEqual([
      ['all', 'all', 6, 1, 0.4286],
      ['soft', 'all', 5, 0.8333, 0.3571],
      ['soft', 'authentication_failed', 2, 0.3333, 0.1429],
      ['soft', 'insufficient_funds', 1, 0.1667, 0.0714],
      ['soft', 'limit_exceeded', 1, 0.1667, 0.0714],
      ['soft', 'processing_error', 1, 0.1667, 0.0714],
      ['hard', 'all', 1, 0.1667, 0.0714],
      ['hard', 'card_declined', 1, 0.1667, 0.0714],
    ]);
  });

  it('5 takes refunds and lost disputes off in the period they happened', async () => {
    expect((await answer(5)).rows).toEqual([
      ['region', 'north_america', 'USD', 11_701, 2500, 15_000, -5799],
      ['region', 'asia_pacific', 'KWD', 12_345, 0, 0, 12_345],
      ['region', 'europe', 'EUR', 3000, 5999, 0, -2999],
      ['region', 'asia_pacific', 'JPY', 5000, 0, 0, 5000],
      ['method', 'card', 'USD', 11_001, 2500, 15_000, -6499],
      ['method', 'wallet', 'USD', 700, 0, 0, 700],
      ['method', 'card', 'KWD', 12_345, 0, 0, 12_345],
      ['method', 'card', 'EUR', 3000, 0, 0, 3000],
      ['method', 'direct_debit', 'EUR', 0, 5999, 0, -5999],
      ['method', 'bank_transfer', 'JPY', 5000, 0, 0, 5000],
    ]);
  });

  it('8 and 9 tell what is owed at the end of the period, and how old it is', async () => {
    expect((await answer(8)).rows).toEqual([['USD', 3, 300, 3, 300, 1]]);
    expect((await answer(9)).rows).toEqual([['owed', 'due 0-30 days', 3, 1, 'USD', 300, 5.5, 5.5]]);
  });

  it('10 divides what is owed by what was sold in the period', async () => {
    // 90 days, from 16 December on.
    expect((await answer(10)).rows).toEqual([['USD', 3, 300, 300, 90, 90]]);
  });

  it('18 knows the clock of the customer, half an hour off', async () => {
    const { rows } = await answer(18);
    // 11 March 23:59 UTC is 12 March 5:29 in Kolkata.
    expect(rows.find(([by, name]) => by === 'hour' && name === '05')).toEqual([
      'hour',
      '05',
      0,
      0,
      2,
      2 / 12,
    ]);
  });

  it('21 tells success at the first attempt from success within 14 days', async () => {
    expect(rounded((await answer(21)).rows)).toEqual([
      ['all', 5, 0.4, 0.6, null, null],
      ['EUR', 2, 0.5, 0.5, 0.7692, 0.7692],
      ['USD', 2, 0.5, 1, 0.9524, 1],
      ['GBP', 1, 0, 0, 0, 0],
    ]);
  });

  it('22 counts retries and what they recovered', async () => {
    expect(rounded((await answer(22)).rows)).toEqual([
      ['all', 5, 3, 3, 2, 0.6667, null],
      ['EUR', 2, 1, 1, 1, 1, 3000],
      ['USD', 2, 1, 1, 1, 1, 1000],
      ['GBP', 1, 1, 1, 0, 0, 0],
    ]);
  });

  it('24 counts a refund for the month of the capture', async () => {
    const { rows } = await answer(24);
    expect(rows.map(([month, captures, refunded, refunds]) => [month, captures, refunded, refunds])).toEqual([
      ['2025-01-01', 1, 1, 1],
      ['2025-02-01', 2, 1, 2],
      ['2025-03-01', 6, 1, 1],
    ]);
  });

  it('narrow down to a currency and to a region', async () => {
    const narrowed = async (filter: { currency?: string; region?: string }) => {
      const [found] = await runAnswers(clickhouse, { numbers: [21], asOf, ...filter });
      return found?.rows.map(([currency, payments]) => [currency, payments]);
    };
    expect(await narrowed({ currency: 'USD' })).toEqual([
      ['all', 2],
      ['USD', 2],
    ]);
    expect(await narrowed({ region: 'europe' })).toEqual([
      ['all', 3],
      ['EUR', 2],
      ['GBP', 1],
    ]);
  });

  it('all have something to say, or nothing where nothing happened', async () => {
    const answers = await runAnswers(clickhouse, { asOf });
    expect(answers.map(({ number }) => number)).toEqual(loadQuestions().map(({ number }) => number));
    const before = await runAnswers(clickhouse, { asOf: new Date('2010-01-01T00:00:00Z') });
    // What customers are worth, what they are like and what the pipeline does is told as of now.
    const said = before.filter(({ rows }) => rows.some((row) => row.some((cell) => Number(cell) > 0)));
    expect(said.map(({ number }) => number).filter((number) => ![11, 13, 14, 39].includes(number))).toEqual(
      [],
    );
  });
});

describe('runAnswers', () => {
  it('names the questions there are when it is asked another one', async () => {
    await expect(runAnswers(clickhouse, { numbers: [1, 40] })).rejects.toMatchObject({
      code: 'UNKNOWN_QUESTION',
      todo: expect.stringMatching(/^Ask one of: 1, .*39\.$/) as string,
    });
  });

  it('says so when the database is not migrated', async () => {
    const empty = createClickHouse({
      clickhouse: { url: clickhouse.url, user: 'default', password: '', database: 'default' },
    });
    await expect(runAnswers(empty)).rejects.toMatchObject({ code: 'CLICKHOUSE_NOT_MIGRATED' });
    await empty.close();
  });

  it('says which model is missing where dbt has built none', async () => {
    await clickhouse.command('RENAME TABLE mart_payments_daily TO mart_hidden');
    try {
      await expect(runAnswers(clickhouse, { numbers: [21] })).rejects.toMatchObject({
        code: 'MODELS_NOT_BUILT',
      });
    } finally {
      await clickhouse.command('RENAME TABLE mart_hidden TO mart_payments_daily');
    }
  });
});

describe('the command', () => {
  it('prints every answer within 80 columns', async () => {
    const { exitCode, stdout } = await runCli(models.env, 'answers');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('prints one answer as JSON when asked for', async () => {
    const { exitCode, stdout } = await runCli(models.env, 'answers', '21', '--json', '--to', '2025-02-28');
    expect(exitCode).toBe(0);
    const [found] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(Object.keys(found!)).toEqual(['number', 'question', 'columns', 'rows']);
    expect(found).toMatchObject({
      number: 21,
      columns: expect.arrayContaining(['currency', 'payments']) as unknown,
    });
  });

  it('refuses what is not the number of a question', async () => {
    const { exitCode, stderr } = await runCli(models.env, 'answers', 'revenue');
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('"revenue" is not the number of a question'),
    ]);
  });
});

describe('a model', () => {
  it('has a comment on itself and on each of its columns', async () => {
    const { rows } = await clickhouse.queryTable(
      `SELECT table, name FROM system.columns
       WHERE database = currentDatabase() AND match(table, '^(stg|int|dim|fact|mart)_') AND comment = ''`,
    );
    expect(rows).toEqual([]);
  });
});

describe('a refresh', () => {
  it('builds the months that late events belong to, and no other', async () => {
    const before = await builtMonths(clickhouse);
    const parts = await partsOf(clickhouse, 'dim_payment_details');
    const [settled] = awkwardPayments(2000).filter(
      (row) => 'payment_id' in row && row.payment_id === 'recovered-within-14-days',
    );
    await clickhouse.insert('raw_payments', [
      {
        ...settled,
        // Of a payment of February, heard of in April; its version 5 has not been heard of.
        event_id: '00000000-0000-7000-8002-000000000001',
        event_type: 'payment.refunded',
        entity_version: 6,
        status: 'refunded',
        previous_status: 'partially_refunded',
        occurred_at: '2025-04-02 00:00:00',
        kafka_offset: 5000,
      },
    ]);
    // A version of the customer that lands after a later one: what began before it stays as it is.
    await clickhouse.insert('raw_customers', [customerVersion(2, '2025-02-20 00:00:00', 'professional')]);
    await models.refresh();

    const again = builtAgain(before, await builtMonths(clickhouse));
    expect(
      again.filter((month) => /^(fact_payment_event|dim_payment_details|mart_payments_daily) /.test(month)),
    ).toEqual(['dim_payment_details 2025-02', 'fact_payment_event 2025-02', 'mart_payments_daily 2025-02']);
    expect(again.filter((month) => /^(dim_customer_invoices|fact_invoice_line) /.test(month))).toEqual([
      'dim_customer_invoices 2025-03',
    ]);
    const changedParts = [...(await partsOf(clickhouse, 'dim_payment_details'))].filter(
      ([month, names]) => parts.get(month) !== names,
    );
    expect(changedParts.map(([month]) => month)).toEqual(['202502']);
    expect(
      (await clickhouse.queryTable('SELECT invoice_id, tier FROM dim_customer_invoices ORDER BY issued_at'))
        .rows,
    ).toEqual([
      ['invoice of 2025-01-15', 'starter'],
      ['invoice of 2025-02-15', 'starter'],
      ['invoice of 2025-03-08', 'professional'],
    ]);
    expect(
      (
        await clickhouse.queryTable(
          `SELECT toInt64(seq), dwell_ms IS NULL FROM fact_payment_event
           WHERE payment_id = 'recovered-within-14-days' AND seq > 4`,
        )
      ).rows,
    ).toEqual([['6', 1]]);
  });

  it('builds nothing again when nothing is new but a redelivery of the same offsets', async () => {
    const before = await builtMonths(clickhouse);
    await clickhouse.insert('raw_payments', awkwardPayments(1000));
    await models.refresh();
    expect(builtAgain(before, await builtMonths(clickhouse))).toEqual([]);
    expect((await answer(2)).rows[0]).toEqual(['USD', 4, 11_701, 2925, 1, 11_701]);
  });
});
