import { idOf, type EntityKey, type IdRegistry } from './ids.ts';
import { labelOf, weighted, type Weighted } from './random.ts';
import type { ScenarioSettings } from './settings.ts';
import { chanceWithin, intervalMonths, type Interval, type TierName } from './subscription-settings.ts';

/** A price in minor units of USD; a range where each customer agrees on a price of its own. */
interface ListPrice {
  /** Milliseconds since 1970. */
  from: number;
  low: number;
  high: number;
}

/** What a renewal may change. */
export type PlanChange = 'none' | 'upgrade' | 'downgrade' | 'seats_added' | 'seats_removed';

export interface Plan {
  key: EntityKey;
  id: string;
  code: string;
  tier: TierName;
  interval: Interval;
  /** Of the interval. */
  months: 1 | 12;
  trialDays: number;
  /** In the order of time; the first one from when the plan was introduced. */
  prices: readonly [ListPrice, ...ListPrice[]];
  /** Chances at a renewal, which are those of all months of the interval. */
  chances: { cancel: number; pause: number; change: Weighted<PlanChange> };
}

/** All plans by their codes. */
export function planList(
  { plans, subscriptions }: ScenarioSettings,
  ids: IdRegistry,
): ReadonlyMap<string, Plan> {
  return new Map(
    Object.entries(plans).map(([code, { tier, interval, trialDays, prices }]) => {
      // The code names the plan: one more in the list changes no other.
      const key = ids.key('plan', labelOf(code), 0);
      const months = intervalMonths[interval];
      const chance = (monthly: number) => chanceWithin(months, monthly);
      const list = prices.map(({ from, amount: [low, high] }) => ({ from: Date.parse(from), low, high }));
      const plan: Plan = {
        key,
        id: idOf(key),
        code,
        tier,
        interval,
        months,
        trialDays,
        prices: list as [ListPrice, ...ListPrice[]],
        chances: {
          cancel: chance(subscriptions.monthlyChurn),
          pause: chance(subscriptions.monthlyPause),
          change: weighted<PlanChange>([
            ['upgrade', chance(subscriptions.monthlyUpgrade)],
            ['downgrade', chance(subscriptions.monthlyDowngrade)],
            ['seats_added', chance(subscriptions.monthlySeatsAdded)],
            ['seats_removed', chance(subscriptions.monthlySeatsRemoved)],
            ['none', 1],
          ]),
        },
      };
      return [code, plan] as const;
    }),
  );
}

/**
 * List price of a seat at a moment, in minor units of USD.
 *
 * @param position where in a range the customer's price is, in [0, 1)
 */
export function planPriceAt({ prices }: Plan, at: number, position: number): number {
  let price = prices[0];
  for (const next of prices) {
    if (next.from > at) break;
    price = next;
  }
  return Math.round(price.low + position * (price.high - price.low));
}
