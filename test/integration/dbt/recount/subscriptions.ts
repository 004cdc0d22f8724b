import type { BillingEvent } from '../../../../producers/events.ts';
import {
  add,
  endOfMonth,
  groupBy,
  monthOf,
  monthsBetween,
  numberOf,
  recordsOf,
  textOf,
  type EventRecord,
  type Tally,
} from './records.ts';

/** What a subscription brings in for a month, in each of its states. */
export function mrrOf(event: EventRecord): number {
  if (event['status'] !== 'active' && event['status'] !== 'past_due') return 0;
  const price = numberOf(event, 'quantity') * numberOf(event, 'unit_amount_minor');
  const net = price - Math.round((price * numberOf(event, 'discount_bps')) / 10_000);
  return event['interval'] === 'year' ? Math.round(net / 12) : net;
}

/** A customer's recurring revenue in one currency. */
export interface Account {
  customerId: string;
  currency: string;
  /** At the end of each month of the history; the last month as far as it went. */
  mrr: number[];
  /** For each month that ended with nothing: whether for want of payment. */
  isInvoluntary: Map<string, boolean>;
}

export interface RecurringRevenue {
  months: string[];
  accounts: Account[];
}

/** Goes through each customer's subscriptions month by month. */
export function recountRecurringRevenue(events: readonly BillingEvent[]): RecurringRevenue {
  const changes = recordsOf(events, 'billing.subscriptions');
  const happened = changes.map((change) => monthOf(numberOf(change, 'occurred_at'))).sort();
  const months = monthsBetween(happened[0]!, happened.at(-1)!);
  const accounts = new Map<string, Account>();
  for (const versions of groupBy(changes, 'subscription_id').values()) {
    versions.sort((a, b) => numberOf(a, 'entity_version') - numberOf(b, 'entity_version'));
    const customerId = textOf(versions[0]!, 'customer_id');
    const currency = textOf(versions[0]!, 'currency');
    const key = `${customerId} ${currency}`;
    const account = accounts.get(key) ?? { customerId, currency, mrr: [], isInvoluntary: new Map() };
    accounts.set(key, account);
    let next = 0;
    months.forEach((month, index) => {
      while (next < versions.length && numberOf(versions[next]!, 'occurred_at') < endOfMonth(month))
        next += 1;
      const state = versions[next - 1];
      const mrr = state === undefined ? 0 : mrrOf(state);
      const isUnpaid = state?.['status'] === 'unpaid' || state?.['cancel_reason'] === 'payment_failed';
      if (mrr === 0) account.isInvoluntary.set(month, isUnpaid);
      account.mrr[index] = (account.mrr[index] ?? 0) + mrr;
    });
  }
  return { months, accounts: [...accounts.values()] };
}

/** Questions 26 and 27, by month and currency. */
export function recountMovements({ months, accounts }: RecurringRevenue) {
  const counts = {
    mrr: new Map() as Tally,
    new: new Map() as Tally,
    reactivation: new Map() as Tally,
    expansion: new Map() as Tally,
    contraction: new Map() as Tally,
    churn: new Map() as Tally,
  };
  for (const { currency, mrr } of accounts) {
    months.forEach((month, index) => {
      const key = `${month} ${currency}`;
      const [start, end] = [mrr[index - 1] ?? 0, mrr[index]!];
      const hadAny = mrr.slice(0, index).some((minor) => minor > 0);
      add(counts.mrr, key, end);
      if (start === end) return;
      if (start === 0) add(hadAny ? counts.reactivation : counts.new, key, end);
      else if (end === 0) add(counts.churn, key, start);
      else if (end > start) add(counts.expansion, key, end - start);
      else add(counts.contraction, key, start - end);
    });
  }
  return counts;
}

/** Question 29, by month and currency: what customers who paid `window` months before have become. */
export function recountRetention({ months, accounts }: RecurringRevenue, window: number) {
  const counts = { cohort: new Map() as Tally, start: new Map() as Tally, kept: new Map() as Tally };
  const end: Tally = new Map();
  for (const { currency, mrr } of accounts) {
    for (let index = window; index < months.length; index += 1) {
      const [then, now] = [mrr[index - window]!, mrr[index]!];
      if (then === 0) continue;
      const key = `${months[index]!} ${currency}`;
      add(counts.cohort, key);
      add(counts.start, key, then);
      add(counts.kept, key, Math.min(then, now));
      add(end, key, now);
    }
  }
  return { ...counts, end };
}

/** Question 31, by month. Nobody of a generated history has more than one currency. */
export function recountCustomerChurn({ months, accounts }: RecurringRevenue) {
  const counts = { start: new Map() as Tally, churned: new Map() as Tally, involuntary: new Map() as Tally };
  for (const { mrr, isInvoluntary } of accounts) {
    for (let index = 1; index < months.length; index += 1) {
      if (mrr[index - 1] === 0) continue;
      const month = months[index]!;
      add(counts.start, month);
      if (mrr[index] !== 0) continue;
      add(counts.churned, month);
      if (isInvoluntary.get(month) === true) add(counts.involuntary, month);
    }
  }
  return counts;
}

/** Question 34: customers left and their MRR, by first month, age in months, and currency. */
export function recountCohorts({ months, accounts }: RecurringRevenue) {
  const counts = { customers: new Map() as Tally, mrr: new Map() as Tally };
  for (const { currency, mrr } of accounts) {
    const born = mrr.findIndex((minor) => minor > 0);
    if (born === -1) continue;
    for (let index = born; index < months.length; index += 1) {
      const key = `${months[born]!} ${index - born} ${currency}`;
      const minor = mrr[index]!;
      add(counts.customers, key, minor > 0 ? 1 : 0);
      add(counts.mrr, key, minor);
    }
  }
  return counts;
}
