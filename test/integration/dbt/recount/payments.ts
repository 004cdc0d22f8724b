import type { BillingEvent } from '../../../../producers/events.ts';
import {
  add,
  dayOf,
  groupBy,
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
  first: EventRecord;
  events: EventRecord[];
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
      first,
      events: transitions,
      initiatedAt: numberOf(first, 'occurred_at'),
      currency: textOf(first, 'currency'),
      region: textOf(first, 'region'),
      amountMinor: numberOf(first, 'amount_minor'),
      capturedAt: capture && numberOf(capture, 'occurred_at'),
      capturedAttempt: capture && numberOf(capture, 'attempt_no'),
    };
  });
}

/** Questions 1, 2, 5, 21, 22, 24 and 25 over a history, counted payment by payment. */
export function recountPayments(events: readonly BillingEvent[]) {
  const perDay = { payments: new Map() as Tally, captured: new Map() as Tally };
  const captured = { count: new Map() as Tally, minor: new Map() as Tally };
  const revenue = { gross: new Map() as Tally, refunds: new Map() as Tally, lost: new Map() as Tally };
  const success = { payments: new Map() as Tally, first: new Map() as Tally, eventual: new Map() as Tally };
  const retries = { retries: new Map() as Tally, failed: new Map() as Tally, recovered: new Map() as Tally };
  const recoveredMinor: Tally = new Map();
  const refunds = { captures: new Map() as Tally, refunded: new Map() as Tally, minor: new Map() as Tally };
  const disputes = { opened: new Map() as Tally, won: new Map() as Tally, lost: new Map() as Tally };
  for (const payment of paymentsOf(events)) {
    const { initiatedAt, capturedAt, currency, region, amountMinor } = payment;
    const started = monthOf(initiatedAt);
    add(perDay.payments, dayOf(initiatedAt));
    add(success.payments, started);
    const attempts = Math.max(...payment.events.map((event) => numberOf(event, 'attempt_no')));
    add(retries.retries, started, attempts - 1);
    const failedFirst = payment.events.some(
      (event) => event['status'] === 'failed' && event['attempt_no'] === 1,
    );
    if (failedFirst) add(retries.failed, started);
    let refundedMinor = 0;
    for (const event of payment.events) {
      const when = monthOf(numberOf(event, 'occurred_at'));
      const refundedNow = numberOf(event, 'refunded_minor') - refundedMinor;
      refundedMinor += refundedNow;
      const key = `${when} ${region} ${currency}`;
      if (refundedNow > 0) add(revenue.refunds, key, refundedNow);
      if (event['status'] === 'lost') add(revenue.lost, key, amountMinor - refundedMinor);
    }
    if (capturedAt === undefined) continue;
    const month = monthOf(capturedAt);
    add(perDay.captured, dayOf(initiatedAt));
    add(captured.count, `${month} ${currency}`);
    add(captured.minor, `${month} ${currency}`, amountMinor);
    add(revenue.gross, `${month} ${region} ${currency}`, amountMinor);
    const isInTime = capturedAt <= initiatedAt + fourteenDays;
    if (isInTime && payment.capturedAttempt === 1) add(success.first, started);
    if (isInTime) add(success.eventual, started);
    if (failedFirst) {
      add(retries.recovered, started);
      add(recoveredMinor, `${started} ${currency}`, amountMinor);
    }
    add(refunds.captures, `${month} ${currency}`);
    if (refundedMinor > 0) add(refunds.refunded, `${month} ${currency}`);
    add(refunds.minor, `${month} ${currency}`, refundedMinor);
    const statuses = new Set(payment.events.map((event) => event['status']));
    if (statuses.has('disputed')) add(disputes.opened, month);
    if (statuses.has('won')) add(disputes.won, month);
    if (statuses.has('lost')) add(disputes.lost, month);
  }
  return { perDay, captured, revenue, success, retries, recoveredMinor, refunds, disputes };
}
