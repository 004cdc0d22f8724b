import { beforeAll, describe, expect, it } from 'vitest';
import type { Customer } from '../../../producers/entities/customers.ts';
import type { Payment } from '../../../producers/entities/payments.ts';
import { advance, startLife } from '../../../producers/lives/customer-life.ts';
import { rangeOf, scenarioOf, settings } from './small-scenario.ts';

interface Observed {
  payment: Payment;
  customer: Customer;
  outcome: 'succeeded' | 'failed' | 'refunded';
  failureCode: string;
  attempts: number;
}

const wanted = 100_000;
/** More customers than it takes for the payments: of these, too, a percentage point is several deviations. */
const signups = 20_000;
let payments: Observed[];
let customers: Customer[];

/** One percentage point, as data-model.md asks for. */
const tolerance = 0.01;

beforeAll(() => {
  payments = observe(wanted);
  const scenario = scenarioOf(11);
  customers = Array.from(
    { length: signups },
    (_, index) => startLife(scenario, index, rangeOf(0, 0)).customer,
  );
}, 60_000);

describe(`${wanted} payments of a history`, () => {
  it('end as the outcomes say, whether they are for subscriptions or for orders', () => {
    expectShares(payments, ({ outcome }) => outcome, settings.payments.outcomes);
    const forOrders = payments.filter(({ payment }) => payment.invoice.order !== null);
    expect(forOrders.length).toBeGreaterThan(5000);
    // Some thousands only: one percentage point is two standard deviations of theirs.
    expectShares(forOrders, ({ outcome }) => outcome, settings.payments.outcomes, 0.015);
  });

  it('come from the regions and countries as the shares say', () => {
    const countries = Object.entries(settings.countries).map(
      ([code, { region, share }]) => [code, share * settings.regions[region]] as const,
    );
    expect(countries.length).toBeGreaterThanOrEqual(20);
    expectShares(payments, ({ customer }) => customer.place.region, settings.regions);
    expectShares(payments, ({ customer }) => customer.place.country, Object.fromEntries(countries));
  });

  it('use the methods and processors as the shares say', () => {
    expectShares(payments, ({ payment }) => payment.method, settings.payments.methods);
    expectShares(payments, ({ payment }) => payment.processor, sharesOf(settings.payments.processors));
  });

  it('made with cards fail for the reasons the shares say', () => {
    const failed = payments.filter(({ payment, outcome, failureCode }) => {
      const isCard = payment.method === 'card' || payment.method === 'wallet';
      return outcome === 'failed' && failureCode !== 'none' && isCard;
    });
    expectShares(failed, ({ failureCode }) => failureCode, sharesOf(settings.payments.failureCodes));
  });

  it('are tried again after soft failures only', () => {
    const wrong = payments.filter(({ failureCode, attempts }) => {
      const code = settings.payments.failureCodes[failureCode as keyof typeof settings.payments.failureCodes];
      return attempts !== (failureCode !== 'none' && code.isSoft ? 2 : 1);
    });
    expect(wrong).toEqual([]);
  });
});

describe(`${signups} customers`, () => {
  it('come through the channels, and choose the tiers, as the shares say', () => {
    expectShares(customers, ({ channel }) => channel, settings.customers.channels);
    expectShares(customers, ({ tier }) => tier, sharesOf(settings.tiers));
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
          const { customer } = payment.invoice;
          entry = { payment, customer, outcome: 'failed', failureCode: 'none', attempts: 1 };
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

function sharesOf(entries: Readonly<Record<string, { share: number }>>): Record<string, number> {
  return Object.fromEntries(Object.entries(entries).map(([name, { share }]) => [name, share]));
}

function expectShares<T>(
  items: readonly T[],
  valueOf: (item: T) => string,
  shares: Readonly<Record<string, number>>,
  within = tolerance,
): void {
  const counts = new Map<string, number>(Object.keys(shares).map((value) => [value, 0]));
  for (const item of items) counts.set(valueOf(item), (counts.get(valueOf(item)) ?? 0) + 1);
  expect([...counts.keys()].sort()).toEqual(Object.keys(shares).sort());
  const off = [...counts].flatMap(([value, count]) => {
    const difference = count / items.length - (shares[value] ?? 0);
    return Math.abs(difference) < within
      ? []
      : [`${value} is off by ${(difference * 100).toFixed(2)} points`];
  });
  expect(off).toEqual([]);
}
