import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { FailureCode, MethodName } from '../scenario/payment-settings.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type PaymentStatus } from '../scenario/state-machines.ts';
import type { Invoice } from './invoices.ts';

export interface Payment extends Entity {
  id: string;
  invoice: Invoice;
  /** Of the customer when the payment was made; a payment keeps its method. */
  methodId: string;
  method: MethodName;
  processor: string;
  amountMinor: number;
  refundedMinor: number;
  attempt: number;
  initiatedAt: number;
  status: PaymentStatus;
}

/** A transition of a payment that is about to happen. */
export interface PaymentStep {
  kind: 'payment';
  payment: Payment;
  to: PaymentStatus;
  failureCode: FailureCode | 'none';
  /** What this transition refunds. */
  refundMinor: number;
}

export function createPayment(
  scenario: Scenario,
  invoice: Invoice,
  amountMinor: number,
  numbering: Numbering,
): Payment {
  const key = scenario.ids.next('payment', numbering);
  const { methodId, method, processor } = invoice.customer;
  return {
    key,
    version: 0,
    id: idOf(key),
    invoice,
    methodId,
    method,
    processor,
    amountMinor,
    refundedMinor: 0,
    attempt: 1,
    initiatedAt: 0,
    status: 'none',
  };
}

export function changePayment(scenario: Scenario, step: PaymentStep, at: number): BillingEvent {
  const { payment, to, failureCode } = step;
  const { invoice, status: previous } = payment;
  const { id: customerId, place } = invoice.customer;
  assertLegal('payment', previous, to);
  if (previous === 'none') payment.initiatedAt = at;
  if (to === 'retrying') payment.attempt += 1;
  payment.refundedMinor += step.refundMinor;
  payment.status = to;
  const version = (payment.version += 1);
  const record = {
    event_id: scenario.ids.eventId(payment.key, version, at),
    event_type: `payment.${to}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    payment_id: payment.id,
    invoice_id: invoice.id,
    customer_id: customerId,
    payment_method_id: payment.methodId,
    method: payment.method,
    processor: payment.processor,
    amount_minor: payment.amountMinor,
    refunded_minor: payment.refundedMinor,
    currency: place.currency,
    status: to,
    previous_status: previous,
    attempt_no: payment.attempt,
    failure_code: failureCode,
    country: place.country,
    region: place.region,
    initiated_at: payment.initiatedAt,
  };
  return { topic: 'billing.payments', at, record };
}
