import type { BillingEvent } from '../../../../producers/events.ts';
import {
  add,
  dayOf,
  groupBy,
  latestOf,
  monthOf,
  numberOf,
  recordsOf,
  textOf,
  type EventRecord,
  type Tally,
} from './records.ts';

const fourteenDays = 14 * 86_400_000;

/** One payment, its transitions in the order of their versions. */
interface Payment {
  events: EventRecord[];
  customerId: string;
  initiatedAt: number;
  currency: string;
  region: string;
  amountMinor: number;
  /** Undefined when it never was. */
  capturedAt: number | undefined;
  capturedAttempt: number | undefined;
}

function paymentsOf(events: readonly BillingEvent[]): Payment[] {
  return [...groupBy(recordsOf(events, 'billing.payments'), 'payment_id').values()].map((transitions) => {
    const first = transitions[0]!;
    const capture = transitions.find((event) => event['status'] === 'captured');
    return {
      events: transitions,
      customerId: textOf(first, 'customer_id'),
      initiatedAt: numberOf(first, 'occurred_at'),
      currency: textOf(first, 'currency'),
      region: textOf(first, 'region'),
      amountMinor: numberOf(first, 'amount_minor'),
      capturedAt: capture && numberOf(capture, 'occurred_at'),
      capturedAttempt: capture && numberOf(capture, 'attempt_no'),
    };
  });
}

/** Questions 1, 21 and 22: by the day, the month, or the month and currency in which a payment was initiated. */
export function recountPayments(events: readonly BillingEvent[]) {
  const daily = { payments: new Map() as Tally, captured: new Map() as Tally };
  const monthly = {
    capturedFirst: new Map() as Tally,
    capturedInTime: new Map() as Tally,
    retries: new Map() as Tally,
    failedFirst: new Map() as Tally,
    recovered: new Map() as Tally,
  };
  const recoveredMinor: Tally = new Map();
  for (const payment of paymentsOf(events)) {
    const { initiatedAt, capturedAt, currency, amountMinor } = payment;
    const month = monthOf(initiatedAt);
    add(daily.payments, dayOf(initiatedAt));
    add(monthly.retries, month, payment.events.filter(({ status }) => status === 'retrying').length);
    const failedFirst = payment.events.some(
      (event) => event['status'] === 'failed' && event['attempt_no'] === 1,
    );
    if (failedFirst) add(monthly.failedFirst, month);
    if (capturedAt === undefined) continue;
    add(daily.captured, dayOf(initiatedAt));
    const isInTime = capturedAt <= initiatedAt + fourteenDays;
    if (isInTime && payment.capturedAttempt === 1) add(monthly.capturedFirst, month);
    if (isInTime) add(monthly.capturedInTime, month);
    if (!failedFirst) continue;
    add(monthly.recovered, month);
    add(recoveredMinor, `${month} ${currency}`, amountMinor);
  }
  return { daily, monthly, recoveredMinor };
}

/** Question 4: attempts that ended without success, by month of their end and code. */
export function recountFailures(events: readonly BillingEvent[]): Tally {
  const failures: Tally = new Map();
  for (const event of recordsOf(events, 'billing.payments')) {
    if (event['status'] !== 'failed' && event['status'] !== 'abandoned') continue;
    add(failures, `${monthOf(numberOf(event, 'occurred_at'))} ${textOf(event, 'failure_code')}`);
  }
  return failures;
}

/** Question 5: by the month in which money came or went, region and currency. */
export function recountRevenue(events: readonly BillingEvent[]) {
  const revenue = { gross: new Map() as Tally, refunds: new Map() as Tally, lost: new Map() as Tally };
  for (const { events: transitions, region, currency, amountMinor } of paymentsOf(events)) {
    let refundedMinor = 0;
    for (const event of transitions) {
      const key = `${monthOf(numberOf(event, 'occurred_at'))} ${region} ${currency}`;
      const refundedNow = numberOf(event, 'refunded_minor') - refundedMinor;
      refundedMinor += refundedNow;
      add(revenue.refunds, key, refundedNow);
      if (event['status'] === 'captured') add(revenue.gross, key, amountMinor);
      if (event['status'] === 'lost') add(revenue.lost, key, amountMinor - refundedMinor);
    }
  }
  return revenue;
}

/** Questions 24 and 25: what became of the captures of a month, by month and currency. */
export function recountCaptures(events: readonly BillingEvent[]) {
  const counts = {
    captures: new Map() as Tally,
    minor: new Map() as Tally,
    refunded: new Map() as Tally,
    refundedMinor: new Map() as Tally,
    disputed: new Map() as Tally,
    won: new Map() as Tally,
    lost: new Map() as Tally,
  };
  for (const { events: transitions, capturedAt, currency, amountMinor } of paymentsOf(events)) {
    if (capturedAt === undefined) continue;
    const key = `${monthOf(capturedAt)} ${currency}`;
    const refundedMinor = numberOf(transitions.at(-1)!, 'refunded_minor');
    const statuses = new Set(transitions.map(({ status }) => status));
    add(counts.captures, key);
    add(counts.minor, key, amountMinor);
    add(counts.refunded, key, refundedMinor > 0 ? 1 : 0);
    add(counts.refundedMinor, key, refundedMinor);
    add(counts.disputed, key, statuses.has('disputed') ? 1 : 0);
    add(counts.won, key, statuses.has('won') ? 1 : 0);
    add(counts.lost, key, statuses.has('lost') ? 1 : 0);
  }
  return counts;
}

/** Question 18: payments by the customer's own weekday and hour, as the runtime's time zones have it. */
export function recountBusyHours(events: readonly BillingEvent[]): Tally {
  const zones = new Map(
    latestOf(recordsOf(events, 'billing.customers'), 'customer_id').map((customer) => [
      textOf(customer, 'customer_id'),
      textOf(customer, 'timezone'),
    ]),
  );
  const formats = new Map<string, Intl.DateTimeFormat>();
  const hours: Tally = new Map();
  for (const { customerId, initiatedAt } of paymentsOf(events)) {
    const timeZone = zones.get(customerId)!;
    const format =
      formats.get(timeZone) ??
      new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short', hour: 'numeric', hourCycle: 'h23' });
    formats.set(timeZone, format);
    const parts = new Map(format.formatToParts(initiatedAt).map(({ type, value }) => [type, value]));
    add(hours, `${parts.get('weekday')!} ${Number(parts.get('hour'))}`);
  }
  return hours;
}
