import { planInvoice } from './billing-cycle.ts';
import { createCustomer, type Customer, type CustomerStep } from '../entities/customers.ts';
import type { Bill } from '../entities/invoices.ts';
import type { Numbering } from '../scenario/ids.ts';
import { addMonths } from '../scenario/local-time.ts';
import { Random } from '../scenario/random.ts';
import { activityAt, streams, type Scenario } from '../scenario/scenario.ts';
import type { TierName } from '../scenario/settings.ts';
import type { CustomerStatus } from '../scenario/state-machines.ts';
import type { PlannedStep } from './steps.ts';

const dayMs = 86_400_000;

/** Milliseconds since 1970; the end is not included. */
export interface Period {
  startAt: number;
  endAt: number;
}

/**
 * What is known of a customer while the future is drawn. The customer itself (its status, its version) follows
 * later, when the steps happen.
 */
export interface CustomerLife {
  customer: Customer;
  random: Random;
  numbering: Numbering;
  /** When there is something to decide next; Infinity once the customer is gone. */
  nextAt: number;
  phase: 'signup' | 'trial_end' | 'renewal' | 'gone';
  status: CustomerStatus;
  tier: TierName;
  /** Price of a month in minor units of USD. */
  monthlyUsdMinor: number;
  /** 1 or 12. */
  intervalMonths: number;
  /** Renewals are counted from here, so that a customer of the 31st stays one. */
  anchorAt: number;
  renewals: number;
  /** When the latest invoice is paid; undefined when it never is. */
  paidAt: number | undefined;
}

/** The life of the customer with this index, who signs up within `signups`. */
export function startLife(scenario: Scenario, index: number, signups: Period): CustomerLife {
  const random = new Random(scenario.seed, streams.life, index);
  const customer = createCustomer(scenario, index, random);
  const { isConsumer } = scenario.settings.tiers[customer.tier];
  return {
    customer,
    random,
    numbering: { owner: index, counts: {} },
    nextAt: signupMoment(scenario, random, customer, signups),
    phase: 'signup',
    status: 'none',
    tier: customer.tier,
    monthlyUsdMinor: priceOf(scenario, random, customer.tier),
    intervalMonths: !isConsumer && random.chance(scenario.settings.customers.yearly) ? 12 : 1,
    anchorAt: 0,
    renewals: 0,
    paidAt: undefined,
  };
}

/** Decides what is to be decided at `life.nextAt`; returns what will happen from then on because of it. */
export function advance(scenario: Scenario, life: CustomerLife): PlannedStep[] {
  const { settings } = scenario;
  switch (life.phase) {
    case 'signup': {
      const startsActive = settings.tiers[life.tier].isConsumer;
      const at = life.nextAt;
      if (startsActive) renewFrom(life, at);
      else {
        life.phase = 'trial_end';
        life.nextAt = at + settings.customers.trialDays * dayMs;
      }
      return [change(life, at, 'created', startsActive ? 'active' : 'trialing')];
    }
    case 'trial_end': {
      if (!life.random.chance(settings.customers.trialConversion)) return [leave(life)];
      const at = life.nextAt;
      renewFrom(life, at);
      return [change(life, at, 'activated', 'active')];
    }
    case 'renewal':
      return renew(scenario, life);
    case 'gone':
      return [];
  }
}

/** What the customer pays for the interval that begins. */
export function billOf(scenario: Scenario, life: CustomerLife): Bill {
  const { customer, tier, monthlyUsdMinor, intervalMonths } = life;
  const { settings } = scenario;
  const months = intervalMonths === 12 ? settings.invoices.yearlyMonths : intervalMonths;
  return {
    customer,
    usdMinor: monthlyUsdMinor * months,
    months: intervalMonths,
    dueDays: settings.tiers[tier].dueDays,
  };
}

function renew(scenario: Scenario, life: CustomerLife): PlannedStep[] {
  const { random, intervalMonths } = life;
  const { monthlyChurn, monthlyUpgrade } = scenario.settings.customers;
  const at = life.nextAt;
  const steps: PlannedStep[] = [];
  if (life.renewals > 0) {
    const isPaid = life.paidAt !== undefined && life.paidAt <= at;
    if (!isPaid && life.status === 'past_due') return [leave(life)];
    if (random.chance(1 - (1 - monthlyChurn) ** intervalMonths)) return [leave(life)];
    if (!isPaid) steps.push(change(life, at, 'past_due', 'past_due'));
    else if (life.status === 'past_due') steps.push(change(life, at, 'recovered', 'active'));
    const larger = nextTier[life.tier];
    const isUpgrade = random.chance(1 - (1 - monthlyUpgrade) ** intervalMonths);
    if (larger !== undefined && life.status === 'active' && isUpgrade) {
      life.tier = larger;
      life.monthlyUsdMinor = priceOf(scenario, random, larger);
      steps.push(change(life, at, 'upgraded', 'active'));
    }
  }
  const invoice = planInvoice(scenario, random, billOf(scenario, life), life.numbering, at);
  life.paidAt = invoice.paidAt;
  life.renewals += 1;
  life.nextAt = addMonths(life.anchorAt, life.renewals * intervalMonths);
  return [...steps, ...invoice.steps];
}

function renewFrom(life: CustomerLife, at: number): void {
  life.phase = 'renewal';
  life.anchorAt = at;
  life.nextAt = at;
}

function leave(life: CustomerLife): PlannedStep {
  const at = life.nextAt;
  life.phase = 'gone';
  life.nextAt = Number.POSITIVE_INFINITY;
  return change(life, at, 'canceled', 'canceled');
}

function change(life: CustomerLife, at: number, verb: CustomerStep['verb'], to: CustomerStatus): PlannedStep {
  life.status = to;
  return { at, step: { kind: 'customer', customer: life.customer, verb, to, tier: life.tier } };
}

/** Consumers stay where they are. */
const nextTier: Readonly<Partial<Record<TierName, TierName>>> = {
  starter: 'professional',
  professional: 'enterprise',
};

function priceOf({ settings }: Scenario, random: Random, tier: TierName): number {
  const [low, high] = settings.tiers[tier].amount;
  return random.integer(low, high);
}

/** More signups towards the end of the period, and when the customer's part of the world is busy. */
function signupMoment(
  scenario: Scenario,
  random: Random,
  { place }: Customer,
  { startAt, endAt }: Period,
): number {
  const { growth } = scenario.settings.customers;
  let at = startAt;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    // Inverse of the distribution whose density grows from 1 to 1 + growth.
    const fraction = (Math.sqrt(1 + growth * (2 + growth) * random.float()) - 1) / growth;
    at = startAt + Math.floor(fraction * (endAt - startAt));
    if (random.chance(activityAt(scenario, place.timezone, at))) break;
  }
  return at;
}
