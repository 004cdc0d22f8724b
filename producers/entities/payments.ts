import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { FailureCode } from '../scenario/settings.ts';
import { assertLegal, type PaymentStatus } from '../scenario/state-machines.ts';
import type { Invoice } from './invoices.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Shares that shape durations only, and no figure that anybody asks for. */
const capturedAtOnce = 0.8;
const failedAfterAuthorization = 0.2;

export interface Payment extends Entity {
  id: string;
  invoice: Invoice;
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

/** A transition and when it happens. */
export interface PlannedPaymentStep {
  at: number;
  step: PaymentStep;
}

export function createPayment(
  scenario: Scenario,
  invoice: Invoice,
  amountMinor: number,
  numbering: Numbering,
): Payment {
  const key = scenario.ids.next('payment', numbering);
  return {
    key,
    version: 0,
    id: idOf(key),
    invoice,
    amountMinor,
    refundedMinor: 0,
    attempt: 1,
    initiatedAt: 0,
    status: 'none',
  };
}

/** Draws how a payment that is initiated at `at` goes, up to its end, in the order of time. */
export function planPayment(
  scenario: Scenario,
  random: Random,
  payment: Payment,
  at: number,
): PlannedPaymentStep[] {
  const walk = new Walk(scenario, random, payment, Math.round(at));
  const { tables } = scenario;
  walk.turn('initiated', 0);
  switch (random.draw(tables.outcomes)) {
    case 'succeeded':
      succeed(walk, random.draw(tables.successes));
      break;
    case 'failed':
      fail(walk, random.draw(tables.failures));
      break;
    case 'refunded':
      refund(walk);
      break;
  }
  return walk.planned;
}

function succeed(walk: Walk, how: 'direct' | 'recovered' | 'disputed'): void {
  const { random, scenario } = walk;
  switch (how) {
    case 'direct':
      walk.authorize();
      walk.capture();
      walk.turn('settled', between(random, 1 * day, 2 * day));
      break;
    case 'recovered':
      walk.turn('failed', between(random, 500, 4 * second), walk.drawSoftFailure());
      walk.turn('retrying', between(random, 1 * day, 4 * day));
      walk.turn('captured', between(random, 1 * second, 5 * second));
      walk.turn('settled', between(random, 1 * day, 2 * day));
      break;
    case 'disputed':
      walk.authorize();
      walk.capture();
      walk.turn('disputed', between(random, 5 * day, 40 * day));
      walk.turn(
        random.chance(scenario.settings.payments.disputesWon) ? 'won' : 'lost',
        between(random, 10 * day, 45 * day),
      );
      break;
  }
}

function fail(walk: Walk, how: 'failed' | 'voided' | 'expired'): void {
  const { random, scenario } = walk;
  switch (how) {
    case 'failed': {
      const code = walk.drawFailure();
      if (random.chance(failedAfterAuthorization)) walk.authorize();
      walk.turn('failed', between(random, 500, 4 * second), code);
      if (!scenario.settings.payments.failureCodes[code].isSoft) break;
      walk.turn('retrying', between(random, 1 * day, 4 * day));
      walk.turn('abandoned', between(random, 1 * second, 5 * second), code);
      break;
    }
    case 'voided':
      walk.authorize();
      walk.turn('voided', between(random, 5 * minute, 12 * hour));
      break;
    case 'expired':
      walk.authorize();
      walk.turn('expired', 7 * day);
      break;
  }
}

/** The state machine has every refund begin as a partial one. */
function refund(walk: Walk): void {
  const { random, scenario, payment } = walk;
  walk.authorize();
  walk.capture();
  const firstMinor = Math.max(1, Math.round(payment.amountMinor * between(random, 0.2, 0.8)));
  walk.turn('partially_refunded', between(random, 1 * day, 20 * day), 'none', firstMinor);
  if (random.chance(scenario.settings.payments.partialRefunds)) return;
  walk.turn('refunded', between(random, 1 * minute, 3 * day), 'none', payment.amountMinor - firstMinor);
}

/** A payment on its way through the state machine. A class, because closures made per payment are slow. */
class Walk {
  readonly planned: PlannedPaymentStep[] = [];
  readonly scenario: Scenario;
  readonly random: Random;
  readonly payment: Payment;
  #time: number;

  constructor(scenario: Scenario, random: Random, payment: Payment, at: number) {
    this.scenario = scenario;
    this.random = random;
    this.payment = payment;
    this.#time = at;
  }

  turn(
    to: PaymentStatus,
    afterMs: number,
    failureCode: PaymentStep['failureCode'] = 'none',
    refundMinor = 0,
  ): void {
    this.#time += Math.ceil(afterMs);
    const step: PaymentStep = { kind: 'payment', payment: this.payment, to, failureCode, refundMinor };
    this.planned.push({ at: this.#time, step });
  }

  authorize(): void {
    if (this.random.chance(this.scenario.settings.payments.requiresAction)) {
      this.turn('requires_action', between(this.random, 1 * second, 5 * second));
      this.turn('authorized', between(this.random, 10 * second, 2 * minute));
    } else this.turn('authorized', between(this.random, 300, 3 * second));
  }

  capture(): void {
    const { random } = this;
    const afterMs = random.chance(capturedAtOnce)
      ? between(random, 200, 2 * second)
      : between(random, 1 * hour, 1 * day);
    this.turn('captured', afterMs);
  }

  drawFailure(): FailureCode {
    const { cardFailures, otherFailures } = this.scenario.tables;
    return this.random.draw(this.#holdsACard() ? cardFailures : otherFailures);
  }

  drawSoftFailure(): FailureCode {
    const { softCardFailures, softOtherFailures } = this.scenario.tables;
    return this.random.draw(this.#holdsACard() ? softCardFailures : softOtherFailures);
  }

  #holdsACard(): boolean {
    const { method } = this.payment.invoice.customer;
    return method === 'card' || method === 'wallet';
  }
}

export function changePayment(scenario: Scenario, step: PaymentStep, at: number): BillingEvent {
  const { payment, to, failureCode } = step;
  const { invoice, status: previous } = payment;
  const { customer } = invoice;
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
    customer_id: customer.id,
    payment_method_id: customer.methodId,
    method: customer.method,
    processor: customer.processor,
    amount_minor: payment.amountMinor,
    refunded_minor: payment.refundedMinor,
    currency: customer.place.currency,
    status: to,
    previous_status: previous,
    attempt_no: payment.attempt,
    failure_code: failureCode,
    country: customer.place.country,
    region: customer.place.region,
    initiated_at: payment.initiatedAt,
  };
  return { topic: 'billing.payments', at, record };
}

function between(random: Random, low: number, high: number): number {
  return low + random.float() * (high - low);
}
