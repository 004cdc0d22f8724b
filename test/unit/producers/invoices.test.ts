import { describe, expect, it } from 'vitest';
import { createCustomer, type Customer } from '../../../producers/entities/customers.ts';
import { createInvoice, subtotalOf, type Bill } from '../../../producers/entities/invoices.ts';
import { planInvoice } from '../../../producers/lives/billing-cycle.ts';
import { happen } from '../../../producers/lives/steps.ts';
import { Random } from '../../../producers/scenario/random.ts';
import { endAt, scenarioOf } from './small-scenario.ts';

const scenario = scenarioOf(1);

describe('an invoice', () => {
  it('adds up to the smallest coin, over lines of any size and discounts up to all of it', () => {
    const random = new Random(7);
    for (const customer of customers(random)) {
      for (let round = 0; round < 200; round += 1) {
        const bill = anyBill(random, customer);
        const { invoice, lines } = createInvoice(scenario, bill, { owner: round, counts: {} });
        const sum = (of: (line: (typeof lines)[number]) => number) =>
          lines.reduce((total, line) => total + of(line), 0);
        expect(sum((line) => line.amountMinor)).toBe(invoice.subtotalMinor);
        expect(sum((line) => line.discountMinor)).toBe(invoice.discountMinor);
        expect(sum((line) => line.taxMinor)).toBe(invoice.taxMinor);
        expect(invoice.totalMinor).toBe(invoice.subtotalMinor - invoice.discountMinor + invoice.taxMinor);
        for (const { amountMinor, discountMinor, taxMinor } of lines) {
          expect(discountMinor).toBeGreaterThanOrEqual(0);
          expect(discountMinor).toBeLessThanOrEqual(amountMinor);
          const exactTax = ((amountMinor - discountMinor) * customer.place.taxBps) / 10_000;
          expect(Math.abs(taxMinor - exactTax)).toBeLessThanOrEqual(0.5);
        }
      }
    }
  });

  it('spreads its discount over the lines by what they cost', () => {
    const customer = customerIn('USD', new Random(1));
    const lines = [line(3, 1000), line(1, 1000), line(1, 1)];
    const { lines: told } = createInvoice(scenario, billOf(customer, lines, 1000), { owner: 1, counts: {} });
    expect(told.map(({ discountMinor }) => discountMinor)).toEqual([750, 250, 0]);
  });

  it.each([
    // 8.10 francs and 0.0725 of sales tax are no whole rappen and cents.
    ['CHF', 2, [1549], [125]],
    ['USD', 2, [1549, 33], [112, 2]],
    ['JPY', 0, [2354], [235]],
    ['KWD', 3, [4802], [0]],
  ] as const)('rounds the tax of each line in %s, with %i decimals', (currency, exponent, amounts, taxes) => {
    const customer = customerIn(currency, new Random(1));
    const lines = amounts.map((amount) => line(1, amount));
    const { lines: told } = createInvoice(scenario, billOf(customer, lines, 0), { owner: 1, counts: {} });
    expect(customer.place.exponent).toBe(exponent);
    expect(told.map(({ taxMinor }) => taxMinor)).toEqual(taxes);
  });

  it('that is discounted to nothing is paid without a payment', () => {
    const random = new Random(3);
    const customer = customerIn('JPY', random);
    const invoices = Array.from({ length: 50 }, () =>
      planInvoice(scenario, random, billOf(customer, [line(1, 980)], 980), { owner: 1, counts: {} }, endAt),
    );
    for (const { invoice, steps, paidAt } of invoices) {
      expect(invoice.totalMinor).toBe(0);
      expect(steps.filter(({ step }) => step.kind === 'payment')).toEqual([]);
      const end = steps.at(-1)?.step;
      expect(end?.kind === 'invoice' && end.to).toBe(paidAt === undefined ? 'void' : 'paid');
    }
  });

  it('is told of with its lines right behind the draft, and with a coupon that ends when it is opened', () => {
    const random = new Random(5);
    const kinds = new Set<string>();
    for (const customer of customers(random)) {
      for (let round = 0; round < 20; round += 1) {
        const bill = billOf(customer, [line(1, 2000), line(2, 700)], 0);
        const { steps, invoice } = planInvoice(scenario, random, bill, { owner: round, counts: {} }, endAt);
        const records = steps.map(({ at, step }) => ({ kind: step.kind, ...happen(scenario, step, at) }));
        expect(records.slice(0, 3).map(({ at, kind }) => [at, kind])).toEqual([
          [endAt, 'invoice'],
          [endAt, 'invoiceLine'],
          [endAt, 'invoiceLine'],
        ]);
        const coupons = records.filter(({ kind }) => kind === 'discount').map(({ record }) => record);
        expect(coupons.length).toBe(invoice.discountMinor > 0 ? 2 : 0);
        if (coupons.length === 0) continue;
        const [created, ended] = coupons;
        const opened = records.find(({ kind, record }) => kind === 'invoice' && record['status'] === 'open');
        expect(created).toMatchObject({ invoice_id: invoice.id, start_at: endAt, end_at: opened?.at });
        expect(ended).toMatchObject({ status: 'ended', start_at: endAt, end_at: opened?.at });
        const { percent_bps: bps, amount_minor: amount } = created as Record<string, number | null>;
        kinds.add(typeof bps === 'number' ? 'percentage' : 'amount');
        const taken =
          typeof bps === 'number' ? Math.round((3400 * bps) / 10_000) : Math.min(Number(amount), 3400);
        expect(invoice.discountMinor).toBe(taken);
      }
    }
    expect([...kinds].sort()).toEqual(['amount', 'percentage']);
  });

  it('says when the customer fell behind, and when nobody tries any more', () => {
    const random = new Random(9);
    const seen = { inTime: 0, late: 0, givenUp: 0, void: 0 };
    for (const customer of customers(random)) {
      for (let round = 0; round < 100; round += 1) {
        const bill = billOf(customer, [line(1, 5000)], 0);
        const planned = planInvoice(scenario, random, bill, { owner: round, counts: {} }, endAt);
        const { steps, paidAt, pastDueAt, givenUpAt } = planned;
        const ends = steps.flatMap(({ step }) => (step.kind === 'invoice' ? [step.to] : []));
        expect(paidAt !== undefined).toBe(ends.includes('paid'));
        expect(givenUpAt !== undefined).toBe(paidAt === undefined && !ends.includes('void'));
        if (givenUpAt !== undefined) expect(givenUpAt).toBeGreaterThanOrEqual(pastDueAt!);
        if (pastDueAt !== undefined && paidAt !== undefined) expect(paidAt).toBeGreaterThan(pastDueAt);
        if (ends.includes('void')) seen.void += 1;
        else if (givenUpAt !== undefined) seen.givenUp += 1;
        else if (pastDueAt !== undefined) seen.late += 1;
        else seen.inTime += 1;
      }
    }
    expect(Object.values(seen).every((count) => count > 0)).toBe(true);
    expect(seen.inTime).toBeGreaterThan(seen.late);
    expect(seen.late).toBeGreaterThan(seen.givenUp);
  });
});

/** One customer in each of the currencies with 0, 2 and 3 decimals. */
function customers(random: Random): Customer[] {
  return ['JPY', 'USD', 'KWD', 'CHF'].map((currency) => customerIn(currency, random));
}

function customerIn(currency: string, random: Random): Customer {
  for (let index = 0; ; index += 1) {
    const customer = createCustomer(scenario, index, random);
    if (customer.place.currency === currency) return customer;
  }
}

function line(quantity: number, unitAmountMinor: number) {
  return {
    kind: 'product',
    description: 'Any',
    planId: null,
    productId: null,
    quantity,
    unitAmountMinor,
  } as const;
}

function billOf(customer: Customer, lines: Bill['lines'], discountMinor: number): Bill {
  return { customer, lines, subscription: null, order: null, discountMinor, months: 0, dueDays: 7 };
}

/** Up to six lines, of prices from one coin to a hundred million, with any discount. */
function anyBill(random: Random, customer: Customer): Bill {
  const lines = Array.from({ length: random.integer(1, 6) }, () =>
    line(random.integer(1, 40), Math.ceil(10 ** (random.float() * 8))),
  );
  const bill = billOf(customer, lines, 0);
  return { ...bill, discountMinor: Math.round(subtotalOf(bill) * (random.chance(0.1) ? 1 : random.float())) };
}
