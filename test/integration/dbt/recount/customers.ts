import type { BillingEvent } from '../../../../producers/events.ts';
import {
  add,
  groupBy,
  latestOf,
  monthOf,
  monthsLater,
  numberOf,
  recordsOf,
  textOf,
  type EventRecord,
  type Tally,
} from './records.ts';
import { mrrOf, type RecurringRevenue } from './subscriptions.ts';

const dayMs = 86_400_000;

/** When each customer's payments were captured, in the order of time. */
function capturesByCustomer(events: readonly BillingEvent[]) {
  const captures = new Map<string, number[]>();
  for (const payment of recordsOf(events, 'billing.payments')) {
    if (payment['status'] !== 'captured') continue;
    const customerId = textOf(payment, 'customer_id');
    const moments = captures.get(customerId) ?? [];
    moments.push(numberOf(payment, 'occurred_at'));
    captures.set(customerId, moments);
  }
  for (const moments of captures.values()) moments.sort((a, b) => a - b);
  return captures;
}

/** When each customer had first paid an invoice of a subscription in full. */
function firstPaidByCustomer(events: readonly BillingEvent[]): Map<string, number> {
  const firstPaid = new Map<string, number>();
  for (const invoice of recordsOf(events, 'billing.invoices')) {
    if (invoice['status'] !== 'paid' || invoice['paid_minor'] === 0) continue;
    if (invoice['subscription_id'] === null) continue;
    const customerId = textOf(invoice, 'customer_id');
    const paidAt = numberOf(invoice, 'occurred_at');
    firstPaid.set(customerId, Math.min(paidAt, firstPaid.get(customerId) ?? Number.POSITIVE_INFINITY));
  }
  return firstPaid;
}

/** Question 11: what each customer has brought in, less what went back, in the customer's currency. */
export function recountLifetimeValue(events: readonly BillingEvent[]): Tally {
  const net: Tally = new Map();
  for (const transitions of groupBy(recordsOf(events, 'billing.payments'), 'payment_id').values()) {
    const last = transitions.at(-1)!;
    if (!transitions.some(({ status }) => status === 'captured')) continue;
    const kept = numberOf(last, 'amount_minor') - numberOf(last, 'refunded_minor');
    add(net, textOf(last, 'customer_id'), last['status'] === 'lost' ? 0 : kept);
  }
  return net;
}

/** Question 12, by month: captures, customers who were active, and the days between captures (of the later one). */
export function recountFrequency(events: readonly BillingEvent[], { months, accounts }: RecurringRevenue) {
  const captures: Tally = new Map();
  const gapDays = new Map<string, number[]>();
  const active = new Set<string>();
  for (const [customerId, moments] of capturesByCustomer(events)) {
    moments.forEach((at, index) => {
      add(captures, monthOf(at));
      active.add(`${monthOf(at)} ${customerId}`);
      if (index === 0) return;
      const gaps = gapDays.get(monthOf(at)) ?? [];
      gaps.push(Math.floor((at - moments[index - 1]!) / dayMs));
      gapDays.set(monthOf(at), gaps);
    });
  }
  for (const { customerId, mrr } of accounts) {
    mrr.forEach((minor, index) => {
      if (minor > 0) active.add(`${months[index]!} ${customerId}`);
    });
  }
  const activeCustomers: Tally = new Map();
  for (const key of active) add(activeCustomers, key.split(' ')[0]!);
  return { captures, activeCustomers, gapDays };
}

/** Question 32, by month and channel: money spent, and customers who had paid for a subscription the first time. */
export function recountAcquisition(events: readonly BillingEvent[]) {
  const spend: Tally = new Map();
  for (const spent of recordsOf(events, 'billing.marketing-spend')) {
    const month = monthOf(numberOf(spent, 'spend_date') * dayMs);
    add(spend, `${month} ${textOf(spent, 'channel')}`, numberOf(spent, 'spend_minor'));
  }
  const customers: Tally = new Map();
  const channels = new Map(customersOf(events).map((customer) => [customer['customer_id'], customer]));
  for (const [customerId, paidAt] of firstPaidByCustomer(events)) {
    add(customers, `${monthOf(paidAt)} ${textOf(channels.get(customerId)!, 'channel')}`);
  }
  return { spend, customers };
}

/** Question 33, by month of signup. */
export function recountFunnel(events: readonly BillingEvent[]) {
  const counts = {
    signups: new Map() as Tally,
    trials: new Map() as Tally,
    paidIn30: new Map() as Tally,
    paidIn60: new Map() as Tally,
    keptOne: new Map() as Tally,
    keptThree: new Map() as Tally,
  };
  const allChanges = recordsOf(events, 'billing.subscriptions');
  const knownUntil = Math.max(...allChanges.map((change) => numberOf(change, 'occurred_at')));
  const subscriptions = groupBy(allChanges, 'customer_id');
  const firstPaid = firstPaidByCustomer(events);
  for (const customer of customersOf(events)) {
    const signupAt = numberOf(customer, 'signup_at');
    const month = monthOf(signupAt);
    const changes = subscriptions.get(textOf(customer, 'customer_id')) ?? [];
    add(counts.signups, month);
    if (changes.some(({ status }) => status === 'trialing')) add(counts.trials, month);
    const paidAt = firstPaid.get(textOf(customer, 'customer_id'));
    if (paidAt === undefined || paidAt > signupAt + 60 * dayMs) continue;
    if (paidAt <= signupAt + 30 * dayMs) add(counts.paidIn30, month);
    add(counts.paidIn60, month);
    if (paysAt(changes, monthsLater(paidAt, 1), knownUntil)) add(counts.keptOne, month);
    if (paysAt(changes, monthsLater(paidAt, 3), knownUntil)) add(counts.keptThree, month);
  }
  return counts;
}

/** Whether it is known that any of a customer's subscriptions brings something in at a moment. */
function paysAt(changes: readonly EventRecord[], at: number, knownUntil: number): boolean {
  if (at > knownUntil) return false;
  const before = changes.filter((change) => numberOf(change, 'occurred_at') <= at);
  return latestOf(before, 'subscription_id').some((state) => mrrOf(state) > 0);
}

function customersOf(events: readonly BillingEvent[]): EventRecord[] {
  return latestOf(recordsOf(events, 'billing.customers'), 'customer_id');
}
