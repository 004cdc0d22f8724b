import type { Scenario } from '../scenario/scenario.ts';

/**
 * The scenario as it is known at a moment: without the prices that come later. The time of a live stream runs ahead
 * of the calendar, but what is charged today is what the price list says today.
 */
export function withPresentPrices(scenario: Scenario, now: number): Scenario {
  const { products, plans } = scenario.tables;
  // The first price counts before its day, too.
  const isPresent = ({ from }: { from: number }, index: number) => index === 0 || from <= now;
  const values = products.values.map((product) => ({ ...product, prices: product.prices.filter(isPresent) }));
  const presentPlans = [...plans].map(([code, plan]) => {
    const [first, ...later] = plan.prices;
    return [code, { ...plan, prices: [first, ...later.filter(({ from }) => from <= now)] }] as const;
  });
  return {
    ...scenario,
    tables: { ...scenario.tables, products: { ...products, values }, plans: new Map(presentPlans) },
  };
}
