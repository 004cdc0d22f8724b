import { beforeAll, describe, expect, it } from 'vitest';
import { advance, startLife } from '../../../producers/lives/customer-life.ts';
import type { Payment } from '../../../producers/entities/payments.ts';
import { rangeOf, scenarioOf, settings } from './small-scenario.ts';

interface Observed {
  payment: Payment;
  outcome: 'succeeded' | 'failed' | 'refunded';
  failureCode: string;
  attempts: number;
}

const wanted = 100_000;
let payments: Observed[];

/** One percentage point, as the issue asks for. */
const tolerance = 0.01;

beforeAll(() => {
  payments = observe(wanted);
});

describe(`${wanted} payments of a history`, () => {
  it('end as the outcomes say', () => {
    expectShares(
      payments.map(({ outcome }) => outcome),
      settings.payments.outcomes,
    );
  });

  it('come from the regions as the shares say', () => {
    expectShares(
      payments.map(({ payment }) => payment.invoice.customer.place.region),
      settings.regions,
    );
  });

  it('come from at least 20 countries', () => {
    const countries = new Set(payments.map(({ payment }) => payment.invoice.customer.place.country));
    expect(countries.size).toBeGreaterThanOrEqual(20);
  });

  it('use the methods and processors as the shares say', () => {
    const customers = payments.map(({ payment }) => payment.invoice.customer);
    expectShares(
      customers.map(({ method }) => method),
      settings.payments.methods,
    );
    expectShares(
      customers.map(({ processor }) => processor),
      Object.fromEntries(
        Object.entries(settings.payments.processors).map(([name, { share }]) => [name, share]),
      ),
    );
  });

  it('made with cards fail for the reasons the shares say', () => {
    const failed = payments.filter(({ payment, outcome, failureCode }) => {
      const { method } = payment.invoice.customer;
      return outcome === 'failed' && failureCode !== 'none' && (method === 'card' || method === 'wallet');
    });
    const codes = Object.entries(settings.payments.failureCodes);
    // 7,000 failures, so that half a percentage point is one standard deviation of the largest share.
    expectShares(
      failed.map(({ failureCode }) => failureCode),
      Object.fromEntries(codes.map(([code, { share }]) => [code, share])),
      0.02,
    );
  });

  it('are tried again after soft failures only', () => {
    for (const { failureCode, attempts } of payments) {
      if (failureCode === 'none') expect(attempts).toBe(1);
      else {
        const code = failureCode as keyof typeof settings.payments.failureCodes;
        expect(attempts).toBe(settings.payments.failureCodes[code].isSoft ? 2 : 1);
      }
    }
  });
});

/** Payments of as many customers as it takes, judged by what is planned for them. */
function observe(count: number): Observed[] {
  const scenario = scenarioOf(11);
  const range = rangeOf(0, 0);
  const observed = new Map<Payment, Observed>();
  for (let index = 0; observed.size < count; index += 1) {
    const life = startLife(scenario, index, range);
    while (life.nextAt < range.endAt) {
      for (const { step } of advance(scenario, life)) {
        if (step.kind !== 'payment') continue;
        const { payment, to, failureCode } = step;
        let entry = observed.get(payment);
        if (entry === undefined) {
          entry = { payment, outcome: 'failed', failureCode: 'none', attempts: 1 };
          observed.set(payment, entry);
        }
        if (to === 'retrying') entry.attempts += 1;
        if (failureCode !== 'none') entry.failureCode = failureCode;
        if (to === 'captured') entry.outcome = 'succeeded';
        if (to === 'partially_refunded') entry.outcome = 'refunded';
      }
    }
  }
  return [...observed.values()].slice(0, count);
}

function expectShares(
  values: readonly string[],
  shares: Readonly<Record<string, number>>,
  within = tolerance,
): void {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  expect([...counts.keys()].sort()).toEqual(Object.keys(shares).sort());
  for (const [value, share] of Object.entries(shares)) {
    const difference = Math.abs((counts.get(value) ?? 0) / values.length - share);
    expect(difference, value).toBeLessThan(within);
  }
}
