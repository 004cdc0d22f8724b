import type { BillingEvent } from '../../../../producers/events.ts';
import {
  add,
  endOfMonth,
  groupBy,
  latestOf,
  monthOf,
  monthsBetween,
  numberOf,
  recordsOf,
  textOf,
  type Tally,
} from './records.ts';

/** Questions 7, 8, 9 and 37, from each invoice as it is at the end of the history. */
export function recountInvoices(events: readonly BillingEvent[]) {
  const outstanding: Tally = new Map();
  const paid: Tally = new Map();
  const late: Tally = new Map();
  const ofCustomer = { invoices: new Map() as Tally, total: new Map() as Tally, paid: new Map() as Tally };
  for (const invoice of latestOf(recordsOf(events, 'billing.invoices'), 'invoice_id')) {
    const currency = textOf(invoice, 'currency');
    const status = textOf(invoice, 'status');
    const totalMinor = numberOf(invoice, 'total_minor');
    const paidMinor = numberOf(invoice, 'paid_minor');
    add(paid, currency, paidMinor);
    if (status === 'open' || status === 'partially_paid') add(outstanding, currency, totalMinor - paidMinor);
    if (invoice['paid_at'] !== null && numberOf(invoice, 'paid_at') > numberOf(invoice, 'due_at')) {
      add(late, monthOf(numberOf(invoice, 'paid_at')));
    }
    if (status === 'draft' || status === 'void') continue;
    const key = `${textOf(invoice, 'customer_id')} ${monthOf(numberOf(invoice, 'issued_at'))}`;
    add(ofCustomer.invoices, key);
    add(ofCustomer.total, key, totalMinor);
    add(ofCustomer.paid, key, paidMinor);
  }
  return { outstanding, paid, late, ofCustomer };
}

/** Question 10, by month and currency: what was owed at the end of the month, and what was billed in it. */
export function recountReceivables(events: readonly BillingEvent[]) {
  const closing: Tally = new Map();
  const billed: Tally = new Map();
  const changes = recordsOf(events, 'billing.invoices');
  const happened = changes.map((change) => monthOf(numberOf(change, 'occurred_at'))).sort();
  const months = monthsBetween(happened[0]!, happened.at(-1)!);
  for (const versions of groupBy(changes, 'invoice_id').values()) {
    const currency = textOf(versions[0]!, 'currency');
    const opened = versions.find(({ status }) => status === 'open');
    if (opened === undefined) continue;
    const openedIn = monthOf(numberOf(opened, 'occurred_at'));
    add(billed, `${openedIn} ${currency}`, numberOf(opened, 'total_minor'));
    for (const month of months.slice(months.indexOf(openedIn))) {
      const state = versions
        .filter((version) => numberOf(version, 'occurred_at') < endOfMonth(month))
        .at(-1)!;
      if (state['status'] !== 'open' && state['status'] !== 'partially_paid') {
        if (state === versions.at(-1)) break;
        continue;
      }
      add(closing, `${month} ${currency}`, numberOf(state, 'total_minor') - numberOf(state, 'paid_minor'));
    }
  }
  return { closing, billed };
}

/** Question 19, by month of signup, channel and country. */
export function recountSignups(events: readonly BillingEvent[]): Tally {
  const signups: Tally = new Map();
  for (const customer of latestOf(recordsOf(events, 'billing.customers'), 'customer_id')) {
    const month = monthOf(numberOf(customer, 'signup_at'));
    add(signups, `${month} ${textOf(customer, 'channel')} ${textOf(customer, 'country')}`);
  }
  return signups;
}
