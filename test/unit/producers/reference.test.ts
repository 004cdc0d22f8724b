import { describe, expect, it } from 'vitest';
import { rateOf } from '../../../producers/entities/fx-rates.ts';
import { localPrice } from '../../../producers/entities/products.ts';
import { historyEvents } from '../../../producers/lives/history.ts';
import { fxEvents, referenceEvents, spendEvents } from '../../../producers/lives/reference.ts';
import { usdPriceAt } from '../../../producers/scenario/product-prices.ts';
import { endAt, scenarioOf, settings } from './small-scenario.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const scenario = scenarioOf(6);
const period = { startAt: Date.UTC(2020, 9, 1), endAt };
const amountOf = (record: Readonly<Record<string, unknown>>, field: string) => Number(record[field]);

describe('referenceEvents', () => {
  const products = referenceEvents(scenario, endAt).filter(({ topic }) => topic === 'billing.products');

  it('tells of every product, and of every price it had before the end', () => {
    const skus = Object.values(settings.products.categories).flatMap((list) => Object.keys(list));
    expect(new Set(products.map(({ record }) => record['sku']))).toEqual(new Set(skus));
    expect(products.length).toBeGreaterThan(skus.length * 3);
    expect(products.every(({ at }) => at < endAt)).toBe(true);
  });

  it('raises prices only, as far and as often as the settings say', () => {
    const [low, high] = settings.products.riseBps;
    let rises = 0;
    let years = 0;
    for (const { prices } of scenario.tables.products.values) {
      years += 90;
      for (const [index, { usdMinor }] of prices.slice(1).entries()) {
        const before = prices[index]!.usdMinor;
        rises += 1;
        // A cent of rounding on the cheapest products.
        expect(usdMinor - before).toBeGreaterThanOrEqual(Math.floor((before * low) / 10_000));
        expect(usdMinor - before).toBeLessThanOrEqual(Math.ceil((before * high) / 10_000));
      }
    }
    expect(rises / years).toBeCloseTo(settings.products.yearlyRise, 1);
  });

  it('tells the same of the past, however far it goes', () => {
    const earlier = referenceEvents(scenario, Date.UTC(2022, 0, 1));
    expect(earlier).toEqual(referenceEvents(scenario, endAt).filter(({ at }) => at < Date.UTC(2022, 0, 1)));
  });

  it('charges the price that is told, in the currency of the customer', () => {
    const product = scenario.tables.products.values[0]!;
    const [first, second] = product.prices;
    expect(usdPriceAt(product, second!.from - 1)).toBe(first!.usdMinor);
    expect(usdPriceAt(product, second!.from)).toBe(second!.usdMinor);
    expect(usdPriceAt(product, 0)).toBe(first!.usdMinor);
    const [place] = scenario.tables.countries.values.find(([{ currency }]) => currency === 'JPY')!;
    const yen = (first!.usdMinor / 100) * settings.currencies['JPY']!.perUsd;
    expect(localPrice(product, place, 0)).toBe(Math.round(yen));
  });
});

describe('fxEvents', () => {
  const quotes = Object.keys(settings.currencies).filter((code) => code !== 'USD');

  it('tells one rate per currency and day, whatever else is told', () => {
    const days = (endAt - period.startAt) / dayMs;
    const rates = [...fxEvents(scenario, period)];
    expect(rates).toHaveLength(days * quotes.length);
    expect(new Set(rates.map(({ record }) => record['fx_rate_id'])).size).toBe(rates.length);
    const day = { startAt: Date.UTC(2023, 4, 5), endAt: Date.UTC(2023, 4, 6) };
    expect([...fxEvents(scenario, day)]).toEqual(
      rates.filter(({ at }) => at >= day.startAt && at < day.endAt),
    );
  });

  it('belongs to no two periods that meet, also within a day', () => {
    const noon = Date.UTC(2025, 0, 5, 12);
    const parts = [
      { startAt: noon - 36 * hourMs, endAt: noon },
      { startAt: noon, endAt: noon + 36 * hourMs },
    ].flatMap((part) => [...fxEvents(scenario, part)]);
    expect(parts).toEqual([
      ...fxEvents(scenario, { startAt: noon - 36 * hourMs, endAt: noon + 36 * hourMs }),
    ]);
  });

  it('stays around the price list, and moves a little from day to day', () => {
    const { drift, dailyNoise } = settings.fx;
    for (const quote of quotes) {
      const { perUsd } = settings.currencies[quote]!;
      const days = Array.from({ length: 1826 }, (_, index) =>
        Number(rateOf(scenario, quote, 18_536 + index)),
      );
      const furthest = Math.max(...days.map((rate) => Math.abs(rate / perUsd - 1)));
      expect(furthest).toBeLessThan(drift + 6 * dailyNoise);
      expect(furthest).toBeGreaterThan(drift / 4);
      const steps = days.slice(1).map((rate, index) => Math.abs(rate / days[index]! - 1));
      expect(Math.max(...steps)).toBeLessThan(8 * dailyNoise + 0.01);
      expect(new Set(days).size).toBeGreaterThan(300);
    }
  });
});

describe('spendEvents', () => {
  const customers = 3000;
  const spend = [...spendEvents(scenario, { run: 1, customers, period })];

  it('tells one amount per channel and day, each run for itself', () => {
    const channels = Object.keys(settings.marketing.channels);
    expect(spend).toHaveLength(((endAt - period.startAt) / dayMs) * channels.length);
    const other = spendEvents(scenario, { run: 2, customers, period });
    const ids = [...spend, ...other].map(({ record }) => record['spend_id']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('comes at the end of its day, within the period', () => {
    const noon = Date.UTC(2025, 0, 5, 12);
    const days = [
      ...spendEvents(scenario, { run: 1, customers: 1, period: { startAt: noon - dayMs, endAt: noon } }),
    ];
    expect(new Set(days.map(({ at }) => at))).toEqual(new Set([Date.UTC(2025, 0, 5) - 1]));
    expect(days[0]!.record['spend_date']).toBe(Date.UTC(2025, 0, 4) / dayMs);
  });

  it('costs 30 to 150 USD per paying customer on every channel', () => {
    const year = { startAt: Date.UTC(2024, 9, 1), endAt };
    const count = 2000;
    const paying = new Map<string, number>();
    for (const events of historyEvents(scenario, { first: 0, count, ...year })) {
      for (const { topic, record } of events) {
        if (topic !== 'billing.customers' || record['status'] !== 'active') continue;
        const isFirst =
          record['event_type'] === 'customer.created' || record['event_type'] === 'customer.activated';
        const channel = String(record['channel']);
        if (isFirst) paying.set(channel, (paying.get(channel) ?? 0) + 1);
      }
    }
    for (const channel of Object.keys(settings.marketing.channels)) {
      const spent = [...spendEvents(scenario, { run: 1, customers: count, period: year })]
        .filter(({ record }) => record['channel'] === channel)
        .reduce((sum, { record }) => sum + amountOf(record, 'spend_minor'), 0);
      const acquisitionCost = spent / 100 / paying.get(channel)!;
      expect(acquisitionCost, channel).toBeGreaterThan(30);
      expect(acquisitionCost, channel).toBeLessThan(150);
    }
  });

  it('grows with the signups, and follows the season', () => {
    const of = (keep: (date: Date) => boolean) =>
      spend
        .filter(({ record }) => keep(new Date(amountOf(record, 'spend_date') * dayMs)))
        .reduce((sum, { record }) => sum + amountOf(record, 'spend_minor'), 0);
    expect(of((date) => date.getUTCFullYear() === 2024)).toBeGreaterThan(
      1.5 * of((date) => date.getUTCFullYear() === 2021),
    );
    expect(of((date) => date.getUTCDay() === 2)).toBeGreaterThan(1.4 * of((date) => date.getUTCDay() === 0));
  });
});
