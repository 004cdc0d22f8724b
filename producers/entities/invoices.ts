import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import { addMonths } from '../scenario/local-time.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type InvoiceStatus } from '../scenario/state-machines.ts';
import type { Customer } from './customers.ts';
import type { InvoiceLine } from './invoice-lines.ts';
import type { Order } from './orders.ts';
import type { Subscription } from './subscriptions.ts';

const dayMs = 86_400_000;

export interface Invoice extends Entity {
  id: string;
  number: string;
  customer: Customer;
  /** What is billed: the one or the other. */
  subscription: Subscription | null;
  order: Order | null;
  subtotalMinor: number;
  discountMinor: number;
  taxMinor: number;
  totalMinor: number;
  paidMinor: number;
  /** Length of the period that is billed where the subscription does not say it; 0 for an order. */
  months: number;
  dueDays: number;
  issuedAt: number;
  periodStartAt: number;
  periodEndAt: number;
  paidAt: number | null;
  status: InvoiceStatus;
}

/** A change of an invoice that is about to happen. */
export interface InvoiceStep {
  kind: 'invoice';
  invoice: Invoice;
  to: InvoiceStatus;
  /** What this change adds to the amount paid. */
  paidMinor: number;
}

/** What is billed to whom. Amounts are in minor units of the customer's currency. */
export interface Bill {
  customer: Customer;
  lines: readonly BillLine[];
  subscription: Subscription | null;
  order: Order | null;
  /** Taken off all lines together. */
  discountMinor: number;
  /** Length of the period billed; 0 for an order. */
  months: number;
  dueDays: number;
}

export interface BillLine {
  kind: 'subscription' | 'product' | 'shipping';
  description: string;
  planId: string | null;
  productId: string | null;
  quantity: number;
  unitAmountMinor: number;
}

export interface NewInvoice {
  invoice: Invoice;
  lines: InvoiceLine[];
}

/**
 * The invoice of a bill. The discount falls on the lines by their amounts, to the cent, and tax is rounded per
 * line: every total of the invoice is the sum over its lines.
 */
export function createInvoice(scenario: Scenario, bill: Bill, numbering: Numbering): NewInvoice {
  const { ids } = scenario;
  const { customer, subscription, order, months, dueDays } = bill;
  const key = ids.next('invoice', numbering);
  const invoice: Invoice = {
    key,
    version: 0,
    id: idOf(key),
    number: `${key.high.toString(16).padStart(8, '0').toUpperCase()}-${String(numbering.counts.invoice).padStart(4, '0')}`,
    customer,
    subscription,
    order,
    subtotalMinor: subtotalOf(bill),
    discountMinor: bill.discountMinor,
    taxMinor: 0,
    totalMinor: 0,
    paidMinor: 0,
    months,
    dueDays,
    issuedAt: 0,
    periodStartAt: 0,
    periodEndAt: 0,
    paidAt: null,
    status: 'none',
  };
  const { subtotalMinor } = invoice;
  const lines: InvoiceLine[] = [];
  let amountSoFar = 0;
  let discountSoFar = 0;
  for (const charged of bill.lines) {
    const amountMinor = charged.quantity * charged.unitAmountMinor;
    amountSoFar += amountMinor;
    // Rounding what has come together so far loses no cent, which rounding each line would.
    const discountUpToHere = Math.round((amountSoFar / (subtotalMinor || 1)) * bill.discountMinor);
    const discountMinor = discountUpToHere - discountSoFar;
    discountSoFar = discountUpToHere;
    const taxMinor = Math.round(((amountMinor - discountMinor) * customer.place.taxBps) / 10_000);
    invoice.taxMinor += taxMinor;
    const lineKey = ids.next('invoiceLine', numbering);
    lines.push({
      key: lineKey,
      version: 0,
      id: idOf(lineKey),
      invoice,
      lineNo: lines.length + 1,
      charged,
      amountMinor,
      discountMinor,
      taxMinor,
    });
  }
  invoice.totalMinor = subtotalMinor - bill.discountMinor + invoice.taxMinor;
  return { invoice, lines };
}

/** Sum of the lines, before discount and tax. */
export function subtotalOf({ lines }: Bill): number {
  let sum = 0;
  for (const { quantity, unitAmountMinor } of lines) sum += quantity * unitAmountMinor;
  return sum;
}

export function changeInvoice(scenario: Scenario, step: InvoiceStep, at: number): BillingEvent {
  const { invoice, to } = step;
  assertLegal('invoice', invoice.status, to);
  if (invoice.status === 'none') issue(invoice, at);
  invoice.status = to;
  invoice.paidMinor += step.paidMinor;
  if (to === 'paid') invoice.paidAt = at;
  const version = (invoice.version += 1);
  const record = {
    event_id: scenario.ids.eventId(invoice.key, version, at),
    event_type: eventTypes[to],
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    invoice_id: invoice.id,
    customer_id: invoice.customer.id,
    number: invoice.number,
    currency: invoice.customer.place.currency,
    country: invoice.customer.place.country,
    period_start_at: invoice.periodStartAt,
    period_end_at: invoice.periodEndAt,
    subtotal_minor: invoice.subtotalMinor,
    discount_minor: invoice.discountMinor,
    tax_minor: invoice.taxMinor,
    total_minor: invoice.totalMinor,
    paid_minor: invoice.paidMinor,
    issued_at: invoice.issuedAt,
    due_at: invoice.issuedAt + invoice.dueDays * dayMs,
    paid_at: invoice.paidAt,
    status: to,
    subscription_id: invoice.subscription === null ? null : invoice.subscription.id,
    order_id: invoice.order === null ? null : invoice.order.id,
  };
  return { topic: 'billing.invoices', at, record };
}

/** A subscription's invoice is for the period the subscription is in when it is drafted. */
function issue(invoice: Invoice, at: number): void {
  const { subscription, months } = invoice;
  invoice.issuedAt = at;
  invoice.periodStartAt = subscription === null ? at : subscription.periodStartAt;
  invoice.periodEndAt = subscription === null ? addMonths(at, months) : subscription.periodEndAt;
}

const eventTypes: Readonly<Record<InvoiceStatus, string>> = {
  none: 'invoice.unknown',
  draft: 'invoice.drafted',
  open: 'invoice.opened',
  partially_paid: 'invoice.partially_paid',
  paid: 'invoice.paid',
  void: 'invoice.voided',
  uncollectible: 'invoice.written_off',
};
