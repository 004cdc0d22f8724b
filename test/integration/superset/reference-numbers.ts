import type { Chart, Dashboard } from '../../../superset/declare/shapes.ts';

/**
 * Where each dataset's numbers come from without its mart: rows with the time `at` and the columns that charts group and
 * filter by, and each metric over them. Written from docs/metrics.md.
 */
interface Reference {
  rows: string;
  metrics: Record<string, string>;
}

const currentRegion = '(SELECT customer_id, region FROM dim_customer WHERE is_current) AS c';
const units = "transform(currency, ['JPY', 'KRW', 'KWD'], [1, 1, 1000], 100)";

const references: Record<string, Reference> = {
  payments: {
    rows: `SELECT min(d.payment_initiated_at) AS at, argMax(d.currency, d.attempt_no) AS currency,
        argMax(d.region, d.attempt_no) AS region, argMax(d.method, d.attempt_no) AS method, count() AS tries,
        countIf(d.captured_at IS NOT NULL) AS captured,
        countIf(d.captured_at <= d.payment_initiated_at + INTERVAL 14 DAY) AS soon,
        countIf(d.captured_at <= d.payment_initiated_at + INTERVAL 14 DAY AND d.attempt_no = 1) AS soon_at_first,
        countIf(d.outcome = 'failed' AND d.attempt_no = 1) AS failed_at_first
      FROM dim_payment_details AS d GROUP BY d.payment_id`,
    metrics: {
      payments: 'count()',
      success_rate: 'countIf(soon > 0) / count()',
      first_attempt_rate: 'countIf(soon_at_first > 0) / count()',
      retries: 'sum(tries - 1)',
      recovery_rate:
        'countIf(failed_at_first > 0 AND captured > 0) / nullIf(countIf(failed_at_first > 0), 0)',
    },
  },
  attempts: {
    rows: `SELECT 'initiated' AS counted_by, payment_initiated_at AS at, currency, region, method, processor, outcome, failure_code
      FROM dim_payment_details
      UNION ALL
      SELECT 'ended', assumeNotNull(ended_at), currency, region, method, processor, outcome, failure_code
      FROM dim_payment_details WHERE ended_at IS NOT NULL`,
    metrics: {
      attempts: 'count()',
      failed_attempts: "countIf(outcome = 'failed')",
      failure_rate: "countIf(outcome = 'failed') / count()",
    },
  },
  revenue: {
    rows: 'SELECT *, assumeNotNull(revenue_at) AS at FROM fact_transaction WHERE revenue_at IS NOT NULL',
    metrics: {
      net_revenue: 'sum(revenue_reporting_minor) / 100',
      captured_payments: "countIf(kind = 'charge')",
      gross_own: `sumIf(revenue_minor / ${units}, kind = 'charge')`,
      refunds_own: `-sumIf(revenue_minor / ${units}, kind = 'refund')`,
      lost_own: `-sumIf(revenue_minor / ${units}, kind = 'dispute')`,
      net_own: `sum(revenue_minor / ${units})`,
    },
  },
  mrr: {
    rows: `SELECT f.month AS at, f.currency AS currency, c.region AS region, f.mrr_reporting_minor AS after,
        f.mrr_1_month_ago_reporting_minor AS before, f.mrr_12_months_ago_reporting_minor AS year_before,
        f.mrr_minor > 0 AS has, f.mrr_1_month_ago_minor > 0 AS had, f.mrr_12_months_ago_minor > 0 AS had_a_year_before,
        f.month = f.first_month AS is_first, f.mrr_minor > f.mrr_1_month_ago_minor AS grew,
        f.mrr_minor < f.mrr_1_month_ago_minor AS shrank, m.churn_reason = 'payment_failed' AS is_involuntary
      FROM fact_mrr_month AS f
      LEFT JOIN ${currentRegion} ON c.customer_id = f.customer_id
      LEFT JOIN fact_mrr_movement AS m
        ON m.month = f.month AND m.customer_id = f.customer_id AND m.currency = f.currency`,
    metrics: {
      mrr: 'sum(after) / 100',
      new_mrr: 'sumIf(after, has AND NOT had AND is_first) / 100',
      reactivation_mrr: 'sumIf(after, has AND NOT had AND NOT is_first) / 100',
      expansion_mrr: 'sumIf(after - before, had AND has AND grew) / 100',
      contraction_mrr: 'sumIf(after - before, had AND has AND shrank) / 100',
      churn_mrr: '-sumIf(before, had AND NOT has) / 100',
      nrr: 'sumIf(after, had_a_year_before) / nullIf(sum(year_before), 0)',
      grr: 'sumIf(least(after, year_before), had_a_year_before) / nullIf(sum(year_before), 0)',
      churn_rate: 'countIf(had AND NOT has) / nullIf(countIf(had), 0)',
      voluntary_churn: 'countIf(had AND NOT has AND NOT is_involuntary)',
      involuntary_churn: 'countIf(had AND NOT has AND is_involuntary)',
      quick_ratio: `(sumIf(after, has AND NOT had) + sumIf(after - before, had AND has AND grew))
        / nullIf(sumIf(before, had AND NOT has) + sumIf(before - after, had AND has AND shrank), 0)`,
    },
  },
  cohorts: {
    rows: `SELECT f.first_month AS at, formatDateTime(f.first_month, '%Y-%m') AS cohort, f.currency AS currency,
        c.region AS region, dateDiff('month', f.first_month, f.month) AS age_months, f.mrr_minor > 0 AS has
      FROM fact_mrr_month AS f LEFT JOIN ${currentRegion} ON c.customer_id = f.customer_id
      WHERE f.month >= f.first_month`,
    metrics: { retention: 'countIf(has) / count()' },
  },
  funnel: {
    rows: `SELECT signup_month AS at, currency, region, stage.1 AS stage, stage.2 AS customers FROM mart_signup_funnel
      ARRAY JOIN [('1 Signed up', signups), ('2 Began a trial', trials), ('3 Paid within 60 days', paid_in_60_days),
        ('4 Still there after a month', kept_after_1_month), ('5 Still there after three months', kept_after_3_months)] AS stage`,
    metrics: { customers: 'sum(customers)' },
  },
  acquisition: {
    rows: `SELECT *, month AS at FROM mart_acquisition_month`,
    metrics: {
      new_paying_customers: 'sum(new_paying_customers)',
      cac: 'sum(spend_minor) / nullIf(sum(new_paying_customers), 0) / 100',
      // Of the newest month of the period, as in answer 32.
      ltv: `sumIf(mrr_minor, month = newest) / sumIf(customers, month = newest) * any(gross_margin_bps) / 10000
        * sum(customers_1_month_ago) / nullIf(sum(churned_customers), 0) / 100`,
      ltv_cac: 'ltv / cac',
    },
  },
  receivables: {
    rows: `SELECT currency, region, open_reporting_minor, open_minor, due_at, 'open now' AS state,
        dateDiff('second', due_at, now()) / 86400 AS days,
        multiIf(days <= 0, '1 not due yet', days <= 30, '2 up to 30 days', days <= 60, '3 31 to 60 days',
          days <= 90, '4 61 to 90 days', '5 over 90 days') AS age
      FROM dim_customer_invoices WHERE status IN ('open', 'partially_paid')`,
    metrics: {
      outstanding: 'sum(open_reporting_minor) / 100',
      overdue: 'sumIf(open_reporting_minor, due_at < now()) / 100',
      open_invoices: 'count()',
      outstanding_own: `sum(open_minor / ${units})`,
      overdue_own: `sumIf(open_minor / ${units}, due_at < now())`,
    },
  },
  'receivables-monthly': {
    // Of each month its last instant, or the end of the newest day there is.
    rows: `SELECT m.month AS at, b.currency AS currency, b.region AS region,
        least(addMonths(m.month, 1), m.until) AS ends_at, dateDiff('day', m.month, ends_at) AS days,
        b.opened_at < ends_at AND b.closed_at >= ends_at AS is_owed,
        b.is_whole AND b.opened_at >= m.month AND b.opened_at < ends_at AS is_sold,
        toFloat64(b.open_minor) / fx.minor_rate AS amount
      FROM fact_invoice_balance AS b
      CROSS JOIN (
        SELECT arrayJoin(arrayMap(n -> addMonths(first, n), range(toUInt32(dateDiff('month', first, until)) + 1))) AS month, until
        FROM (SELECT toStartOfMonth(min(opened_at)) AS first, (SELECT max(toDate(payment_initiated_at)) + 1 FROM dim_payment_details) AS until
              FROM fact_invoice_balance)
      ) AS m
      ASOF LEFT JOIN int_fx_rates AS fx ON fx.currency = b.currency AND fx.rate_date <= toDate32(least(toLastDayOfMonth(m.month), m.until - 1))`,
    metrics: { dso: 'sumIf(amount, is_owed) / nullIf(sumIf(amount, is_sold), 0) * max(days)' },
  },
  'paid-invoices': {
    rows: `SELECT assumeNotNull(paid_at) AS at, currency, region, due_at, dateDiff('millisecond', due_at, at) / 86400000 AS late
      FROM dim_customer_invoices WHERE status = 'paid' AND paid_at IS NOT NULL`,
    metrics: {
      late_share: 'countIf(late > 0) / count()',
      days_late_p50: 'quantileExactIf(0.5)(late, late > 0)',
      days_late_p90: 'quantileExactIf(0.9)(late, late > 0)',
    },
  },
  disputes: {
    rows: 'SELECT opened_at AS at, currency, region, reason FROM fact_dispute',
    metrics: { disputes: 'count()' },
  },
  'capture-cohorts': {
    rows: `SELECT toStartOfMonth(assumeNotNull(captured_at)) AS at, currency, region, kind, status FROM fact_transaction
      WHERE captured_at IS NOT NULL`,
    metrics: {
      dispute_rate: "countIf(kind = 'dispute') / nullIf(countIf(kind = 'charge'), 0)",
      refund_rate: "countIf(kind = 'refund' AND status = 'succeeded') / nullIf(countIf(kind = 'charge'), 0)",
    },
  },
  processing: {
    rows: `SELECT any(e.initiated_at) AS at, minIf(e.occurred_at, e.to_status = 'captured') AS captured_at,
        argMaxIf(e.currency, e.seq, e.to_status = 'captured') AS currency, argMaxIf(e.region, e.seq, e.to_status = 'captured') AS region
      FROM fact_payment_event AS e GROUP BY e.payment_id HAVING countIf(e.to_status = 'captured') > 0`,
    metrics: {
      p50: "quantileExact(0.5)(dateDiff('millisecond', at, captured_at))",
      p95: "quantileExact(0.95)(dateDiff('millisecond', at, captured_at))",
      p99: "quantileExact(0.99)(dateDiff('millisecond', at, captured_at))",
    },
  },
  transitions: {
    rows: `SELECT any(r.occurred_at) AS at, any(r.previous_status) AS from_status, any(r.status) AS to_status,
        any(r.currency) AS currency, any(r.region) AS region
      FROM raw_payments AS r GROUP BY r.payment_id, r.entity_version`,
    metrics: { changes: 'count()', illegal: '0' },
  },
  'payments-live': {
    rows: `SELECT any(r.initiated_at) AS at, argMax(r.status, r.entity_version) AS status,
        argMax(r.currency, r.entity_version) AS currency, argMax(r.region, r.entity_version) AS region
      FROM raw_payments AS r GROUP BY r.payment_id`,
    metrics: { payments: 'count()' },
  },
  pipeline: {
    rows: `SELECT topic, partition, sum(rows) AS delivered, groupBitmapMerge(offsets) AS offsets,
        max(last_landed_at) AS newest_at FROM ledger GROUP BY topic, partition`,
    metrics: {
      landed: 'sum(offsets)',
      landed_ago: "dateDiff('millisecond', max(newest_at), now64(3))",
      redelivered_share: 'sum(delivered - offsets) / sum(delivered)',
    },
  },
};

export interface FilterSetting {
  /** First instant, and the first one after the range: `2026-01-15`. */
  from: string;
  to: string;
  currencies: readonly string[];
  regions: readonly string[];
}

const grainFunctions = {
  hour: 'toStartOfHour',
  day: 'toStartOfDay',
  week: 'toMonday',
  month: 'toStartOfMonth',
};

/** The SQL of a chart's numbers, with its dimensions as text; null for rows as they are, which are no numbers. */
export function referenceSql(
  chart: Chart,
  dashboard: Dashboard,
  setting: FilterSetting,
  isTotal: boolean,
): string | null {
  const reference = references[chart.dataset];
  if (chart.kind === 'rows' || reference === undefined) return null;
  const metrics = 'metrics' in chart ? chart.metrics : [chart.metric];
  const dimensions: string[] = [];
  if ('grain' in chart && chart.grain !== undefined && !isTotal) {
    dimensions.push(
      `toString(toUnixTimestamp(toDateTime(${grainFunctions[chart.grain]}(at), 'UTC')) * 1000)`,
    );
  }
  if (chart.kind === 'heatmap') dimensions.push(chart.x, chart.y);
  if (chart.kind === 'table') dimensions.push(...chart.by);
  if (chart.kind === 'donut' || chart.kind === 'map') dimensions.push(chart.by);
  if ('over' in chart && chart.over !== undefined) dimensions.push(chart.over);
  if ('by' in chart && typeof chart.by === 'string' && chart.kind !== 'donut' && chart.kind !== 'map')
    dimensions.push(chart.by);
  const conditions = chart.where.map(
    ({ column, is }) => `${column} IN (${[is].flat().map(quoted).join(', ')})`,
  );
  const isTimed = !['receivables', 'pipeline'].includes(chart.dataset);
  const period = {
    from: `toDateTime64('${setting.from}', 3, 'UTC')`,
    to: `toDateTime64('${setting.to}', 3, 'UTC')`,
  };
  if (chart.time !== undefined)
    Object.assign(period, { from: "now64(3, 'UTC') - INTERVAL 24 HOUR", to: "now64(3, 'UTC')" });
  if (isTimed) conditions.push(`at >= ${period.from} AND at < ${period.to}`);
  for (const [name, values] of [
    ['currency', setting.currencies],
    ['region', setting.regions],
  ] as const) {
    if (
      values.length > 0 &&
      !chart.ignores.includes(name) &&
      dashboard.filters.some(({ column }) => column === name)
    ) {
      conditions.push(`${name} IN (${values.map(quoted).join(', ')})`);
    }
  }
  const newest = `(SELECT max(month) FROM mart_acquisition_month WHERE customers > 0 AND month < ${period.to}) AS newest`;
  const columns = [
    ...dimensions.map((dimension, index) => `toString(${dimension}) AS dimension_${String(index)}`),
    ...metrics.map(
      (name) =>
        `${reference.metrics[name] ?? `throwIf(1, 'no reference for ${chart.dataset}.${name}')`} AS ${name}`,
    ),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const group =
    dimensions.length === 0
      ? ''
      : `GROUP BY ${dimensions.map((_, index) => `dimension_${String(index)}`).join(', ')}`;
  return `WITH ${newest} SELECT ${columns.join(', ')} FROM (${reference.rows}) ${where} ${group}`;
}

function quoted(text: string): string {
  return `'${text}'`;
}
