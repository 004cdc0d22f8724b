import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { DisputeReason } from '../scenario/payment-settings.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type DisputeStatus } from '../scenario/state-machines.ts';
import type { Payment } from './payments.ts';

const dayMs = 86_400_000;

export interface Dispute extends Entity {
  id: string;
  payment: Payment;
  reason: DisputeReason;
  openedAt: number;
  status: DisputeStatus;
}

/** A change of a dispute that is about to happen. */
export interface DisputeStep {
  kind: 'dispute';
  dispute: Dispute;
  to: DisputeStatus;
}

/** A dispute is about the whole payment. */
export function createDispute(
  scenario: Scenario,
  payment: Payment,
  reason: DisputeReason,
  numbering: Numbering,
): Dispute {
  const key = scenario.ids.next('dispute', numbering);
  return { key, version: 0, id: idOf(key), payment, reason, openedAt: 0, status: 'none' };
}

export function changeDispute(scenario: Scenario, { dispute, to }: DisputeStep, at: number): BillingEvent {
  const { payment, status: previous } = dispute;
  const { invoice } = payment;
  assertLegal('dispute', previous, to);
  if (previous === 'none') dispute.openedAt = at;
  dispute.status = to;
  const version = (dispute.version += 1);
  const record = {
    event_id: scenario.ids.eventId(dispute.key, version, at),
    event_type: previous === 'none' ? 'dispute.opened' : `dispute.${to}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    dispute_id: dispute.id,
    payment_id: payment.id,
    invoice_id: invoice.id,
    customer_id: invoice.customer.id,
    amount_minor: payment.amountMinor,
    currency: invoice.customer.place.currency,
    reason: dispute.reason,
    status: to,
    previous_status: previous,
    evidence_due_at: dispute.openedAt + scenario.settings.payments.evidenceDays * dayMs,
    opened_at: dispute.openedAt,
  };
  return { topic: 'billing.disputes', at, record };
}
