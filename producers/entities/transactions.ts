import type { BillingEvent } from '../events.ts';
import { idOf, type EntityKey, type Numbering } from '../scenario/ids.ts';
import type { FailureCode } from '../scenario/payment-settings.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Payment } from './payments.ts';

export type TransactionKind = 'authorization' | 'capture' | 'refund' | 'chargeback' | 'reversal';

/** What a processor is asked to do. */
interface Movement {
  kind: TransactionKind;
  amountMinor: number;
  attempt: number;
  failureCode: FailureCode | 'none';
  refundId: string | null;
  disputeId: string | null;
}

/** A movement of money, or an attempt at one, that is about to be told of: once, because it never changes. */
export interface TransactionStep {
  kind: 'transaction';
  key: EntityKey;
  payment: Payment;
  movement: Movement;
  feeMinor: number;
  latencyMs: number;
}

/** The processor's answer: what it charges, and how long it takes. */
export function createTransaction(
  scenario: Scenario,
  random: Random,
  payment: Payment,
  movement: Movement,
  numbering: Numbering,
): TransactionStep {
  const { latencyMs, latencySpread } = termsOf(scenario, payment);
  return {
    kind: 'transaction',
    key: scenario.ids.next('transaction', numbering),
    payment,
    movement,
    feeMinor: movement.failureCode === 'none' ? feeOf(scenario, payment, movement) : 0,
    latencyMs: Math.ceil(random.logNormal(latencyMs, latencySpread)),
  };
}

export function tellTransaction(scenario: Scenario, step: TransactionStep, at: number): BillingEvent {
  const { key, payment, movement } = step;
  const { invoice } = payment;
  const { id: customerId, place } = invoice.customer;
  const record = {
    event_id: scenario.ids.eventId(key, 1, at),
    event_type: movement.failureCode === 'none' ? 'transaction.succeeded' : 'transaction.failed',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: 1,
    is_deleted: 0,
    transaction_id: idOf(key),
    payment_id: payment.id,
    invoice_id: invoice.id,
    customer_id: customerId,
    payment_method_id: payment.methodId,
    refund_id: movement.refundId,
    dispute_id: movement.disputeId,
    processor: payment.processor,
    processor_ref: `${payment.processor}-${key.low.toString(36)}${key.high.toString(36)}`,
    kind: movement.kind,
    attempt_no: movement.attempt,
    amount_minor: movement.amountMinor,
    fee_minor: step.feeMinor,
    currency: place.currency,
    status: movement.failureCode === 'none' ? 'succeeded' : 'failed',
    failure_code: movement.failureCode,
    latency_ms: step.latencyMs,
    country: place.country,
    region: place.region,
  };
  return { topic: 'billing.transactions', at, record };
}

/** Captures cost a part of the amount and a fixed sum, refunds and chargebacks a fixed sum, the rest nothing. */
function feeOf(scenario: Scenario, payment: Payment, { kind, amountMinor }: Movement): number {
  const { fees, refundFee, chargebackFee } = termsOf(scenario, payment);
  const { minorPerUsdMinor } = payment.invoice.customer.place;
  switch (kind) {
    case 'capture': {
      const { bps, fixed } = fees[payment.method];
      return Math.round((amountMinor * bps) / 10_000 + fixed * minorPerUsdMinor);
    }
    case 'refund':
      return Math.round(refundFee * minorPerUsdMinor);
    case 'chargeback':
      return Math.round(chargebackFee * minorPerUsdMinor);
    case 'authorization':
    case 'reversal':
      return 0;
  }
}

function termsOf({ settings }: Scenario, { processor }: Payment) {
  const terms = settings.payments.processors[processor];
  if (terms === undefined) throw new Error(`the scenario has no processor "${processor}"`);
  return terms;
}
