import { beforeAll, describe, expect, it } from 'vitest';
import { startLife } from '../../../producers/lives/customer-life.ts';
import { localParts } from '../../../producers/scenario/local-time.ts';
import { endAt, scenarioOf, settings } from './small-scenario.ts';

const day = 86_400_000;
const signups = 30_000;
const period = { startAt: Date.UTC(2020, 9, 1), endAt };
const { seasonality, customers } = settings;

/** How often, or with what weight, each of some numbers came up. */
class Counts {
  readonly #weights = new Map<number, number>();

  add(key: number, weight: number): void {
    this.#weights.set(key, (this.#weights.get(key) ?? 0) + weight);
  }

  keys(): number[] {
    return [...this.#weights.keys()];
  }

  share(key: number): number {
    const total = [...this.#weights.values()].reduce((sum, weight) => sum + weight, 0);
    return (this.#weights.get(key) ?? 0) / total;
  }
}

/** Counts by the customer's own clock and calendar, and by the year of the period. */
const counts = { month: new Counts(), weekday: new Counts(), hour: new Counts(), year: new Counts() };

beforeAll(() => {
  const scenario = scenarioOf(31);
  for (let index = 0; index < signups; index += 1) {
    const { customer, nextAt } = startLife(scenario, index, period);
    const local = localParts(customer.place.timezone, nextAt);
    counts.month.add(local.month, 1);
    counts.weekday.add(local.weekday, 1);
    counts.hour.add(local.hour, 1);
    counts.year.add(yearOf(nextAt), 1);
  }
});

describe(`${signups} signups`, () => {
  it('follow the hours and weekdays of the customer', () => {
    const byHour = new Counts();
    const byWeekday = new Counts();
    seasonality.hour.forEach((factor, hour) => {
      byHour.add(hour, factor);
    });
    seasonality.weekday.forEach((factor, weekday) => {
      byWeekday.add(weekday, factor);
    });
    expectSame(counts.hour, byHour);
    expectSame(counts.weekday, byWeekday);
  });

  it('follow the months, and grow towards the end', () => {
    const byMonth = new Counts();
    const byYear = new Counts();
    for (let at = period.startAt; at < period.endAt; at += day) {
      const { month, weekday } = localParts('UTC', at);
      const grown = 1 + customers.growth * ((at - period.startAt) / (period.endAt - period.startAt));
      const weight = grown * (seasonality.month[month] ?? 1) * (seasonality.weekday[weekday] ?? 1);
      byMonth.add(month, weight);
      byYear.add(yearOf(at), weight);
    }
    expectSame(counts.month, byMonth);
    expectSame(counts.year, byYear);
  });
});

function yearOf(at: number): number {
  return Math.floor((at - period.startAt) / (365.25 * day));
}

function expectSame(told: Counts, expected: Counts): void {
  expect(told.keys().sort()).toEqual(expected.keys().sort());
  for (const key of expected.keys()) {
    expect(Math.abs(told.share(key) - expected.share(key)), String(key)).toBeLessThan(0.01);
  }
}
