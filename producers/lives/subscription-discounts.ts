import { createDiscount, type Discount } from '../entities/discounts.ts';
import type { Plan } from '../scenario/plan-prices.ts';
import { addMonths } from '../scenario/local-time.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { CustomerLife } from './customer-life.ts';
import { subscriptionTurn } from './subscription-steps.ts';
import type { PlannedStep } from './steps.ts';

/** Gives a new subscriber a recurring discount, or none. The terms have it from now on. */
export function startDiscount(
  scenario: Scenario,
  life: CustomerLife,
  plan: Plan,
  at: number,
): PlannedStep | undefined {
  const { random, customer, subscription, numbering } = life;
  const { share, percentBps, months } = scenario.settings.discounts.recurring;
  if (!random.chance(share)) return undefined;
  const bps = percentBps[random.integer(0, percentBps.length - 1)] ?? 0;
  const drawnMonths = months[random.integer(0, months.length - 1)] ?? 1;
  const lastsMonths = Math.max(plan.months, drawnMonths);
  const reduction = { coupon: `WELCOME-${bps / 100}`, percentBps: bps, amountMinor: null };
  const discount = createDiscount(scenario, customer, { subscription }, reduction, numbering);
  life.discount = discount;
  life.discountEndAt = addMonths(at, lastsMonths);
  life.terms = withDiscount(life, bps);
  return { at, step: { kind: 'discount', discount, to: 'active', lastsMs: life.discountEndAt - at } };
}

/** The recurring discount runs out. What is billed at this moment is billed without it. */
export function endDiscount(life: CustomerLife, at: number): PlannedStep[] {
  const steps = dropDiscount(life, at);
  const isCounted = life.status === 'active' || life.status === 'past_due';
  // A renewal at the same moment tells of the new terms itself.
  if (isCounted && life.turnAt !== at) steps.push(subscriptionTurn(life, at, 'discount_ended', life.status));
  return steps;
}

/** Ends the recurring discount, if there is one, with the subscription. */
export function dropDiscount(life: CustomerLife, at: number): PlannedStep[] {
  const { discount } = life;
  if (discount === null) return [];
  life.discount = null;
  life.discountEndAt = Number.POSITIVE_INFINITY;
  life.terms = withDiscount(life, 0);
  return [{ at, step: endOf(discount) }];
}

function endOf(discount: Discount): PlannedStep['step'] {
  return { kind: 'discount', discount, to: 'ended', lastsMs: 0 };
}

function withDiscount({ terms }: CustomerLife, discountBps: number): CustomerLife['terms'] {
  const { planCode, quantity, unitAmountMinor } = terms;
  return { planCode, quantity, unitAmountMinor, discountBps };
}
