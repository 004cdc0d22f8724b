import type { BillingEvent } from '../events.ts';
import type { Plan } from '../scenario/plan-prices.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** How every plan came to be and how its price changed, up to `endAt`, in the order of time. */
export function planEvents(scenario: Scenario, endAt: number): BillingEvent[] {
  const events: BillingEvent[] = [];
  for (const plan of scenario.tables.plans.values()) {
    plan.prices.forEach(({ from, low }, index) => {
      if (from < endAt) events.push(planEvent(scenario, plan, index + 1, low, from));
    });
  }
  return events.sort((a, b) => a.at - b.at);
}

function planEvent(
  scenario: Scenario,
  plan: Plan,
  version: number,
  unitAmountMinor: number,
  at: number,
): BillingEvent {
  const record = {
    event_id: scenario.ids.eventId(plan.key, version, at),
    event_type: version === 1 ? 'plan.created' : 'plan.updated',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    plan_id: plan.id,
    code: plan.code,
    tier: plan.tier,
    interval: plan.interval,
    unit_amount_minor: unitAmountMinor,
    currency: 'USD',
    trial_days: plan.trialDays,
    status: 'active',
  };
  return { topic: 'billing.plans', at, record };
}
