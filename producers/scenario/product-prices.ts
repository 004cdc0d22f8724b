import { idOf, type EntityKey, type IdRegistry } from './ids.ts';
import { labelOf, Random } from './random.ts';
import type { ScenarioSettings } from './settings.ts';

const dayMs = 86_400_000;
/** Prices are known until this year, so that none depends on when anybody looks. */
const lastYear = 2100;

/** A product of the shop. It never changes; what changes is which of its prices is valid. */
export interface Product {
  key: EntityKey;
  id: string;
  sku: string;
  name: string;
  category: string;
  weightGrams: number;
  /** How often it is chosen, relative to the others. */
  popularity: number;
  /** In the order of time; the first one from the day the shop opened. */
  prices: readonly ProductPrice[];
}

/** In minor units of USD, from a moment on. */
interface ProductPrice {
  from: number;
  usdMinor: number;
}

/** Every product with all the prices it will ever have, drawn year by year. */
export function productList(
  seed: number,
  stream: number,
  ids: IdRegistry,
  settings: ScenarioSettings,
): Product[] {
  return Object.entries(settings.products.categories).flatMap(([category, list]) =>
    Object.entries(list).map(([sku, { name, unitPrice, weightGrams, popularity }]) => {
      // The SKU names the product: one more in the list changes no other.
      const label = labelOf(sku);
      const key = ids.key('product', label, 0);
      const prices = pricesOf(new Random(seed, stream, label), unitPrice, settings);
      return { key, id: idOf(key), sku, name, category, weightGrams, popularity, prices };
    }),
  );
}

/** Price of one piece, without tax, in minor units of USD. Before the shop opened, the first price counts. */
export function usdPriceAt({ prices }: Product, at: number): number {
  let usdMinor = 0;
  for (const price of prices) {
    if (usdMinor > 0 && price.from > at) break;
    ({ usdMinor } = price);
  }
  return usdMinor;
}

function pricesOf(random: Random, unitPrice: number, { products }: ScenarioSettings): Product['prices'] {
  const openedAt = Date.parse(products.since);
  const [low, high] = products.riseBps;
  const prices = [{ from: openedAt, usdMinor: unitPrice }];
  let usdMinor = unitPrice;
  for (let year = new Date(openedAt).getUTCFullYear() + 1; year <= lastYear; year += 1) {
    const isRise = random.chance(products.yearlyRise);
    const from = Date.UTC(year, 0, 1) + random.integer(0, 364) * dayMs;
    const raised = Math.round((usdMinor * (10_000 + random.integer(low, high))) / 10_000);
    if (!isRise || raised === usdMinor) continue;
    usdMinor = raised;
    prices.push({ from, usdMinor });
  }
  return prices;
}
