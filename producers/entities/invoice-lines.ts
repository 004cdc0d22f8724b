import type { BillingEvent, Entity } from '../events.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { BillLine, Invoice } from './invoices.ts';

export interface InvoiceLine extends Entity {
  id: string;
  invoice: Invoice;
  /** Position in the invoice, from 1. */
  lineNo: number;
  charged: BillLine;
  /** In minor units of the invoice's currency, as all amounts here. */
  amountMinor: number;
  discountMinor: number;
  taxMinor: number;
}

/** A line that is about to be written, together with the draft of its invoice. */
export interface InvoiceLineStep {
  kind: 'invoiceLine';
  line: InvoiceLine;
}

export function tellInvoiceLine(scenario: Scenario, { line }: InvoiceLineStep, at: number): BillingEvent {
  const { invoice, charged, amountMinor, discountMinor, taxMinor } = line;
  const { customer, subscription } = invoice;
  const version = (line.version += 1);
  const record = {
    event_id: scenario.ids.eventId(line.key, version, at),
    event_type: 'invoice_line.created',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    invoice_line_id: line.id,
    invoice_id: invoice.id,
    customer_id: customer.id,
    line_no: line.lineNo,
    kind: charged.kind,
    description: charged.description,
    subscription_id: charged.kind === 'subscription' && subscription !== null ? subscription.id : null,
    plan_id: charged.planId,
    product_id: charged.productId,
    quantity: charged.quantity,
    unit_amount_minor: charged.unitAmountMinor,
    amount_minor: amountMinor,
    discount_minor: discountMinor,
    tax_bps: customer.place.taxBps,
    tax_minor: taxMinor,
    total_minor: amountMinor - discountMinor + taxMinor,
    currency: customer.place.currency,
    period_start_at: invoice.periodStartAt,
    period_end_at: invoice.periodEndAt,
  };
  return { topic: 'billing.invoice-lines', at, record };
}
