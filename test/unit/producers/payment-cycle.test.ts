import { describe, expect, it } from 'vitest';
import { createCustomer } from '../../../producers/entities/customers.ts';
import { createInvoice } from '../../../producers/entities/invoices.ts';
import { createOrder } from '../../../producers/entities/orders.ts';
import { changePayment, createPayment } from '../../../producers/entities/payments.ts';
import { planPayment } from '../../../producers/lives/payment-cycle.ts';
import type { Step } from '../../../producers/lives/steps.ts';
import { Random } from '../../../producers/scenario/random.ts';
import { isLegal, transitions, type Machine } from '../../../producers/scenario/state-machines.ts';
import { endAt, scenarioOf } from './small-scenario.ts';

const ends = Object.entries(transitions.payment)
  .filter(([, next]) => next.length === 0)
  .map(([status]) => status);

/** Where a payment may rest: at an end, failed for a hard reason, or refunded in part. */
const resting = [...ends, 'failed', 'partially_refunded'];

describe('planPayment', () => {
  it('takes every payment of 20 seeds from nothing to a rest, by legal transitions only', () => {
    const seen = new Set<string>();
    for (const { steps } of plans(20, 300)) {
      const statuses = ['none', ...steps.flatMap(({ step }) => (step.kind === 'payment' ? [step.to] : []))];
      for (const [from, to] of pairs(statuses)) {
        expect(isLegal('payment', from, to), `${from} -> ${to}`).toBe(true);
        seen.add(`${from} -> ${to}`);
      }
      expect(resting).toContain(statuses.at(-1));
    }
    expect([...seen].sort()).toEqual(allTransitions('payment'));
  });

  it('tells of every movement of money right behind what it follows from', () => {
    const seen = new Set<string>();
    for (const { steps } of plans(20, 300)) {
      steps.forEach(({ at, step }, index) => {
        if (step.kind !== 'transaction') return;
        const before = steps.slice(0, index).findLast((other) => other.step.kind === 'payment');
        const { movement, failureCode } = step;
        expect(before?.at).toBe(at);
        seen.add(`${statusOf(before!.step)}: ${movement}${failureCode === 'none' ? '' : ' failed'}`);
      });
    }
    expect([...seen].sort()).toEqual([
      'abandoned: authorization failed',
      'authorized: authorization',
      'captured: authorization',
      'captured: capture',
      'disputed: chargeback',
      'failed: authorization failed',
      'failed: capture failed',
      'partially_refunded: refund',
      'refunded: refund',
      'voided: reversal',
      'won: reversal',
    ]);
  });

  it('says when the money came in, and when it is over', () => {
    for (const { steps, capturedAt, endedAt } of plans(3, 300)) {
      const captured = steps.find(({ step }) => step.kind === 'payment' && step.to === 'captured');
      expect(capturedAt).toBe(captured?.at);
      expect(endedAt).toBe(steps.at(-1)?.at);
    }
  });

  it('never goes back in time', () => {
    for (const { steps } of plans(3, 300)) {
      const times = steps.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('counts attempts from 1, and another one after a retry', () => {
    for (const { steps } of plans(3, 300)) {
      let attempt = 1;
      for (const { step } of steps) {
        if (step.kind === 'payment' && step.to === 'retrying') attempt += 1;
        if (step.kind === 'transaction') expect(step.attempt).toBe(attempt);
      }
    }
  });

  it('charges what the processor takes of a capture, in the currency of the payment', () => {
    for (const { scenario, payment, steps } of plans(3, 300)) {
      const { fees } = scenario.settings.payments.processors[payment.processor]!;
      const { bps, fixed } = fees[payment.method];
      const { minorPerUsdMinor } = payment.invoice.customer.place;
      for (const { step } of steps) {
        if (step.kind !== 'transaction') continue;
        const { movement, failureCode, amountMinor } = step;
        expect(step.latencyMs).toBeGreaterThan(0);
        if (failureCode !== 'none') expect(step.feeMinor).toBe(0);
        else if (movement === 'capture') {
          expect(step.feeMinor).toBe(Math.round((amountMinor * bps) / 10_000 + fixed * minorPerUsdMinor));
        }
      }
    }
  });

  it.each([1, 2, 3])('never gives back nothing, also of a payment of %i', (amountMinor) => {
    for (const { steps } of plans(5, 200, amountMinor)) {
      const amounts = steps.flatMap(({ step }) => (step.kind === 'refund' ? [step.refund.amountMinor] : []));
      for (const amount of amounts) expect(amount).toBeGreaterThan(0);
    }
  });

  it('is a pure function of the random stream', () => {
    expect(plan(7, 3).steps).toEqual(plan(7, 3).steps);
  });
});

describe('changePayment', () => {
  it('refuses a transition that the state machine does not have', () => {
    const { scenario, payment } = newPayment(1, 1);
    const step = { kind: 'payment', payment, to: 'settled', failureCode: 'none', refundMinor: 0 } as const;
    expect(() => changePayment(scenario, step, endAt)).toThrow('none -> settled');
  });
});

const scenarios = Array.from({ length: 20 }, (_, seed) => scenarioOf(seed));

function newPayment(seed: number, ordinal: number, amountMinor?: number) {
  const scenario = scenarios[seed]!;
  const random = new Random(seed, ordinal);
  const customer = createCustomer(scenario, ordinal, random);
  const numbering = { owner: ordinal, counts: {} };
  const line = { kind: 'product', description: 'Any', planId: null, productId: null, quantity: 1 } as const;
  const { invoice } = createInvoice(
    scenario,
    {
      customer,
      lines: [{ ...line, unitAmountMinor: 1549 }],
      subscription: null,
      order: createOrder(scenario, customer, numbering),
      discountMinor: 0,
      months: 0,
      dueDays: 3,
    },
    numbering,
  );
  const payment = createPayment(scenario, invoice, amountMinor ?? invoice.totalMinor, numbering);
  return { scenario, random, payment, numbering };
}

function plan(seed: number, ordinal: number, amountMinor?: number) {
  const { scenario, random, payment, numbering } = newPayment(seed, ordinal, amountMinor);
  return { scenario, payment, ...planPayment(scenario, random, payment, numbering, endAt) };
}

function plans(seeds: number, payments: number, amountMinor?: number) {
  return Array.from({ length: seeds * payments }, (_, index) =>
    plan(Math.floor(index / payments), index % payments, amountMinor),
  );
}

function pairs(statuses: readonly string[]): [string, string][] {
  return statuses.slice(1).map((to, index) => [statuses[index]!, to]);
}

function allTransitions(machine: Machine): string[] {
  const table = Object.entries(transitions[machine]) as [string, readonly string[]][];
  return table.flatMap(([from, next]) => next.map((to) => `${from} -> ${to}`)).sort();
}

function statusOf(step: Step): string {
  return step.kind === 'payment' ? step.to : '';
}
