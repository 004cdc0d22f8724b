import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAnswers, type Answer } from '../../../clickhouse/answers.ts';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { migrate } from '../../../clickhouse/migrate.ts';
import { awkwardPayments } from '../../fixtures/awkward-payments.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';
import { runCli } from '../../support/run-cli.ts';

let endpoint: TestEndpoint;
let clickhouse: ClickHouse;

/** Today of the test: the periods are 2 to 15 March, 14 February to 15 March, and 30 January to 28 February. */
const asOf = new Date('2025-03-15T12:00:00Z');

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
  const target = { clickhouse: { url: endpoint.url, user: 'default', password: '', database: 'billing' } };
  await migrate(target);
  clickhouse = createClickHouse(target);
  await clickhouse.command('SYSTEM STOP MERGES raw_payments');
  await clickhouse.insert('raw_payments', awkwardPayments(0));
  // The same events again, as parts of their own: nothing below may change.
  await clickhouse.insert('raw_payments', awkwardPayments(1000));
});
afterAll(async () => {
  await clickhouse.close();
  await endpoint.stop();
});

/** Those that read raw tables; the others need the models of dbt, and are asked where these are built. */
const onRawTables = [1, 3, 4, 5, 21];

async function answer(number: number): Promise<Answer> {
  const [found] = await runAnswers(clickhouse, { numbers: [number], asOf });
  return found!;
}

const rounded = (rows: Answer['rows']) =>
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
    expect(rounded(rows)).toEqual([
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
    expect(rounded(rows)).toEqual([
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
    expect(rounded(rows)).toEqual([
      ['all', 5, 0.4, 0.6, null, null],
      ['EUR', 2, 0.5, 0.5, 0.7692, 0.7692],
      ['USD', 2, 0.5, 1, 0.9524, 1],
      ['GBP', 1, 0, 0, 0, 0],
    ]);
  });
});

describe('runAnswers', () => {
  it('answers as of the newest event that is not in the future', async () => {
    await clickhouse.insert('raw_payments', [
      { event_id: '00000000-0000-7000-8000-999999999999', occurred_at: '2199-01-01 00:00:00' },
    ]);
    const answers = await runAnswers(clickhouse, { numbers: onRawTables });
    expect(answers.map(({ number, to }) => [number, to])).toEqual([
      [1, '2025-03-15T12:02:00.000Z'],
      [3, '2025-03-15T12:02:00.000Z'],
      [4, '2025-03-15T12:02:00.000Z'],
      [5, '2025-03-15T12:02:00.000Z'],
      [21, '2025-02-28T23:59:59.999Z'],
    ]);
  });

  it('names the questions there are when it is asked another one', async () => {
    await expect(runAnswers(clickhouse, { numbers: [1, 40] })).rejects.toMatchObject({
      code: 'UNKNOWN_QUESTION',
      todo: expect.stringMatching(/^Ask one of: 1, .*34\.$/) as string,
    });
  });

  it('has answers without rows where there are no payments', async () => {
    const answers = await runAnswers(clickhouse, {
      numbers: onRawTables,
      asOf: new Date('2010-01-01T00:00:00Z'),
    });
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

describe('the command', () => {
  const env = () => ({ ...process.env, CLICKHOUSE_URL: endpoint.url, PIPELINE_TARGET: 'embedded' });

  it('says which model is missing where dbt has built none', async () => {
    const { exitCode, stderr } = await runCli(env(), 'answers', '26');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('lacks the model mart_mrr_month')]);
  });

  it('prints one answer as JSON when asked for', async () => {
    const { exitCode, stdout } = await runCli(env(), 'answers', '21', '--json');
    expect(exitCode).toBe(0);
    const [found] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(Object.keys(found!)).toEqual(['number', 'question', 'columns', 'rows']);
    expect(found).toMatchObject({
      number: 21,
      columns: expect.arrayContaining(['currency', 'payments']) as unknown,
      rows: expect.arrayContaining([['all', 5, 0.4, 0.6, null, null]]) as unknown,
    });
  });

  it('refuses what is not the number of a question', async () => {
    const { exitCode, stderr } = await runCli(env(), 'answers', 'revenue');
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('"revenue" is not the number of a question'),
    ]);
  });
});
