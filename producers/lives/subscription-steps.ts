import type { CustomerStep } from '../entities/customers.ts';
import type { SubscriptionStep } from '../entities/subscriptions.ts';
import type { CustomerStatus, SubscriptionStatus } from '../scenario/state-machines.ts';
import type { CustomerLife } from './customer-life.ts';
import type { PlannedStep } from './steps.ts';

/** A change of the customer, who is on the life's tier from then on. */
export function customerTurn(
  { customer, tier }: CustomerLife,
  at: number,
  verb: CustomerStep['verb'],
  to: CustomerStatus,
): PlannedStep {
  return { at, step: { kind: 'customer', customer, verb, to, tier } };
}

/**
 * A change of the subscription, which has the life's terms from then on.
 *
 * @param periodMs length of the period that begins; 0 where the current one goes on
 */
export function subscriptionTurn(
  life: CustomerLife,
  at: number,
  verb: SubscriptionStep['verb'],
  to: SubscriptionStatus,
  periodMs = 0,
  cancelReason: SubscriptionStep['cancelReason'] = 'none',
): PlannedStep {
  const { subscription, terms } = life;
  life.status = to;
  return { at, step: { kind: 'subscription', subscription, verb, to, terms, periodMs, cancelReason } };
}
