import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { Plan } from '../scenario/plan-prices.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type SubscriptionStatus } from '../scenario/state-machines.ts';
import type { CancelReason } from '../scenario/subscription-settings.ts';
import type { Customer } from './customers.ts';

export interface Subscription extends Entity {
  id: string;
  customer: Customer;
  startedAt: number;
  trialEndAt: number | null;
  periodStartAt: number;
  periodEndAt: number;
  canceledAt: number | null;
  status: SubscriptionStatus;
}

/** What is subscribed to. Prices are in minor units of the customer's currency. */
export interface Terms {
  planCode: string;
  /** Seats. */
  quantity: number;
  /** Of one seat for one interval, without tax and discounts. */
  unitAmountMinor: number;
  /** Recurring discount in force; 0 without one. */
  discountBps: number;
}

/** A change of a subscription that is about to happen. */
export interface SubscriptionStep {
  kind: 'subscription';
  subscription: Subscription;
  verb: SubscriptionVerb;
  to: SubscriptionStatus;
  terms: Terms;
  /** Length of the period that begins with this change; 0 where the current one goes on. */
  periodMs: number;
  cancelReason: CancelReason | 'none';
}

export type SubscriptionVerb =
  | 'created'
  | 'activated'
  | 'expired'
  | 'renewed'
  | 'upgraded'
  | 'downgraded'
  | 'quantity_changed'
  | 'discount_ended'
  | 'past_due'
  | 'recovered'
  | 'unpaid'
  | 'paused'
  | 'resumed'
  | 'canceled'
  | 'reactivated';

export function createSubscription(
  scenario: Scenario,
  customer: Customer,
  numbering: Numbering,
): Subscription {
  const key = scenario.ids.next('subscription', numbering);
  return {
    key,
    version: 0,
    id: idOf(key),
    customer,
    startedAt: 0,
    trialEndAt: null,
    periodStartAt: 0,
    periodEndAt: 0,
    canceledAt: null,
    status: 'none',
  };
}

export function changeSubscription(scenario: Scenario, step: SubscriptionStep, at: number): BillingEvent {
  const { subscription, to, terms, periodMs } = step;
  const { customer, status: previous } = subscription;
  const plan = planOf(scenario, terms);
  assertLegal('subscription', previous, to);
  if (previous === 'none') subscription.startedAt = at;
  if (periodMs > 0) {
    subscription.periodStartAt = at;
    subscription.periodEndAt = at + periodMs;
  }
  if (to === 'trialing') subscription.trialEndAt = subscription.periodEndAt;
  subscription.canceledAt = to === 'canceled' || to === 'expired' ? at : null;
  subscription.status = to;
  const version = (subscription.version += 1);
  const record = {
    event_id: scenario.ids.eventId(subscription.key, version, at),
    event_type: `subscription.${step.verb}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    subscription_id: subscription.id,
    customer_id: customer.id,
    plan_id: plan.id,
    tier: plan.tier,
    interval: plan.interval,
    quantity: terms.quantity,
    unit_amount_minor: terms.unitAmountMinor,
    discount_bps: terms.discountBps,
    mrr_minor: to === 'active' || to === 'past_due' ? monthlyRecurring(plan, terms) : 0,
    currency: customer.place.currency,
    status: to,
    previous_status: previous,
    cancel_reason: step.cancelReason,
    country: customer.place.country,
    region: customer.place.region,
    started_at: subscription.startedAt,
    trial_end_at: subscription.trialEndAt,
    period_start_at: subscription.periodStartAt,
    period_end_at: subscription.periodEndAt,
    canceled_at: subscription.canceledAt,
  };
  return { topic: 'billing.subscriptions', at, record };
}

/** What the terms bring in for a month: a twelfth of a year, net of the recurring discount, without tax. */
export function monthlyRecurring({ months }: Pick<Plan, 'months'>, terms: Terms): number {
  return Math.round((terms.quantity * terms.unitAmountMinor - recurringDiscount(terms)) / months);
}

/** What the recurring discount takes off the price of an interval. */
export function recurringDiscount({ quantity, unitAmountMinor, discountBps }: Terms): number {
  return Math.round((quantity * unitAmountMinor * discountBps) / 10_000);
}

/** @throws Error for a plan that the scenario does not have: a defect of a generator, never of an input */
export function planOf({ tables }: Scenario, { planCode }: Terms): Plan {
  const plan = tables.plans.get(planCode);
  if (plan === undefined) throw new Error(`a subscription to a plan that does not exist: ${planCode}`);
  return plan;
}
