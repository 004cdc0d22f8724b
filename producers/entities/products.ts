import type { BillingEvent } from '../events.ts';
import type { Product } from '../scenario/product-prices.ts';
import type { Place, Scenario } from '../scenario/scenario.ts';
import { usdPriceAt } from '../scenario/product-prices.ts';

/** The product as of its `version`th price. */
export function tellProduct(scenario: Scenario, product: Product, version: number): BillingEvent {
  const price = product.prices[version - 1];
  if (price === undefined) throw new Error(`${product.sku} has no price ${version}`);
  const record = {
    event_id: scenario.ids.eventId(product.key, version, price.from),
    event_type: version === 1 ? 'product.created' : 'product.updated',
    occurred_at: price.from,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    product_id: product.id,
    sku: product.sku,
    name: product.name,
    category: product.category,
    unit_price_minor: price.usdMinor,
    currency: 'USD',
    weight_grams: product.weightGrams,
    status: 'active',
  };
  return { topic: 'billing.products', at: price.from, record };
}

/** Price of one piece where the customer lives, without tax, in local minor units. */
export function localPrice(product: Product, place: Place, at: number): number {
  return Math.max(1, Math.round(usdPriceAt(product, at) * place.minorPerUsdMinor));
}
