import { createCustomer, type Customer } from '../entities/customers.ts';
import type { Discount } from '../entities/discounts.ts';
import { createPaymentMethod, type PaymentMethod } from '../entities/payment-methods.ts';
import { createSubscription, planOf, type Subscription, type Terms } from '../entities/subscriptions.ts';
import type { Numbering } from '../scenario/ids.ts';
import { Random } from '../scenario/random.ts';
import { activityAt, streams, type Scenario } from '../scenario/scenario.ts';
import type { SubscriptionStatus } from '../scenario/state-machines.ts';
import type { TierName } from '../scenario/subscription-settings.ts';
import { nextOrderAt, planOrder } from './order-cycle.ts';
import { attachMethod, expireAfterFailure, replaceMethod } from './payment-method-cycle.ts';
import { nextDebtAt, turnDebts, type Debt } from './subscription-dunning.ts';
import { endDiscount } from './subscription-discounts.ts';
import { firstTerms, turnSubscription } from './subscription-cycle.ts';
import { customerTurn } from './subscription-steps.ts';
import type { PlannedStep } from './steps.ts';

/** Milliseconds since 1970; the end is not included. */
export interface Period {
  startAt: number;
  endAt: number;
}

/**
 * What is known of a customer while the future is drawn. The entities themselves (their states, their versions)
 * follow later, when the steps happen; what is drawn never depends on them. Plain data but for `random`.
 */
export interface CustomerLife {
  customer: Customer;
  subscription: Subscription;
  method: PaymentMethod;
  random: Random;
  numbering: Numbering;
  /** When there is something to decide next: the earliest of the times below; Infinity once the customer is gone. */
  nextAt: number;
  /** What is to be decided about the subscription, and when. */
  phase: 'signup' | 'trial_end' | 'renewal' | 'pause_end' | 'unpaid_end' | 'return' | 'gone';
  turnAt: number;
  orderAt: number;
  /** When the method on file expires, and since when it is on file. */
  methodAt: number;
  methodFrom: number;
  discountEndAt: number;
  status: SubscriptionStatus;
  tier: TierName;
  /** Never changed in place: steps hold on to them. */
  terms: Terms;
  /** Where the customer's price is in a range of the price list, in [0, 1). */
  pricePosition: number;
  /** Renewals are counted from here, so that a customer of the 31st stays one. */
  anchorAt: number;
  renewals: number;
  /** The recurring discount in force. */
  discount: Discount | null;
  /** Invoices that are or will be past due. */
  debts: Debt[];
}

/** The life of the customer with this index, who signs up within `signups`. */
export function startLife(scenario: Scenario, index: number, signups: Period): CustomerLife {
  const random = new Random(scenario.seed, streams.life, index);
  const customer = createCustomer(scenario, index, random);
  const numbering = { owner: index, counts: {} };
  const signupAt = signupMoment(scenario, random, customer, signups);
  const pricePosition = random.float();
  return {
    customer,
    subscription: createSubscription(scenario, customer, numbering),
    method: createPaymentMethod(scenario, random, customer),
    random,
    numbering,
    nextAt: signupAt,
    phase: 'signup',
    turnAt: signupAt,
    orderAt: Number.POSITIVE_INFINITY,
    methodAt: Number.POSITIVE_INFINITY,
    methodFrom: signupAt,
    discountEndAt: Number.POSITIVE_INFINITY,
    status: 'none',
    tier: customer.tier,
    terms: firstTerms(scenario, random, customer, pricePosition, signupAt),
    pricePosition,
    anchorAt: 0,
    renewals: 0,
    discount: null,
    debts: [],
  };
}

/** Decides what is to be decided at `life.nextAt`; returns what will happen from then on because of it. */
export function advance(scenario: Scenario, life: CustomerLife): PlannedStep[] {
  const at = life.nextAt;
  const steps = decide(scenario, life, at);
  expireAfterFailure(life, steps);
  life.nextAt = Math.min(life.turnAt, life.orderAt, life.methodAt, life.discountEndAt, nextDebtAt(life));
  return steps;
}

function decide(scenario: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  if (life.phase === 'signup') return signUp(scenario, life, at);
  if (nextDebtAt(life) === at) return turnDebts(scenario, life, at);
  if (life.methodAt === at) return replaceMethod(scenario, life, at);
  // Before a renewal at the same moment, which is then for the full price.
  if (life.discountEndAt === at) return endDiscount(life, at);
  if (life.turnAt === at) return turnSubscription(scenario, life, at);
  const { random, customer, numbering } = life;
  life.orderAt = nextOrderAt(scenario, random, customer, at);
  return planOrder(scenario, random, customer, numbering, at);
}

function signUp(scenario: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  const to = planOf(scenario, life.terms).trialDays === 0 ? 'active' : 'trialing';
  life.orderAt = nextOrderAt(scenario, life.random, life.customer, at);
  return [
    customerTurn(life, at, 'created', to),
    attachMethod(scenario, life, at),
    ...turnSubscription(scenario, life, at),
  ];
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
