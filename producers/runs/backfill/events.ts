import type { BillingEvent } from '../../events.ts';
import { advance, startLife } from '../../lives/customer-life.ts';
import { historyEvents } from '../../lives/history.ts';
import { fxEvents, referenceEvents, spendEvents } from '../../lives/reference.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { rangeOfPart, type BackfillClaim } from './plan.ts';

/** A claim and what follows from the claims before it. */
export interface Told {
  claim: BackfillClaim;
  /** See {@link referenceSince}. */
  referenceSince: number;
}

/**
 * The events of a part, always the same ones in the same order: what all customers share as part 0, then the lives
 * of some of the customers.
 */
export function eventsOfPart(scenario: Scenario, told: Told, part: number): Iterable<BillingEvent[]> {
  return part === 0 ? sharedEvents(scenario, told) : historyEvents(scenario, rangeOfPart(told.claim, part));
}

/** Products and plans before anything that refers to them, then the exchange rates, then what marketing cost. */
function* sharedEvents(scenario: Scenario, { claim, referenceSince }: Told): Generator<BillingEvent[]> {
  const { number: run, count: customers, rates = [], ...period } = claim;
  const before = referenceEvents(scenario, referenceSince).map(idOfEvent);
  const toldBefore = new Set(Number.isFinite(referenceSince) ? before : []);
  yield referenceEvents(scenario, period.endAt).filter((event) => !toldBefore.has(idOfEvent(event)));
  for (const days of rates) yield* inPortions(fxEvents(scenario, days));
  yield* inPortions(spendEvents(scenario, { run, customers, period }));
}

/** Events that come one by one, some hundred at a time. */
function* inPortions(events: Iterable<BillingEvent>): Generator<BillingEvent[]> {
  let portion: BillingEvent[] = [];
  for (const event of events) {
    portion.push(event);
    if (portion.length < 500) continue;
    yield portion;
    portion = [];
  }
  yield portion;
}

function idOfEvent({ record }: BillingEvent): string {
  return String(record['event_id']);
}

/** How many events a part has: exactly where that is quickly found out, otherwise as an estimate. */
export function estimateParts(scenario: Scenario, told: Told): Map<number, number> {
  const { claim } = told;
  const perCustomer = eventsPerCustomer(scenario, claim);
  const sizes = new Map([[0, [...eventsOfPart(scenario, told, 0)].flat().length]]);
  for (let part = 1; part <= claim.backfill.parts; part += 1) {
    sizes.set(part, Math.round(rangeOfPart(claim, part).count * perCustomer));
  }
  return sizes;
}

/** Customers whose lives are counted to estimate how many events all of them have: mostly within five percent. */
const sampleSize = 1000;

function eventsPerCustomer(scenario: Scenario, { first, count, ...period }: BackfillClaim): number {
  const size = Math.min(sampleSize, count);
  let events = 0;
  for (let drawn = 0; drawn < size; drawn += 1) {
    const life = startLife(scenario, first + Math.floor((drawn * count) / size), period);
    while (life.nextAt < period.endAt) {
      for (const { at } of advance(scenario, life)) if (at < period.endAt) events += 1;
    }
  }
  return events / size;
}
