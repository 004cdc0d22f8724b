import type { Customer } from '../entities/customers.ts';
import type { Bill } from '../entities/invoices.ts';
import { planOf, recurringDiscount, type SubscriptionStep, type Terms } from '../entities/subscriptions.ts';
import { addMonths } from '../scenario/local-time.ts';
import { planPriceAt, type Plan } from '../scenario/plan-prices.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { CancelReason, Interval, TierName } from '../scenario/subscription-settings.ts';
import { planInvoice } from './billing-cycle.ts';
import type { CustomerLife } from './customer-life.ts';
import { nextOrderAt } from './order-cycle.ts';
import { dropDiscount, startDiscount } from './subscription-discounts.ts';
import { rememberDebt } from './subscription-dunning.ts';
import { customerTurn, subscriptionTurn } from './subscription-steps.ts';
import type { PlannedStep } from './steps.ts';

const day = 86_400_000;
const never = Number.POSITIVE_INFINITY;

/** What a new customer subscribes to. */
export function firstTerms(
  scenario: Scenario,
  random: Random,
  customer: Customer,
  pricePosition: number,
  at: number,
): Terms {
  const { settings } = scenario;
  const { tier } = customer;
  const isYearly = random.chance(settings.customers.yearly);
  const plan = planFor(scenario, tier, isYearly ? 'year' : 'month');
  const [fewest, most] = settings.tiers[tier].seats;
  return {
    planCode: plan.code,
    quantity: random.integer(fewest, most),
    unitAmountMinor: unitPrice(plan, customer, pricePosition, at),
    discountBps: 0,
  };
}

/** Decides what is to be decided about the subscription at `at`. */
export function turnSubscription(scenario: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  const { random } = life;
  const { settings } = scenario;
  switch (life.phase) {
    case 'signup': {
      const { trialDays } = planOf(scenario, life.terms);
      if (trialDays === 0) return startPaying(scenario, life, at, 'created', true);
      life.phase = 'trial_end';
      life.turnAt = at + trialDays * day;
      return [subscriptionTurn(life, at, 'created', 'trialing', life.turnAt - at)];
    }
    case 'trial_end':
      if (!random.chance(settings.customers.trialConversion)) return expire(life, at);
      return [
        customerTurn(life, at, 'activated', 'active'),
        ...startPaying(scenario, life, at, 'activated', true),
      ];
    case 'renewal':
      return renew(scenario, life, at);
    case 'pause_end':
      if (random.chance(settings.subscriptions.canceledAfterPause)) return leave(scenario, life, at);
      return [
        customerTurn(life, at, 'resumed', 'active'),
        ...startPaying(scenario, life, at, 'resumed', false),
      ];
    case 'unpaid_end':
      return cancel(scenario, life, at, 'payment_failed');
    case 'return':
      life.orderAt = nextOrderAt(scenario, random, life.customer, at);
      return [
        customerTurn(life, at, 'reactivated', 'active'),
        subscriptionTurn(life, at, 'reactivated', 'reactivated'),
        ...startPaying(scenario, life, at, 'activated', true),
      ];
    case 'gone':
      return [];
  }
}

/** Periods are counted from now on. */
function startPaying(
  scenario: Scenario,
  life: CustomerLife,
  at: number,
  verb: SubscriptionStep['verb'],
  isWelcomed: boolean,
): PlannedStep[] {
  const plan = planOf(scenario, life.terms);
  life.anchorAt = at;
  life.renewals = 0;
  life.status = 'active';
  const discount = isWelcomed ? startDiscount(scenario, life, plan, at) : undefined;
  const [turn, ...billed] = bill(scenario, life, plan, at, verb);
  return [turn, ...(discount === undefined ? [] : [discount]), ...billed];
}

function renew(scenario: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  const { random } = life;
  const plan = planOf(scenario, life.terms);
  // Who owes something neither leaves nor changes anything by themselves.
  if (life.status !== 'active' || life.debts.length > 0) return bill(scenario, life, plan, at, 'renewed');
  if (random.chance(plan.chances.cancel)) return leave(scenario, life, at);
  if (random.chance(plan.chances.pause)) return pause(scenario, life, at);
  const tier = life.tier;
  const verb = changePlan(scenario, life, plan);
  const billed = bill(scenario, life, planOf(scenario, life.terms), at, verb);
  if (life.tier === tier) return billed;
  return [customerTurn(life, at, verb === 'upgraded' ? 'upgraded' : 'downgraded', 'active'), ...billed];
}

/** Begins a period: the subscription is renewed at the price of the day, and billed for. */
function bill(
  scenario: Scenario,
  life: CustomerLife,
  plan: Plan,
  at: number,
  verb: SubscriptionStep['verb'],
): [PlannedStep, ...PlannedStep[]] {
  const { customer, subscription, random, numbering } = life;
  const unitAmountMinor = unitPrice(plan, customer, life.pricePosition, at);
  if (unitAmountMinor !== life.terms.unitAmountMinor) {
    const { planCode, quantity, discountBps } = life.terms;
    life.terms = { planCode, quantity, unitAmountMinor, discountBps };
  }
  const { terms } = life;
  life.phase = 'renewal';
  life.renewals += 1;
  life.turnAt = addMonths(life.anchorAt, life.renewals * plan.months);
  const turn = subscriptionTurn(life, at, verb, life.status, life.turnAt - at);
  const charged: Bill = {
    customer,
    lines: [
      {
        kind: 'subscription',
        description: `Subscription ${plan.code}`,
        planId: plan.id,
        productId: null,
        quantity: terms.quantity,
        unitAmountMinor,
      },
    ],
    subscription,
    order: null,
    discountMinor: recurringDiscount(terms),
    months: plan.months,
    dueDays: scenario.settings.tiers[plan.tier].dueDays,
  };
  const planned = planInvoice(scenario, random, charged, numbering, at);
  rememberDebt(life, planned);
  return [turn, ...planned.steps];
}

/** Another tier or another number of seats, or neither; says what the renewal is. */
function changePlan(scenario: Scenario, life: CustomerLife, plan: Plan): SubscriptionStep['verb'] {
  const { random } = life;
  const { tiers, subscriptions } = scenario.settings;
  if (tiers[plan.tier].isConsumer) return 'renewed';
  const change = random.draw(plan.chances.change);
  switch (change) {
    case 'none':
      return 'renewed';
    case 'upgrade':
    case 'downgrade': {
      const tier = (change === 'upgrade' ? larger : smaller)[plan.tier];
      if (tier === undefined) return 'renewed';
      const [fewest, most] = tiers[tier].seats;
      const { quantity } = life.terms;
      const seats = change === 'upgrade' ? Math.max(quantity, fewest) : Math.min(quantity, most);
      life.tier = tier;
      switchTo(life, planFor(scenario, tier, plan.interval), seats);
      return change === 'upgrade' ? 'upgraded' : 'downgraded';
    }
    case 'seats_added':
    case 'seats_removed': {
      const [fewest, most] = subscriptions.seatsChanged;
      const seats = random.integer(fewest, most) * (change === 'seats_added' ? 1 : -1);
      const quantity = Math.max(1, life.terms.quantity + seats);
      if (quantity === life.terms.quantity) return 'renewed';
      switchTo(life, plan, quantity);
      return 'quantity_changed';
    }
  }
}

/** The price follows when the next period is billed. */
function switchTo(life: CustomerLife, { code }: Plan, quantity: number): void {
  const { unitAmountMinor, discountBps } = life.terms;
  life.terms = { planCode: code, quantity, unitAmountMinor, discountBps };
}

function pause(scenario: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  const [shortest, longest] = scenario.settings.subscriptions.pauseMonths;
  life.phase = 'pause_end';
  life.turnAt = addMonths(at, life.random.integer(shortest, longest));
  return [customerTurn(life, at, 'paused', 'paused'), subscriptionTurn(life, at, 'paused', 'paused')];
}

function leave(scenario: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  return cancel(scenario, life, at, life.random.draw(scenario.tables.cancelReasons));
}

function cancel(scenario: Scenario, life: CustomerLife, at: number, reason: CancelReason): PlannedStep[] {
  const { random } = life;
  const { reactivated, reactivatedAfterMonths } = scenario.settings.subscriptions;
  const steps = [
    ...dropDiscount(life, at),
    customerTurn(life, at, 'canceled', 'canceled'),
    subscriptionTurn(life, at, 'canceled', 'canceled', 0, reason),
  ];
  life.orderAt = never;
  if (random.chance(reactivated)) {
    const [soonest, latest] = reactivatedAfterMonths;
    life.phase = 'return';
    life.turnAt = addMonths(at, random.integer(soonest, latest)) + random.integer(0, 27 * day);
  } else end(life);
  return steps;
}

function expire(life: CustomerLife, at: number): PlannedStep[] {
  const steps = [
    customerTurn(life, at, 'canceled', 'canceled'),
    subscriptionTurn(life, at, 'expired', 'expired', 0, 'trial_not_converted'),
  ];
  end(life);
  return steps;
}

function end(life: CustomerLife): void {
  life.phase = 'gone';
  life.turnAt = never;
  life.orderAt = never;
  life.methodAt = never;
}

const larger: Readonly<Partial<Record<TierName, TierName>>> = {
  starter: 'professional',
  professional: 'enterprise',
};
const smaller: Readonly<Partial<Record<TierName, TierName>>> = {
  enterprise: 'professional',
  professional: 'starter',
};

/** The tier's plan with this interval; by the month where it has none. */
function planFor({ tables }: Scenario, tier: TierName, interval: Interval): Plan {
  let found: Plan | undefined;
  for (const plan of tables.plans.values()) {
    if (plan.tier !== tier) continue;
    if (plan.interval === interval) return plan;
    found = plan;
  }
  if (found === undefined) throw new Error(`no plan of the tier ${tier}`);
  return found;
}

/** Price of a seat in minor units of the customer's currency. */
function unitPrice(plan: Plan, { place }: Customer, position: number, at: number): number {
  return Math.max(1, Math.round(planPriceAt(plan, at, position) * place.minorPerUsdMinor));
}
