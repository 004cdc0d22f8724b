import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { calendarPage, turnPage } from '../../../producers/runs/live/calendar.ts';
import { Claims } from '../../../producers/runs/claims.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { endAt, rangeOf, scenarioOf } from './small-scenario.ts';

const dayMs = 86_400_000;
const scenario = scenarioOf(1);
const all = new Set(loadCatalog().topics.map(({ topic }) => topic));
/** In the middle of the day on which the tests' histories end. */
const noon = endAt + dayMs / 2;

describe('what a day brings', () => {
  it('is everything on a broker that holds nothing: prices, the rates of today, the spend of yesterday', () => {
    const days = daysOf(claimsIn(), noon);
    expect(days.get('billing.products')!.length).toBeGreaterThan(0);
    expect(days.get('billing.plans')!.length).toBeGreaterThan(0);
    expect(unique(days.get('billing.fx-rates'))).toEqual([endAt]);
    expect(unique(days.get('billing.marketing-spend'))).toEqual([endAt - dayMs]);
  });

  it('is nothing any more once it was told', () => {
    const claims = claimsIn();
    turnPage(claims, calendarPage(scenario, claims.list(), all, noon), noon);
    expect(calendarPage(scenario, claims.list(), all, noon + 1000).events).toEqual([]);
  });

  it('is told again by the next run when the run that told it died', () => {
    const claims = claimsIn();
    const told = calendarPage(scenario, claims.list(), all, noon);
    expect(calendarPage(scenario, claims.list(), all, noon)).toEqual(told);
  });

  it('is what came up since the last run, each day once', () => {
    const claims = claimsIn();
    turnPage(claims, calendarPage(scenario, claims.list(), all, noon), noon);
    const days = daysOf(claims, noon + 3 * dayMs);
    expect(unique(days.get('billing.fx-rates'))).toEqual([1, 2, 3].map((later) => endAt + later * dayMs));
    expect(unique(days.get('billing.marketing-spend'))).toEqual(
      [0, 1, 2].map((later) => endAt + later * dayMs),
    );
  });

  it('goes on where a complete history ended, with the campaigns of that history', () => {
    const claims = claimsIn();
    const history = claims.add(() => ({
      kind: 'history',
      ...rangeOf(0, 100),
      endAt: noon,
      rates: [{ startAt: endAt - 730 * dayMs, endAt: endAt + dayMs }],
      referenceUntil: noon,
    }));
    expect(daysOf(claims, noon).has('billing.plans')).toBe(true);
    claims.complete(history);
    expect(calendarPage(scenario, claims.list(), all, noon).events).toEqual([]);
    const days = daysOf(claims, noon + 2 * dayMs);
    // A price that changed on these days.
    expect(unique(days.get('billing.products')).every((day) => day >= endAt)).toBe(true);
    expect(days.has('billing.plans')).toBe(false);
    expect(unique(days.get('billing.fx-rates'))).toEqual([endAt + dayMs, endAt + 2 * dayMs]);
    expect(unique(days.get('billing.marketing-spend'))).toEqual([endAt, endAt + dayMs]);
  });

  it('is nothing that was not chosen, and is not taken for told', () => {
    const claims = claimsIn();
    const chosen = new Set(['billing.fx-rates']);
    const page = calendarPage(scenario, claims.list(), chosen, noon);
    expect(unique(page.events.map(({ topic }) => topic))).toEqual(['billing.fx-rates']);
    turnPage(claims, page, noon);
    expect([...daysOf(claims, noon).keys()].sort()).toEqual([
      'billing.marketing-spend',
      'billing.plans',
      'billing.products',
    ]);
  });
});

function claimsIn(): Claims {
  return new Claims(mkdtempSync(`${tmpdir()}/calendar-`));
}

/** Days (their first moments) of the records to be told, by topic. */
function daysOf(claims: Claims, now: number): Map<string, number[]> {
  const days = new Map<string, number[]>();
  for (const { topic, at } of calendarPage(scenario, claims.list(), all, now).events) {
    days.set(topic, [...(days.get(topic) ?? []), Math.floor(at / dayMs) * dayMs]);
  }
  return days;
}

function unique<T>(values: readonly T[] = []): T[] {
  return [...new Set(values)];
}
