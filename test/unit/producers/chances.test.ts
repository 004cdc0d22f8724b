import { beforeAll, describe, expect, it } from 'vitest';
import type { Step } from '../../../producers/lives/steps.ts';
import { advance, startLife, type CustomerLife } from '../../../producers/lives/customer-life.ts';
import { endAt, scenarioOf, settings } from './small-scenario.ts';

const customers = 4000;
const scenario = scenarioOf(21);
const range = { startAt: Date.UTC(2020, 9, 1), endAt };

/** How often something could have happened, and how often it did. */
class Chances {
  readonly #counts = new Map<string, { of: number; happened: number }>();

  count(name: string, happened: boolean): void {
    const counts = this.#counts.get(name) ?? { of: 0, happened: 0 };
    this.#counts.set(name, counts);
    counts.of += 1;
    if (happened) counts.happened += 1;
  }

  share(name: string): number {
    const { of, happened } = this.#counts.get(name) ?? { of: 0, happened: 0 };
    return happened / of;
  }
}

const chances = new Chances();

beforeAll(() => {
  for (let index = 0; index < customers; index += 1) {
    const life = startLife(scenario, index, range);
    countCustomer(life);
    while (life.nextAt < endAt) {
      const before = { ...life, debts: [...life.debts] };
      const steps = advance(scenario, life).map(({ step }) => step);
      countInvoice(steps);
      countTurn(before, life, steps);
    }
  }
});

describe(`${customers} customers of five years`, () => {
  it('come with tiers, channels and intervals as the shares say', () => {
    for (const [tier, { share }] of Object.entries(settings.tiers)) expectShare(`tier ${tier}`, share);
    for (const [channel, share] of Object.entries(settings.customers.channels)) {
      expectShare(`channel ${channel}`, share);
    }
    expectShare('yearly', settings.customers.yearly, 0.02);
  });

  it('convert and come back as often as the settings say', () => {
    // 2,000 trials, 600 customers who left: standard deviations of one percentage point and a half.
    expectShare('converted', settings.customers.trialConversion, 0.03);
    expectShare('reactivated', settings.subscriptions.reactivated, 0.04);
    expectShare('welcomed', settings.discounts.recurring.share, 0.02);
    expectShare('canceled after a pause', settings.subscriptions.canceledAfterPause, 0.12);
  });

  it('leave, pause and change at renewals as often as the settings say', () => {
    const { subscriptions } = settings;
    expectShare('month canceled', subscriptions.monthlyChurn, 0.002);
    expectShare('month paused', subscriptions.monthlyPause, 0.002);
    expectShare('month upgraded', subscriptions.monthlyUpgrade, 0.002);
    expectShare('month downgraded', subscriptions.monthlyDowngrade, 0.002);
    expectShare('month seats added', subscriptions.monthlySeatsAdded, 0.005);
    expectShare('month seats removed', subscriptions.monthlySeatsRemoved, 0.003);
    expectShare('year canceled', 1 - (1 - subscriptions.monthlyChurn) ** 12, 0.04);
  });

  it('get invoices that are discounted, void and written off as often as the settings say', () => {
    expectShare('void', settings.invoices.void, 0.002);
    expectShare('coupon', settings.discounts.once.share, 0.005);
    const failed = settings.payments.outcomes.failed;
    expect(chances.share('written off')).toBeGreaterThan(failed * (1 - settings.invoices.retried) * 0.8);
    expect(chances.share('written off')).toBeLessThan(failed * 0.2);
  });

  it('leave at two to three percent a month, counting those who stop paying', () => {
    expect(chances.share('month gone')).toBeGreaterThan(0.015);
    expect(chances.share('month gone')).toBeLessThan(0.03);
  });
});

function countCustomer({ customer, terms }: CustomerLife): void {
  for (const tier of Object.keys(settings.tiers)) chances.count(`tier ${tier}`, customer.tier === tier);
  for (const channel of Object.keys(settings.customers.channels)) {
    chances.count(`channel ${channel}`, customer.channel === channel);
  }
  if (!settings.tiers[customer.tier].isConsumer) chances.count('yearly', terms.planCode.endsWith('-year'));
}

function countTurn(before: CustomerLife, after: CustomerLife, steps: readonly Step[]): void {
  const turns = steps.filter((step) => step.kind === 'subscription');
  const turn = turns.at(-1);
  if (turn === undefined) return;
  const interval = scenario.tables.plans.get(turn.terms.planCode)!.interval;
  if (turn.periodMs > 0 && turn.to !== 'trialing') chances.count(`${interval} gone`, false);
  if (turn.to === 'canceled') {
    chances.count(`${interval} gone`, true);
    chances.count('reactivated', after.phase === 'return');
  }
  if (before.phase === 'trial_end') chances.count('converted', turn.to === 'active');
  if (before.phase === 'pause_end') chances.count('canceled after a pause', turn.to === 'canceled');
  if (turn.verb === 'activated' || (turn.verb === 'created' && turn.to === 'active')) {
    chances.count('welcomed', after.discount !== null);
  }
  const isFree = before.phase === 'renewal' && before.status === 'active' && before.debts.length === 0;
  if (isFree && turn.verb !== 'discount_ended') countRenewal(before, turn);
}

function countRenewal({ tier, terms }: CustomerLife, turn: Extract<Step, { kind: 'subscription' }>): void {
  const interval = scenario.tables.plans.get(terms.planCode)!.interval;
  chances.count(`${interval} canceled`, turn.verb === 'canceled');
  if (turn.verb === 'canceled') return;
  chances.count(`${interval} paused`, turn.verb === 'paused');
  if (turn.verb === 'paused' || settings.tiers[tier].isConsumer) return;
  if (tier !== 'enterprise') chances.count(`${interval} upgraded`, turn.verb === 'upgraded');
  if (tier !== 'starter') chances.count(`${interval} downgraded`, turn.verb === 'downgraded');
  const seats = turn.verb === 'quantity_changed' ? turn.terms.quantity - terms.quantity : 0;
  chances.count(`${interval} seats added`, seats > 0);
  // The last seat stays.
  if (terms.quantity > 1) chances.count(`${interval} seats removed`, seats < 0);
}

function countInvoice(steps: readonly Step[]): void {
  const ends = steps.flatMap((step) => (step.kind === 'invoice' ? [step.to] : []));
  if (ends.length === 0) return;
  chances.count('void', ends.includes('void'));
  if (!ends.includes('void')) chances.count('written off', ends.includes('uncollectible'));
  const isReduced = steps.some((step) => step.kind === 'subscription' && step.terms.discountBps > 0);
  const hasCoupon = steps.some((step) => step.kind === 'discount' && 'invoice' in step.discount.from);
  if (isReduced) expect(hasCoupon).toBe(false);
  else chances.count('coupon', hasCoupon);
}

function expectShare(name: string, share: number, within = 0.01): void {
  expect(Math.abs(chances.share(name) - share), name).toBeLessThan(within);
}
