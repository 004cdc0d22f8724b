import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { RefundReason } from '../scenario/payment-settings.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type RefundStatus } from '../scenario/state-machines.ts';
import type { Payment } from './payments.ts';

export interface Refund extends Entity {
  id: string;
  payment: Payment;
  amountMinor: number;
  reason: RefundReason;
  requestedAt: number;
  status: RefundStatus;
}

/** A change of a refund that is about to happen. */
export interface RefundStep {
  kind: 'refund';
  refund: Refund;
  to: RefundStatus;
}

export function createRefund(
  scenario: Scenario,
  payment: Payment,
  amountMinor: number,
  reason: RefundReason,
  numbering: Numbering,
): Refund {
  const key = scenario.ids.next('refund', numbering);
  return { key, version: 0, id: idOf(key), payment, amountMinor, reason, requestedAt: 0, status: 'none' };
}

export function changeRefund(scenario: Scenario, { refund, to }: RefundStep, at: number): BillingEvent {
  const { payment, status: previous } = refund;
  const { invoice } = payment;
  assertLegal('refund', previous, to);
  if (previous === 'none') refund.requestedAt = at;
  refund.status = to;
  const version = (refund.version += 1);
  const record = {
    event_id: scenario.ids.eventId(refund.key, version, at),
    event_type: previous === 'none' ? 'refund.requested' : `refund.${to}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    refund_id: refund.id,
    payment_id: payment.id,
    invoice_id: invoice.id,
    customer_id: invoice.customer.id,
    amount_minor: refund.amountMinor,
    currency: invoice.customer.place.currency,
    reason: refund.reason,
    status: to,
    previous_status: previous,
    requested_at: refund.requestedAt,
  };
  return { topic: 'billing.refunds', at, record };
}
