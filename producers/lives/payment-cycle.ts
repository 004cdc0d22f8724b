import { createDispute } from '../entities/disputes.ts';
import type { Payment } from '../entities/payments.ts';
import { createRefund } from '../entities/refunds.ts';
import { createTransaction, type TransactionKind, type TransactionStep } from '../entities/transactions.ts';
import type { Numbering } from '../scenario/ids.ts';
import type { FailureCode, RefundReason } from '../scenario/payment-settings.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { PaymentStatus } from '../scenario/state-machines.ts';
import type { PlannedStep, Step } from './steps.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Shares that shape durations only, and no figure that anybody asks for. */
const capturedAtOnce = 0.8;
const failedAfterAuthorization = 0.2;

/** A payment from its start to its end, with its refunds, its dispute and every movement of money. */
export interface PlannedPayment {
  /** In the order of time; at one moment, what something refers to comes first. */
  steps: PlannedStep[];
  /** When the money came in; undefined when it never does. */
  capturedAt: number | undefined;
  endedAt: number;
}

/** Draws how a payment that is initiated at `at` goes. */
export function planPayment(
  scenario: Scenario,
  random: Random,
  payment: Payment,
  numbering: Numbering,
  at: number,
): PlannedPayment {
  const walk = new Walk(scenario, random, payment, numbering, Math.round(at));
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
  return { steps: walk.steps, capturedAt: walk.capturedAt, endedAt: walk.time };
}

function succeed(walk: Walk, how: 'direct' | 'recovered' | 'disputed'): void {
  const { random, payment } = walk;
  switch (how) {
    case 'direct':
      walk.authorize();
      walk.capture();
      walk.turn('settled', between(random, 1 * day, 2 * day));
      break;
    case 'recovered': {
      walk.fail('authorization', walk.drawSoftFailure());
      walk.retry();
      const authorization = walk.ask('authorization', payment.amountMinor);
      const capture = walk.ask('capture', payment.amountMinor);
      walk.turn('captured', thinking(random) + authorization.latencyMs + capture.latencyMs);
      walk.add(authorization);
      walk.add(capture);
      walk.turn('settled', between(random, 1 * day, 2 * day));
      break;
    }
    case 'disputed':
      walk.authorize();
      walk.capture();
      dispute(walk);
      break;
  }
}

function fail(walk: Walk, how: 'failed' | 'voided' | 'expired'): void {
  const { random, scenario, payment } = walk;
  switch (how) {
    case 'failed': {
      const code = walk.drawFailure();
      const isAuthorized = random.chance(failedAfterAuthorization);
      if (isAuthorized) walk.authorize();
      walk.fail(isAuthorized ? 'capture' : 'authorization', code);
      if (!scenario.settings.payments.failureCodes[code].isSoft) break;
      walk.retry();
      const authorization = walk.ask('authorization', payment.amountMinor, code);
      walk.turn('abandoned', thinking(random) + authorization.latencyMs, code);
      walk.add(authorization);
      break;
    }
    case 'voided': {
      walk.authorize();
      walk.turn('voided', between(random, 5 * minute, 12 * hour));
      walk.add(walk.ask('reversal', payment.amountMinor));
      break;
    }
    case 'expired':
      walk.authorize();
      // The bank lets go of the money by itself: nothing is asked of the processor.
      walk.turn('expired', 7 * day);
      break;
  }
}

/** The state machine has every refund begin as a partial one, so giving everything back takes two. */
function refund(walk: Walk): void {
  const { random, scenario, payment } = walk;
  walk.authorize();
  walk.capture();
  if (payment.amountMinor < 2) {
    // The smallest coin cannot be given back in two parts.
    walk.turn('settled', between(random, 1 * day, 2 * day));
    return;
  }
  const { invoice, amountMinor } = payment;
  const reasons = scenario.tables.refundReasons;
  // Goods come back once they were sent, and they are sent once the whole invoice is paid.
  const isWholeOrder = invoice.order !== null && amountMinor === invoice.totalMinor;
  const reason = random.draw(isWholeOrder ? reasons.order : reasons.subscription);
  walk.wait(
    reason === 'product_returned' ? between(random, 8 * day, 25 * day) : between(random, 1 * day, 20 * day),
  );
  const firstMinor = Math.min(
    amountMinor - 1,
    Math.max(1, Math.round(amountMinor * between(random, 0.2, 0.8))),
  );
  walk.giveBack('partially_refunded', firstMinor, reason);
  if (random.chance(scenario.settings.payments.partialRefunds)) return;
  walk.wait(between(random, 1 * minute, 3 * day));
  walk.giveBack('refunded', amountMinor - firstMinor, reason);
}

function dispute(walk: Walk): void {
  const { random, scenario, payment, numbering } = walk;
  const { disputesWon, evidenceDays } = scenario.settings.payments;
  const opened = createDispute(scenario, payment, random.draw(scenario.tables.disputeReasons), numbering);
  walk.wait(between(random, 5 * day, 40 * day));
  walk.add({ kind: 'dispute', dispute: opened, to: 'needs_response' });
  walk.turn('disputed', 0);
  walk.add(walk.ask('chargeback', payment.amountMinor, 'none', null, opened.id));
  walk.wait(between(random, 0.1, 0.9) * evidenceDays * day);
  walk.add({ kind: 'dispute', dispute: opened, to: 'under_review' });
  walk.wait(between(random, 5 * day, 30 * day));
  const isWon = random.chance(disputesWon);
  walk.add({ kind: 'dispute', dispute: opened, to: isWon ? 'won' : 'lost' });
  walk.turn(isWon ? 'won' : 'lost', 0);
  if (isWon) walk.add(walk.ask('reversal', payment.amountMinor, 'none', null, opened.id));
}

/** A payment on its way through the state machine. A class, because closures made per payment are slow. */
class Walk {
  readonly steps: PlannedStep[] = [];
  readonly scenario: Scenario;
  readonly random: Random;
  readonly payment: Payment;
  readonly numbering: Numbering;
  time: number;
  capturedAt: number | undefined = undefined;
  #attempt = 1;

  constructor(scenario: Scenario, random: Random, payment: Payment, numbering: Numbering, at: number) {
    this.scenario = scenario;
    this.random = random;
    this.payment = payment;
    this.numbering = numbering;
    this.time = at;
  }

  wait(ms: number): void {
    this.time += Math.ceil(ms);
  }

  /** What happens now, behind all that was added for this moment. */
  add(step: Step): void {
    this.steps.push({ at: this.time, step });
  }

  turn(
    to: PaymentStatus,
    afterMs: number,
    failureCode: FailureCode | 'none' = 'none',
    refundMinor = 0,
  ): void {
    this.wait(afterMs);
    if (to === 'captured') this.capturedAt = this.time;
    this.add({ kind: 'payment', payment: this.payment, to, failureCode, refundMinor });
  }

  /** Asks the processor. Its answer is told of when it is added, behind what it refers to. */
  ask(
    movement: TransactionKind,
    amountMinor: number,
    failureCode: FailureCode | 'none' = 'none',
    refundId: string | null = null,
    disputeId: string | null = null,
  ): TransactionStep {
    const asked = { movement, amountMinor, attempt: this.#attempt, failureCode, refundId, disputeId };
    return createTransaction(this.scenario, this.random, this.payment, asked, this.numbering);
  }

  authorize(): void {
    const { random } = this;
    const authorization = this.ask('authorization', this.payment.amountMinor);
    if (random.chance(this.scenario.settings.payments.requiresAction)) {
      this.turn('requires_action', between(random, 1 * second, 5 * second));
      this.wait(between(random, 10 * second, 2 * minute));
    }
    this.turn('authorized', thinking(random) + authorization.latencyMs);
    this.add(authorization);
  }

  capture(): void {
    const { random } = this;
    const capture = this.ask('capture', this.payment.amountMinor);
    const isAtOnce = random.chance(capturedAtOnce);
    this.turn(
      'captured',
      (isAtOnce ? thinking(random) : between(random, 1 * hour, 1 * day)) + capture.latencyMs,
    );
    this.add(capture);
  }

  fail(movement: 'authorization' | 'capture', code: FailureCode): void {
    const transaction = this.ask(movement, this.payment.amountMinor, code);
    this.turn('failed', thinking(this.random) + transaction.latencyMs, code);
    this.add(transaction);
  }

  retry(): void {
    this.turn('retrying', between(this.random, 1 * day, 4 * day));
    this.#attempt += 1;
  }

  giveBack(to: 'partially_refunded' | 'refunded', amountMinor: number, reason: RefundReason): void {
    const given = createRefund(this.scenario, this.payment, amountMinor, reason, this.numbering);
    this.add({ kind: 'refund', refund: given, to: 'pending' });
    this.wait(between(this.random, 1 * minute, 1 * day));
    this.add({ kind: 'refund', refund: given, to: 'succeeded' });
    this.turn(to, 0, 'none', amountMinor);
    this.add(this.ask('refund', amountMinor, 'none', given.id));
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
    return this.payment.method === 'card' || this.payment.method === 'wallet';
  }
}

/** Time that passes at our side, before the processor is asked. */
function thinking(random: Random): number {
  return between(random, 20, 400);
}

function between(random: Random, low: number, high: number): number {
  return low + random.float() * (high - low);
}
