import { beforeAll, describe, expect, it } from 'vitest';
import type { BillingEvent } from '../../../producers/events.ts';
import { historyEvents } from '../../../producers/lives/history.ts';
import { addMonths } from '../../../producers/scenario/local-time.ts';
import { isLegal } from '../../../producers/scenario/state-machines.ts';
import { endAt, scenarioOf, settings } from './small-scenario.ts';

type Fields = BillingEvent['record'];

interface Told {
  at: number;
  record: Fields;
}

const day = 86_400_000;
const scenario = scenarioOf(5);
const byTopic = new Map<string, Told[]>();
/** Events of each subscription, in the order of time. */
const subscriptions = new Map<string, Told[]>();

beforeAll(() => {
  const range = { first: 0, count: 500, startAt: Date.UTC(2020, 9, 1), endAt };
  for (const { topic, at, record } of [...historyEvents(scenario, range)].flat()) {
    const told = { at, record };
    add(byTopic, topic, told);
    if (topic !== 'billing.subscriptions') continue;
    add(subscriptions, String(record['subscription_id']), told);
  }
});

const beginsPeriod = /\.(created|activated|renewed|upgraded|downgraded|quantity_changed|resumed)$/;
const renews = /\.(renewed|upgraded|downgraded|quantity_changed)$/;

describe('a subscription', () => {
  it('takes legal steps only, and tells where it came from', () => {
    const seen = new Set<string>();
    eachPair((before, { record }) => {
      const from = before === undefined ? 'none' : String(before.record['status']);
      expect(record['previous_status']).toBe(from);
      expect(isLegal('subscription', from, String(record['status']))).toBe(true);
      seen.add(String(record['event_type']).replace('subscription.', ''));
    });
    expect([...seen].sort()).toEqual(
      [
        ['created', 'activated', 'expired', 'renewed', 'upgraded', 'downgraded', 'quantity_changed'],
        ['past_due', 'recovered', 'unpaid', 'paused', 'resumed', 'canceled', 'reactivated'],
      ]
        .flat()
        .sort(),
    );
  });

  it('brings in what its terms say while it is active or past due, and nothing otherwise', () => {
    eachPair((_, { record }) => {
      const { quantity, unit_amount_minor: unit, discount_bps: bps } = record as Record<string, number>;
      const priceMinor = quantity! * unit!;
      const netMinor = priceMinor - Math.round((priceMinor * bps!) / 10_000);
      const isCounted = record['status'] === 'active' || record['status'] === 'past_due';
      const months = record['interval'] === 'year' ? 12 : 1;
      expect(record['mrr_minor']).toBe(isCounted ? Math.round(netMinor / months) : 0);
    });
  });

  it('is renewed when its period ends, on the same day of the month', () => {
    let anchor = 0;
    eachPair((before, { at, record }) => {
      const type = String(record['event_type']);
      if (!beginsPeriod.test(type)) {
        expect(record['period_end_at']).toBe(before?.record['period_end_at']);
        return;
      }
      expect(record['period_start_at']).toBe(at);
      if (renews.test(type)) expect(at).toBe(before?.record['period_end_at']);
      else anchor = at;
      if (record['status'] === 'trialing') return;
      const months = record['interval'] === 'year' ? 12 : 1;
      const counted = Array.from({ length: 62 }, (_, index) => addMonths(anchor, index * months));
      expect(counted.includes(Number(record['period_end_at']))).toBe(true);
    });
  });

  it('costs what the price list says on the day its period begins, until the next one', () => {
    const changed = new Set<unknown>();
    eachPair((before, { at, record }) => {
      const plan = [...scenario.tables.plans.values()].find(({ id }) => id === record['plan_id'])!;
      const isSame = before?.record['unit_amount_minor'] === record['unit_amount_minor'];
      if (!beginsPeriod.test(String(record['event_type']))) {
        expect(isSame).toBe(true);
        return;
      }
      const price = plan.prices.findLast(({ from }) => from <= at)!;
      const { perUsd, exponent } = settings.currencies[String(record['currency'])]!;
      const local = (usdMinor: number) => Math.round(usdMinor * perUsd * 10 ** (exponent - 2));
      expect(record['unit_amount_minor']).toBeGreaterThanOrEqual(local(price.low));
      expect(record['unit_amount_minor']).toBeLessThanOrEqual(local(price.high));
      if (renews.test(String(record['event_type'])) && !isSame && before?.record['plan_id'] === plan.id) {
        changed.add(plan.code);
        const since = Number(before.record['period_start_at']);
        expect(plan.prices.some(({ from }) => from > since && from <= at)).toBe(true);
      }
    });
    expect(changed).toContain('standard-month');
    expect(changed).toContain('enterprise-month');
  });

  it('is billed once for each of its periods, at its price and with its discount', () => {
    const begun = new Map<string, Fields>();
    eachPair((_, { at, record }) => {
      if (!beginsPeriod.test(String(record['event_type'])) || record['status'] === 'trialing') return;
      begun.set(`${String(record['subscription_id'])} ${at}`, record);
    });
    const lines = new Map(told('billing.invoice-lines').map(({ record }) => [record['invoice_id'], record]));
    const drafts = told('billing.invoices').filter(
      ({ record }) => record['status'] === 'draft' && record['subscription_id'] !== null,
    );
    expect(drafts.length).toBe(begun.size);
    for (const { at, record: invoice } of drafts) {
      const terms = begun.get(`${String(invoice['subscription_id'])} ${at}`)!;
      const priceMinor = Number(terms['quantity']) * Number(terms['unit_amount_minor']);
      const { quantity, unit_amount_minor, plan_id, period_start_at, period_end_at } = terms;
      expect(lines.get(invoice['invoice_id'])).toMatchObject({
        ...{ quantity, unit_amount_minor, plan_id, period_start_at, period_end_at },
      });
      expect(invoice).toMatchObject({ subtotal_minor: priceMinor, period_start_at, period_end_at });
      if (Number(terms['discount_bps']) === 0) continue;
      expect(invoice['discount_minor']).toBe(
        Math.round((priceMinor * Number(terms['discount_bps'])) / 10_000),
      );
    }
  });

  it('has a recurring discount in force exactly while the discount says so', () => {
    const windows = new Map<string, Told[]>();
    for (const event of told('billing.discounts')) {
      const id = event.record['subscription_id'];
      if (typeof id === 'string') add(windows, id, event);
    }
    let lapsed = 0;
    for (const [id, events] of subscriptions) {
      const discounts = windows.get(id) ?? [];
      for (const { at, record } of events) {
        if (record['status'] === 'trialing' || record['status'] === 'reactivated') continue;
        const inForce = discounts.findLast(({ record: { start_at: from } }) => Number(from) <= at)?.record;
        const applies = inForce !== undefined && at < Number(inForce['end_at']);
        expect(record['discount_bps']).toBe(applies ? inForce['percent_bps'] : 0);
      }
      for (const { at, record } of discounts) {
        if (record['status'] !== 'ended') continue;
        expect(record['end_at']).toBe(at);
        if (events.some((event) => event.at === at && Number(event.record['mrr_minor']) > 0)) lapsed += 1;
      }
    }
    expect(lapsed).toBeGreaterThan(10);
  });

  it('keeps its id and its beginning when the customer comes back', () => {
    const owners = new Set([...subscriptions.values()].map(([first]) => first?.record['customer_id']));
    expect(owners.size).toBe(subscriptions.size);
    let returns = 0;
    eachPair((before, { at, record }) => {
      if (before !== undefined) expect(record['started_at']).toBe(before.record['started_at']);
      const isOver = record['status'] === 'canceled' || record['status'] === 'expired';
      expect(record['canceled_at']).toBe(isOver ? at : null);
      expect(record['cancel_reason'] === 'none').toBe(!isOver);
      if (record['event_type'] !== 'subscription.reactivated') return;
      returns += 1;
      expect(at - before!.at).toBeGreaterThanOrEqual(28 * day);
    });
    expect(returns).toBeGreaterThan(10);
  });

  it('is past due while an invoice is, active once all are paid, and canceled after one is given up', () => {
    const paidAt = new Set(
      told('billing.invoices').flatMap(({ at, record }) =>
        record['status'] === 'paid' ? [`${String(record['subscription_id'])} ${at}`] : [],
      ),
    );
    let canceled = 0;
    eachPair((before, { at, record }) => {
      const id = String(record['subscription_id']);
      if (record['event_type'] === 'subscription.recovered') expect(paidAt.has(`${id} ${at}`)).toBe(true);
      if (before?.record['status'] !== 'unpaid') return;
      expect(record).toMatchObject({ status: 'canceled', cancel_reason: 'payment_failed' });
      expect(at - before.at).toBe(settings.subscriptions.unpaidDays * day);
      canceled += 1;
    });
    expect(canceled).toBeGreaterThan(20);
  });

  it('takes its customer along', () => {
    const follows: Readonly<Record<string, string>> = {
      unpaid: 'past_due',
      expired: 'canceled',
      reactivated: 'active',
    };
    const customers = new Map<string, Told[]>();
    for (const event of told('billing.customers')) add(customers, String(event.record['customer_id']), event);
    for (const events of subscriptions.values()) {
      for (const { at, record } of events) {
        const customer = customers
          .get(String(record['customer_id']))!
          .findLast((event) => event.at <= at)!.record;
        const status = String(record['status']);
        expect(customer['status']).toBe(follows[status] ?? status);
        expect(customer['tier']).toBe(record['tier']);
      }
    }
  });
});

describe('a payment method', () => {
  it('expires at the end of the month printed on it or when a payment finds out, and is replaced', () => {
    const failures = new Set(
      told('billing.payments').flatMap(({ at, record }) =>
        record['failure_code'] === 'expired_card' ? [`${String(record['payment_method_id'])} ${at}`] : [],
      ),
    );
    const latest = new Map<unknown, Told>();
    let [printed, found] = [0, 0];
    for (const event of told('billing.payment-methods')) {
      const { at, record } = event;
      const before = latest.get(record['payment_method_id']);
      latest.set(record['payment_method_id'], event);
      const isCard = record['type'] === 'card' || record['type'] === 'wallet';
      expect(record['exp_month'] !== null && record['exp_year'] !== null).toBe(isCard);
      expect(record['last4']).toMatch(/^\d{4}$/);
      if (record['status'] === 'active') continue;
      expect(record['last4']).toBe(before?.record['last4']);
      if (failures.has(`${String(record['payment_method_id'])} ${at}`)) found += 1;
      else {
        expect(at).toBe(Date.UTC(Number(record['exp_year']), Number(record['exp_month']), 1));
        printed += 1;
      }
    }
    expect(Math.min(printed, found)).toBeGreaterThan(20);
  });
});

function add(groups: Map<string, Told[]>, id: string, event: Told): void {
  const group = groups.get(id);
  if (group === undefined) groups.set(id, [event]);
  else group.push(event);
}

function told(topic: string): Told[] {
  return byTopic.get(topic) ?? [];
}

/** Every event of every subscription, with the one before it. */
function eachPair(check: (before: Told | undefined, event: Told) => void): void {
  for (const events of subscriptions.values()) {
    events.forEach((event, index) => {
      check(events[index - 1], event);
    });
  }
}
