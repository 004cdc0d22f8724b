import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadQuestions } from '../../../clickhouse/questions.ts';
import type { BillingEvent } from '../../../producers/events.ts';
import { landEvents } from '../../support/land-events.ts';
import { startModelsEndpoint, type ModelsEndpoint } from '../../support/models-endpoint.ts';
import { runCli } from '../../support/run-cli.ts';
import { seededHistory } from '../../support/seeded-history.ts';
import { changeOfSeats, mistakenSubscription } from './late-changes.ts';
import {
  recountAcquisition,
  recountFrequency,
  recountFunnel,
  recountLifetimeValue,
} from './recount/customers.ts';
import { recountInvoices, recountReceivables, recountSignups } from './recount/invoices.ts';
import {
  recountBusyHours,
  recountCaptures,
  recountFailures,
  recountPayments,
  recountRevenue,
} from './recount/payments.ts';
import { monthOf, monthsBetween, type Tally } from './recount/records.ts';
import {
  recountCohorts,
  recountCustomerChurn,
  recountMovements,
  recountRecurringRevenue,
  recountRetention,
} from './recount/subscriptions.ts';

/** Of a column that is the first day of a month. */
const month = (column: string) => `formatDateTime(${column}, '%Y-%m')`;

const startAt = Date.UTC(2020, 9, 1);
const endAt = Date.UTC(2025, 9, 20, 13);
/** What happens after this lands after the first build, and so do some events from long before. */
const builtUntil = Date.UTC(2025, 8, 10);

let models: ModelsEndpoint;
let events: BillingEvent[];
/** The only change of a subscription that lands late. */
let late: BillingEvent;
/** Months of recurring revenue that the second build wrote. */
let builtAgain: string[];

beforeAll(async () => {
  events = seededHistory({ seed: 11, customers: 250, startAt, endAt });
  late = changeOfSeats(events);
  models = await startModelsEndpoint();
  const { clickhouse } = models;
  // Rates and other changes of subscriptions would have more months of recurring revenue built again.
  const isInTime = ({ topic }: BillingEvent) => ['billing.subscriptions', 'billing.fx-rates'].includes(topic);
  const isLate = (event: BillingEvent, index: number) =>
    event === late || event.at >= builtUntil || (index % 211 === 0 && !isInTime(event));
  await landEvents(clickhouse, [
    ...events.filter((event, index) => !isLate(event, index)),
    mistakenSubscription(late, 'created'),
  ]);
  await models.refresh();
  await landEvents(clickhouse, [
    // The newest first: nothing may rely on the order of landing.
    ...events.filter(isLate).reverse(),
    // And again, as the sink does after a lost answer.
    ...events.filter((_, index) => index % 97 === 0),
    mistakenSubscription(late, 'deleted'),
  ]);
  const [first] = (await clickhouse.queryTable('SELECT max(states_built_at) FROM fact_mrr_month')).rows;
  await models.refresh();
  const { rows } = await clickhouse.queryTable(
    `SELECT DISTINCT ${month('month')} AS m FROM fact_mrr_month
     WHERE states_built_at > {first:DateTime64(3, 'UTC')} ORDER BY m`,
    { params: { first: first?.[0] } },
  );
  builtAgain = rows.flat().map(String);
});
afterAll(async () => {
  await models.stop();
});

/** Rows of a query as a tally: the last column by the others, which are joined by spaces. Zeros don't count. */
async function tallyOf(sql: string): Promise<Tally> {
  const { rows } = await models.clickhouse.queryTable(sql);
  return nonZero(new Map(rows.map((row) => [row.slice(0, -1).map(String).join(' '), Number(row.at(-1))])));
}

function nonZero(tally: Tally): Tally {
  return new Map([...tally].filter(([, amount]) => amount !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function expectSame(counted: Tally, sql: string): Promise<void> {
  const expected = nonZero(counted);
  expect(expected.size).toBeGreaterThan(0);
  expect(await tallyOf(sql)).toEqual(expected);
}

describe('recurring revenue, counted customer by customer', () => {
  const revenue = () => recountRecurringRevenue(events);
  const sumOf = (column: string) =>
    `SELECT ${month('month')} AS m, currency, sum(${column}) FROM mart_mrr_month GROUP BY m, currency ORDER BY m, currency`;

  it('is the MRR of every month and currency', async () => {
    await expectSame(recountMovements(revenue()).mrr, sumOf('mrr_minor'));
  });

  it.each(['new', 'reactivation', 'expansion', 'contraction', 'churn'] as const)(
    'moves by the same %s in every month and currency',
    async (type) => {
      await expectSame(recountMovements(revenue())[type], sumOf(`${type}_minor`));
    },
  );

  it.each([
    [1, '1_month'],
    [12, '12_months'],
  ] as const)('is kept over %d months as GRR and NRR say', async (window, suffix) => {
    const counted = recountRetention(revenue(), window);
    await expectSame(counted.cohort, sumOf(`customers_${suffix}_ago`));
    await expectSame(counted.start, sumOf(`mrr_${suffix}_ago_minor`));
    await expectSame(counted.kept, sumOf(`kept_${suffix}_minor`));
    await expectSame(counted.end, sumOf(`stayed_${suffix}_minor`));
  });

  it('loses the same customers, and as many of them against their will', async () => {
    const counted = recountCustomerChurn(revenue());
    const byMonth = (column: string) =>
      `SELECT ${month('month')} AS m, sum(${column}) FROM mart_mrr_month GROUP BY m ORDER BY m`;
    await expectSame(counted.start, byMonth('customers_1_month_ago'));
    await expectSame(counted.churned, byMonth('churned_customers'));
    await expectSame(counted.involuntary, byMonth('involuntarily_churned_customers'));
  });

  it('ages the same by cohorts', async () => {
    const counted = recountCohorts(revenue());
    const byAge = (column: string) =>
      `SELECT ${month('cohort_month')} AS m, age_months, currency, sum(${column}) FROM mart_mrr_cohorts
       GROUP BY m, age_months, currency ORDER BY m, age_months, currency`;
    await expectSame(counted.customers, byAge('customers'));
    await expectSame(counted.mrr, byAge('mrr_minor'));
  });
});

describe('a change of long ago that lands late, and a subscription that is deleted', () => {
  it('have those months built again that they touch, and no other but the newest', () => {
    const since = monthsBetween(monthOf(late.at), '2025-10');
    expect(builtAgain).toEqual([since[0], since[1], since[12], '2025-08', '2025-09', '2025-10']);
  });
});

describe('customers, counted one by one', () => {
  it('are worth what they brought in, less what went back', async () => {
    await expectSame(recountLifetimeValue(events), 'SELECT customer_id, net_minor FROM mart_customer_value');
  });

  it('pay as often', async () => {
    const { captures, activeCustomers, gapDays } = recountFrequency(events, recountRecurringRevenue(events));
    const byMonth = (column: string) =>
      `SELECT ${month('month')} AS m, sum(${column}) FROM mart_payment_frequency GROUP BY m ORDER BY m`;
    await expectSame(captures, byMonth('captures'));
    await expectSame(activeCustomers, byMonth('active_customers'));
    // Of two in the middle the smaller one.
    const median = (gaps: number[]) => gaps.sort((a, b) => a - b)[Math.ceil(gaps.length / 2) - 1]!;
    await expectSame(
      new Map([...gapDays].map(([when, gaps]) => [when, median(gaps)])),
      `SELECT ${month('month')} AS m, quantileExactWeighted(0.5)(gap_days, gaps) FROM mart_payment_gaps GROUP BY m`,
    );
  });

  it('cost as much to win', async () => {
    const { spend, customers } = recountAcquisition(events);
    const byChannel = (column: string) =>
      `SELECT ${month('month')}, channel, ${column} FROM mart_acquisition_month`;
    await expectSame(spend, byChannel('spend_minor'));
    await expectSame(customers, byChannel('new_paying_customers'));
  });

  it('come through the same funnel', async () => {
    const counted = recountFunnel(events);
    const bySignup = (column: string) =>
      `SELECT ${month('signup_month')} AS m, sum(${column}) FROM mart_signup_funnel GROUP BY m`;
    await expectSame(counted.signups, bySignup('signups'));
    await expectSame(counted.trials, bySignup('trials'));
    await expectSame(counted.paidIn30, bySignup('paid_in_30_days'));
    await expectSame(counted.paidIn60, bySignup('paid_in_60_days'));
    await expectSame(counted.keptOne, bySignup('kept_after_1_month'));
    await expectSame(counted.keptThree, bySignup('kept_after_3_months'));
  });
});

describe('payments, counted one by one', () => {
  it('are as many on every day, and as many of them captured', async () => {
    const { daily } = recountPayments(events);
    const byDay = (column: string) => `SELECT day, sum(${column}) FROM mart_payments_daily GROUP BY day`;
    await expectSame(daily.payments, byDay('payments'));
    await expectSame(daily.captured, byDay('captured_payments'));
  });

  it('succeed, are tried again and recovered as often', async () => {
    const { monthly, recoveredMinor } = recountPayments(events);
    const byMonth = (column: string) =>
      `SELECT ${month('day')} AS m, sum(${column}) FROM mart_payments_daily GROUP BY m`;
    await expectSame(monthly.capturedFirst, byMonth('captured_first'));
    await expectSame(monthly.capturedInTime, byMonth('captured_within_14_days'));
    await expectSame(monthly.retries, byMonth('retries'));
    await expectSame(monthly.failedFirst, byMonth('failed_first'));
    await expectSame(monthly.recovered, byMonth('recovered'));
    await expectSame(
      recoveredMinor,
      `SELECT ${month('day')} AS m, currency, sum(recovered_minor) FROM mart_payments_daily GROUP BY m, currency`,
    );
  });

  it('fail as often for the same reasons', async () => {
    await expectSame(
      recountFailures(events),
      `SELECT ${month('day')} AS m, failure_code, sum(attempts) FROM mart_attempts_daily
       WHERE counted_by = 'ended' AND outcome = 'failed' GROUP BY m, failure_code`,
    );
  });

  it('bring the same revenue, of which refunds and lost disputes take the same away', async () => {
    const counted = recountRevenue(events);
    const byRegion = (column: string) =>
      `SELECT ${month('day')} AS m, region, currency, sum(${column}) FROM mart_revenue_daily
       GROUP BY m, region, currency`;
    await expectSame(counted.gross, byRegion('gross_minor'));
    await expectSame(counted.refunds, byRegion('refunds_minor'));
    await expectSame(counted.lost, byRegion('lost_minor'));
  });

  it('are refunded and disputed alike, by the month of their capture', async () => {
    const counted = recountCaptures(events);
    const byCapture = (column: string) =>
      `SELECT ${month('month')} AS m, currency, sum(${column}) FROM mart_capture_cohorts GROUP BY m, currency`;
    await expectSame(counted.captures, byCapture('captures'));
    await expectSame(counted.minor, byCapture('captured_minor'));
    await expectSame(counted.refunded, byCapture('refunded_payments'));
    await expectSame(counted.refundedMinor, byCapture('refunds_minor'));
    await expectSame(counted.disputed, byCapture('disputes'));
    await expectSame(counted.won, byCapture('won_disputes'));
    await expectSame(counted.lost, byCapture('lost_disputes'));
  });

  it('begin at the same hours of the own clocks of customers', async () => {
    await expectSame(
      recountBusyHours(events),
      `SELECT substring(dateName('weekday', day), 1, 3) AS weekday, hour, sum(payments) FROM mart_busy_hours
       WHERE clock = 'local' GROUP BY weekday, hour`,
    );
  });
});

describe('invoices and signups, counted one by one', () => {
  it('are paid, late and open by as much', async () => {
    const { outstanding, paid, late } = recountInvoices(events);
    const byCurrency = (column: string) =>
      `SELECT currency, sum(${column}) FROM mart_invoices_monthly GROUP BY currency`;
    await expectSame(outstanding, byCurrency('open_minor'));
    await expectSame(paid, byCurrency('paid_minor'));
    await expectSame(paid, byCurrency('captured_minor'));
    await expectSame(
      late,
      `SELECT ${month('day')} AS m, sum(late_invoices) FROM mart_paid_invoices_daily GROUP BY m`,
    );
  });

  it('leave as much owed at the end of every month', async () => {
    const { closing, billed } = recountReceivables(events);
    const byMonth = `SELECT toStartOfMonth(day) AS m, currency, sum(change_minor) AS moved, sum(invoiced_minor) AS billed
      FROM mart_receivables_daily GROUP BY m, currency`;
    await expectSame(billed, `SELECT ${month('m')}, currency, billed FROM (${byMonth})`);
    // Months in which nothing moved have no row of their own.
    await expectSame(
      closing,
      `SELECT ${month('months.m')} AS month, moves.currency, sum(moves.moved)
       FROM (${byMonth}) AS moves CROSS JOIN (SELECT DISTINCT m FROM (${byMonth})) AS months
       WHERE moves.m <= months.m GROUP BY month, moves.currency`,
    );
  });

  it('are as many for every customer and month', async () => {
    const { ofCustomer } = recountInvoices(events);
    const byCustomer = (column: string) =>
      `SELECT customer_id, ${month('month')} AS m, sum(${column}) FROM mart_customer_invoice_months
       GROUP BY customer_id, m`;
    await expectSame(ofCustomer.invoices, byCustomer('invoices'));
    await expectSame(ofCustomer.total, byCustomer('total_minor'));
    await expectSame(ofCustomer.paid, byCustomer('paid_minor'));
  });

  it('come from the same channels and countries', async () => {
    await expectSame(
      recountSignups(events),
      `SELECT ${month('day')} AS m, channel, country, sum(signups) FROM mart_signups_daily
       GROUP BY m, channel, country`,
    );
  });
});

describe('every answer', () => {
  it('is printed, within 80 columns', async () => {
    const { exitCode, stdout } = await runCli(models.env, 'answers');
    expect(exitCode).toBe(0);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const asked = loadQuestions().map(({ number }) => `${number}. `);
    expect(stdout.match(/^\d+\. /gm)).toEqual(asked);
  });
});
