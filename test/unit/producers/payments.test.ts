import { describe, expect, it } from 'vitest';
import { createCustomer } from '../../../producers/entities/customers.ts';
import { createInvoice } from '../../../producers/entities/invoices.ts';
import { changePayment, createPayment, planPayment } from '../../../producers/entities/payments.ts';
import { Random } from '../../../producers/scenario/random.ts';
import { isLegal, transitions } from '../../../producers/scenario/state-machines.ts';
import { endAt, scenarioOf } from './small-scenario.ts';

const final = Object.entries(transitions.payment)
  .filter(([, next]) => next.length === 0)
  .map(([status]) => status);

/** Where a payment may rest: at an end, failed for a hard reason, or refunded in part. */
const resting = [...final, 'failed', 'partially_refunded'];

describe('planPayment', () => {
  it('takes every payment of 20 seeds from nothing to a rest, by legal transitions only', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      for (let ordinal = 0; ordinal < 300; ordinal += 1) {
        const statuses = ['none', ...walk(seed, ordinal).map(({ step }) => step.to)];
        statuses.forEach((to, index) => {
          const from = statuses[index - 1];
          if (from === undefined) return;
          expect(isLegal('payment', from, to), `${from} -> ${to}`).toBe(true);
          seen.add(`${from} -> ${to}`);
        });
        expect(resting).toContain(statuses.at(-1));
      }
    }
    const all = Object.entries(transitions.payment).flatMap(([from, next]) =>
      next.map((to) => `${from} -> ${to}`),
    );
    expect([...seen].sort()).toEqual(all.sort());
  });

  it('never goes back in time', () => {
    const times = walk(1, 1).map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('is a pure function of the random stream', () => {
    expect(walk(7, 3).map(({ at, step }) => [at, step.to])).toEqual(
      walk(7, 3).map(({ at, step }) => [at, step.to]),
    );
  });
});

describe('changePayment', () => {
  it('refuses a transition that the state machine does not have', () => {
    const { scenario, payment } = newPayment(1, 1);
    const step = { kind: 'payment', payment, to: 'settled', failureCode: 'none', refundMinor: 0 } as const;
    expect(() => changePayment(scenario, step, endAt)).toThrow('none -> settled');
  });
});

function newPayment(seed: number, ordinal: number) {
  const scenario = scenarioOf(seed);
  const random = new Random(seed, ordinal);
  const customer = createCustomer(scenario, ordinal, random);
  const numbering = { owner: ordinal, counts: {} };
  const invoice = createInvoice(
    scenario,
    random,
    { customer, usdMinor: 1549, months: 1, dueDays: 3 },
    numbering,
  );
  return { scenario, random, payment: createPayment(scenario, invoice, invoice.totalMinor, numbering) };
}

function walk(seed: number, ordinal: number) {
  const { scenario, random, payment } = newPayment(seed, ordinal);
  return planPayment(scenario, random, payment, endAt);
}
