import type { BillingEvent } from '../events.ts';
import { idOf, type EntityKey, type Numbering } from '../scenario/ids.ts';
import type { FailureCode } from '../scenario/payment-settings.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Payment } from './payments.ts';

export type TransactionKind = 'authorization' | 'capture' | 'refund' | 'chargeback' | 'reversal';

type Terms = Scenario['settings']['payments']['processors'][string];

/** What a processor is asked to do. */
interface Movement {
  movement: TransactionKind;
  amountMinor: number;
  attempt: number;
  failureCode: FailureCode | 'none';
  refundId: string | null;
  disputeId: string | null;
}

/** A movement of money, or an attempt at one, that is about to be told of: once, because it never changes. */
export interface TransactionStep extends Movement {
  kind: 'transaction';
  key: EntityKey;
  payment: Payment;
  feeMinor: number;
  latencyMs: number;
}

/** The processor's answer: what it charges, and how long it takes. */
export function createTransaction(
  scenario: Scenario,
  random: Random,
  payment: Payment,
  asked: Movement,
  numbering: Numbering,
): TransactionStep {
  const terms = scenario.settings.payments.processors[payment.processor];
  if (terms === undefined) throw new Error(`the scenario has no processor "${payment.processor}"`);
  const { movement, amountMinor, attempt, failureCode, refundId, disputeId } = asked;
  return {
    kind: 'transaction',
    key: scenario.ids.next('transaction', numbering),
    payment,
    movement,
    amountMinor,
    attempt,
    failureCode,
    refundId,
    disputeId,
    feeMinor: failureCode === 'none' ? feeOf(terms, payment, movement, amountMinor) : 0,
    latencyMs: Math.ceil(random.logNormal(terms.latencyMs, terms.latencySpread)),
  };
}

export function tellTransaction(scenario: Scenario, step: TransactionStep, at: number): BillingEvent {
  const { key, payment, failureCode } = step;
  const { invoice } = payment;
  const { id: customerId, place } = invoice.customer;
  const isSuccess = failureCode === 'none';
  const record = {
    event_id: scenario.ids.eventId(key, 1, at),
    event_type: isSuccess ? 'transaction.succeeded' : 'transaction.failed',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: 1,
    is_deleted: 0,
    transaction_id: idOf(key),
    payment_id: payment.id,
    invoice_id: invoice.id,
    customer_id: customerId,
    payment_method_id: payment.methodId,
    refund_id: step.refundId,
    dispute_id: step.disputeId,
    processor: payment.processor,
    processor_ref: `${payment.processor}-${key.low.toString(36)}${key.high.toString(36)}`,
    kind: step.movement,
    attempt_no: step.attempt,
    amount_minor: step.amountMinor,
    fee_minor: step.feeMinor,
    currency: place.currency,
    status: isSuccess ? 'succeeded' : 'failed',
    failure_code: failureCode,
    latency_ms: step.latencyMs,
    country: place.country,
    region: place.region,
  };
  return { topic: 'billing.transactions', at, record };
}

/** Captures cost a part of the amount and a fixed sum, refunds and chargebacks a fixed sum, the rest nothing. */
function feeOf(terms: Terms, payment: Payment, movement: TransactionKind, amountMinor: number): number {
  const { minorPerUsdMinor } = payment.invoice.customer.place;
  switch (movement) {
    case 'capture': {
      const { bps, fixed } = terms.fees[payment.method];
      return Math.round((amountMinor * bps) / 10_000 + fixed * minorPerUsdMinor);
    }
    case 'refund':
      return Math.round(terms.refundFee * minorPerUsdMinor);
    case 'chargeback':
      return Math.round(terms.chargebackFee * minorPerUsdMinor);
    case 'authorization':
    case 'reversal':
      return 0;
  }
}
