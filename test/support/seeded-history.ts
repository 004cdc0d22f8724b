import type { BillingEvent } from '../../producers/events.ts';
import { eventsOfPart } from '../../producers/runs/backfill/events.ts';
import { createScenario } from '../../producers/scenario/scenario.ts';
import { loadScenarioSettings } from '../../producers/scenario/settings.ts';

export interface SeededHistoryOptions {
  seed: number;
  customers: number;
  /** Milliseconds since 1970; the end is not included. */
  startAt: number;
  endAt: number;
}

/**
 * Every event that a backfill of these customers tells, without a broker: products, plans, exchange rates and
 * marketing spend first, then the customers' lives in the order of time.
 */
export function seededHistory({ seed, customers, startAt, endAt }: SeededHistoryOptions): BillingEvent[] {
  const scenario = createScenario(seed, loadScenarioSettings(), { now: () => endAt });
  const period = { startAt, endAt };
  const claim = {
    kind: 'history' as const,
    number: 1,
    isComplete: true,
    first: 0,
    count: customers,
    ...period,
    backfill: { years: 1, parts: 1 },
    rates: [period],
    referenceUntil: endAt,
  };
  const told = { claim, referenceSince: Number.NEGATIVE_INFINITY };
  return [0, 1].flatMap((part) => [...eventsOfPart(scenario, told, part)].flat());
}
