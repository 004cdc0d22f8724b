import type { BillingEvent } from '../../../../producers/events.ts';
import { add, latestOf, monthOf, numberOf, recordsOf, textOf, type Tally } from './records.ts';

/** Questions 7, 8, 9 and 37, from each invoice as it is at the end of the history. */
export function recountInvoices(events: readonly BillingEvent[]) {
  const outstanding: Tally = new Map();
  const paid: Tally = new Map();
  const late: Tally = new Map();
  const monthly = { invoices: new Map() as Tally, total: new Map() as Tally, paid: new Map() as Tally };
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
    const key = `${textOf(invoice, 'customer_id')} ${monthOf(numberOf(invoice, 'issued_at'))}`;
    add(monthly.invoices, key);
    add(monthly.total, key, totalMinor);
    add(monthly.paid, key, paidMinor);
  }
  return { outstanding, paid, late, monthly };
}
