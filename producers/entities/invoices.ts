import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import { addMonths } from '../scenario/local-time.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type InvoiceStatus } from '../scenario/state-machines.ts';
import type { Customer } from './customers.ts';
import type { Order } from './orders.ts';

const dayMs = 86_400_000;

export interface Invoice extends Entity {
  id: string;
  number: string;
  customer: Customer;
  /** The order that is billed; null for a subscription. */
  order: Order | null;
  subtotalMinor: number;
  discountMinor: number;
  taxMinor: number;
  totalMinor: number;
  paidMinor: number;
  /** Length of the period that is billed. */
  months: number;
  dueDays: number;
  issuedAt: number;
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

/** What is billed to whom. */
export interface Bill {
  customer: Customer;
  /** Price of the whole period, in minor units of USD. */
  usdMinor: number;
  months: number;
  dueDays: number;
}

export function createInvoice(scenario: Scenario, random: Random, bill: Bill, numbering: Numbering): Invoice {
  const { customer, usdMinor, months, dueDays } = bill;
  const { discounted, discountBps } = scenario.settings.invoices;
  const { minorPerUsdMinor, taxBps } = customer.place;
  const key = scenario.ids.next('invoice', numbering);
  const subtotalMinor = Math.max(1, Math.round(usdMinor * minorPerUsdMinor));
  const discount = random.chance(discounted)
    ? (discountBps[random.integer(0, discountBps.length - 1)] ?? 0)
    : 0;
  const discountMinor = Math.round((subtotalMinor * discount) / 10_000);
  const taxMinor = Math.round(((subtotalMinor - discountMinor) * taxBps) / 10_000);
  return {
    key,
    version: 0,
    id: idOf(key),
    number: `${key.high.toString(16).padStart(8, '0').toUpperCase()}-${String(numbering.counts.invoice).padStart(4, '0')}`,
    customer,
    order: null,
    subtotalMinor,
    discountMinor,
    taxMinor,
    totalMinor: subtotalMinor - discountMinor + taxMinor,
    paidMinor: 0,
    months,
    dueDays,
    issuedAt: 0,
    paidAt: null,
    status: 'none',
  };
}

export function changeInvoice(scenario: Scenario, step: InvoiceStep, at: number): BillingEvent {
  const { invoice, to } = step;
  assertLegal('invoice', invoice.status, to);
  if (invoice.status === 'none') invoice.issuedAt = at;
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
    period_start_at: invoice.issuedAt,
    period_end_at: addMonths(invoice.issuedAt, invoice.months),
    subtotal_minor: invoice.subtotalMinor,
    discount_minor: invoice.discountMinor,
    tax_minor: invoice.taxMinor,
    total_minor: invoice.totalMinor,
    paid_minor: invoice.paidMinor,
    issued_at: invoice.issuedAt,
    due_at: invoice.issuedAt + invoice.dueDays * dayMs,
    paid_at: invoice.paidAt,
    status: to,
  };
  return { topic: 'billing.invoices', at, record };
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
