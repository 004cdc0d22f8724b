import { describe, expect, it } from 'vitest';
import { createCustomer } from '../../../producers/entities/customers.ts';
import { nextOrderAt, planOrder } from '../../../producers/lives/order-cycle.ts';
import type { PlannedStep } from '../../../producers/lives/steps.ts';
import { localParts } from '../../../producers/scenario/local-time.ts';
import { Random } from '../../../producers/scenario/random.ts';
import { endAt, scenarioOf, settings } from './small-scenario.ts';

const dayMs = 86_400_000;
const startAt = Date.UTC(2020, 9, 1);
const scenario = scenarioOf(8);

describe('planOrder', () => {
  const orders = Array.from({ length: 3000 }, (_, index) => plan(index));

  it('goes one of three ways, lines included', () => {
    const ways = new Set(orders.map((steps) => [...fates(steps)].join(', ')));
    expect([...ways].sort()).toEqual([
      'line canceled, order canceled',
      'line fulfilled, order fulfilled, shipment delivered',
      'line returned, order canceled, shipment returned',
    ]);
  });

  it('sends back what is refunded as returned, and nothing else', () => {
    let returned = 0;
    for (const steps of orders) {
      const refund = steps.find(
        ({ step }) => step.kind === 'refund' && step.refund.reason === 'product_returned',
      );
      const back = steps.find(({ step }) => step.kind === 'shipment' && step.to === 'returned');
      expect(back === undefined).toBe(refund === undefined);
      if (back === undefined || refund === undefined) continue;
      expect(back.at).toBeLessThanOrEqual(refund.at);
      returned += 1;
    }
    expect(returned).toBeGreaterThan(0);
  });

  it('ships after the payment, and keeps most of its promises', () => {
    let sent = 0;
    let late = 0;
    for (const steps of orders) {
      const at = (kind: string, to: string) =>
        steps.find(({ step }) => step.kind === kind && 'to' in step && step.to === to)?.at;
      const [paidAt, shippedAt, deliveredAt] = [
        at('order', 'paid'),
        at('shipment', 'shipped'),
        at('shipment', 'delivered'),
      ];
      if (paidAt === undefined || shippedAt === undefined || deliveredAt === undefined) continue;
      expect(shippedAt).toBeGreaterThan(paidAt);
      expect(deliveredAt).toBeGreaterThan(shippedAt);
      const pending = steps.find(({ step }) => step.kind === 'shipment' && step.to === 'pending')!;
      const promisedMs = pending.step.kind === 'shipment' ? pending.step.shipment.promisedMs : 0;
      sent += 1;
      if (deliveredAt > pending.at + promisedMs) late += 1;
    }
    expect(late / sent).toBeGreaterThan(0.005);
    expect(late / sent).toBeLessThan(0.15);
  });

  it('has different products on its lines, and bills them all', () => {
    for (const steps of orders) {
      const lines = steps.flatMap(({ step }) =>
        step.kind === 'orderLine' && step.to === 'placed' ? [step.line] : [],
      );
      const billed = steps.flatMap(({ step }) =>
        step.kind === 'invoiceLine' ? [step.line.charged.productId] : [],
      );
      expect(new Set(lines.map(({ productId }) => productId)).size).toBe(lines.length);
      expect(billed.filter((id) => id !== null)).toEqual(lines.map(({ productId }) => productId));
    }
  });
});

describe('nextOrderAt', () => {
  const customers = Array.from({ length: 2000 }, (_, index) =>
    createCustomer(scenario, index, new Random(index)),
  );
  const orders = customers.flatMap((customer) => {
    const random = new Random(5, customer.index);
    const moments: number[] = [];
    for (let at = startAt; ; moments.push(at)) {
      at = nextOrderAt(scenario, random, customer, at);
      if (at >= endAt) break;
    }
    return [{ customer, moments }];
  });
  const buyers = orders.filter(({ moments }) => moments.length > 0);

  it('is never for those who do not buy', () => {
    expect(buyers.length / customers.length).toBeCloseTo(settings.orders.buyers, 1);
    const other = orders.find(({ moments }) => moments.length === 0)!.customer;
    expect(nextOrderAt(scenario, new Random(1), other, endAt)).toBe(Number.POSITIVE_INFINITY);
  });

  it('comes as often as the settings say', () => {
    const count = buyers.reduce((sum, { moments }) => sum + moments.length, 0);
    const everyDays = (buyers.length * (endAt - startAt)) / dayMs / count;
    expect(Math.abs(everyDays / settings.orders.everyDays - 1)).toBeLessThan(0.03);
  });

  it('follows the hours and weekdays of the customer', () => {
    const parts = buyers.flatMap(({ customer, moments }) =>
      moments.map((at) => localParts(customer.place.timezone, at)),
    );
    const shareOf = (keep: (part: (typeof parts)[number]) => boolean) =>
      parts.filter(keep).length / parts.length;
    const { hour, weekday } = settings.seasonality;
    const expected = (factors: readonly number[], indices: readonly number[]) =>
      indices.reduce((sum, index) => sum + factors[index]!, 0) /
      factors.reduce((sum, factor) => sum + factor, 0);
    expect(shareOf((part) => part.hour < 6)).toBeCloseTo(expected(hour, [0, 1, 2, 3, 4, 5]), 1.7);
    expect(shareOf((part) => part.weekday > 4)).toBeCloseTo(expected(weekday, [5, 6]), 1.7);
  });
});

function plan(index: number): PlannedStep[] {
  const random = new Random(3, index);
  const customer = createCustomer(scenario, index, random);
  return planOrder(scenario, random, customer, { owner: index, counts: {} }, endAt);
}

/** Where the order, its lines and its shipment end. */
function fates(steps: readonly PlannedStep[]): Set<string> {
  const ends = new Set<string>();
  for (const { step } of steps) {
    if (step.kind === 'order' && (step.to === 'fulfilled' || step.to === 'canceled'))
      ends.add(`order ${step.to}`);
    if (step.kind === 'orderLine' && step.to !== 'placed') ends.add(`line ${step.to}`);
    if (step.kind === 'shipment' && (step.to === 'delivered' || step.to === 'returned')) {
      ends.add(`shipment ${step.to}`);
    }
  }
  return new Set([...ends].sort());
}
