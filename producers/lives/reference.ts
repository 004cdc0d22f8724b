import { baseCurrency, tellFxRate } from '../entities/fx-rates.ts';
import { tellSpend } from '../entities/marketing-spend.ts';
import { planEvents } from '../entities/plans.ts';
import { tellProduct } from '../entities/products.ts';
import type { BillingEvent } from '../events.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { channelNames } from '../scenario/settings.ts';
import type { Period } from './customer-life.ts';

const dayMs = 86_400_000;

/** Every product and plan with its prices before `endAt`, in the order of time: to be told before any customer. */
export function referenceEvents(scenario: Scenario, endAt: number): BillingEvent[] {
  const products = scenario.tables.products.values.flatMap((product) =>
    product.prices
      .filter(({ from }, index) => index === 0 || from < endAt)
      .map((_, index) => tellProduct(scenario, product, index + 1)),
  );
  return [...planEvents(scenario, endAt), ...products].sort((a, b) => a.at - b.at);
}

/** The rates of every day that begins within the period, so that periods that meet share no day. */
export function* fxEvents(scenario: Scenario, { startAt, endAt }: Period): Generator<BillingEvent> {
  const quotes = Object.keys(scenario.settings.currencies).filter((code) => code !== baseCurrency);
  for (let day = Math.ceil(startAt / dayMs); day * dayMs < endAt; day += 1) {
    for (const quote of quotes) yield tellFxRate(scenario, quote, day);
  }
}

/** For whom money is spent: so many customers, who sign up within the period. */
interface Acquisition {
  /** Number that no other run of the seed has. */
  run: number;
  customers: number;
  period: Period;
}

/** What every channel costs on every day that ends within the period. */
export function* spendEvents(
  scenario: Scenario,
  { run, customers, period: { startAt, endAt } }: Acquisition,
): Generator<BillingEvent> {
  const { growth } = scenario.settings.customers;
  const length = (endAt - startAt) / dayMs;
  for (let day = Math.ceil((startAt + 1) / dayMs) - 1; (day + 1) * dayMs - 1 < endAt; day += 1) {
    // The density of signups rises from the first day to (1 + growth) times as much on the last.
    const passed = Math.max(0, (day + 0.5 - startAt / dayMs) / length);
    const signups = (customers / length) * ((1 + growth * passed) / (1 + growth / 2));
    for (const channel of channelNames) yield tellSpend(scenario, run, channel, day, signups);
  }
}
