import { describe, expect, it } from 'vitest';
import type { BillingEvent } from '../../../producers/events.ts';
import { advance, startLife, type CustomerLife } from '../../../producers/lives/customer-life.ts';
import { historyEvents, resumeLife } from '../../../producers/lives/history.ts';
import { happen, type PlannedStep } from '../../../producers/lives/steps.ts';
import { endAt, rangeOf, scenarioOf } from './small-scenario.ts';

const scenario = scenarioOf(8);
const range = rangeOf(0, 120);
/** Two years after the end of the history. */
const laterAt = Date.UTC(2027, 9, 1);

describe('resumeLife', () => {
  it('goes on exactly as a longer history would', () => {
    const told = new Map<string, BillingEvent[]>();
    for (const event of [...historyEvents(scenario, range)].flat()) {
      const customer = String(event.record['customer_id']);
      told.set(customer, [...(told.get(customer) ?? []), event]);
    }
    let isGoingOn = 0;
    for (let index = 0; index < range.count; index += 1) {
      const { life, pending } = resumeLife(scenario, index, range);
      const until = told.get(life.customer.id) ?? [];
      const after = goOn(life, pending);
      expect([...until, ...after]).toEqual(wholeLife(index));
      if (after.length > 0) isGoingOn += 1;
    }
    expect(isGoingOn).toBeGreaterThan(range.count / 3);
  });

  it('returns what is under way in the order of time, none of it before the end', () => {
    for (let index = 0; index < range.count; index += 1) {
      const { life, pending } = resumeLife(scenario, index, range);
      const times = pending.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times[0] ?? endAt).toBeGreaterThanOrEqual(endAt);
      expect(life.nextAt).toBeGreaterThanOrEqual(endAt);
    }
  });

  it('gives lives that can be stored: plain data but for the random stream', () => {
    for (let index = 0; index < 50; index += 1) {
      const { life, pending } = resumeLife(scenario, index, range);
      const { random, ...plain } = life;
      expect(random.state()).toHaveLength(4);
      expect(structuredClone({ plain, pending })).toEqual({ plain, pending });
    }
  });
});

/** Lets things be decided and happen by turns, as a live stream does. */
function goOn(life: CustomerLife, pending: PlannedStep[]): BillingEvent[] {
  const events: BillingEvent[] = [];
  for (;;) {
    while (life.nextAt <= (pending[0]?.at ?? Number.MAX_VALUE)) {
      pending.push(...advance(scenario, life));
      pending.sort((a, b) => a.at - b.at);
    }
    const next = pending.shift();
    if (next === undefined || next.at >= laterAt) return events;
    events.push(happen(scenario, next.step, next.at));
  }
}

/** Decides everything before anything happens. */
function wholeLife(index: number): BillingEvent[] {
  const life = startLife(scenario, index, range);
  const steps: PlannedStep[] = [];
  while (life.nextAt < laterAt) steps.push(...advance(scenario, life));
  return steps
    .filter(({ at }) => at < laterAt)
    .sort((a, b) => a.at - b.at)
    .map(({ step, at }) => happen(scenario, step, at));
}
