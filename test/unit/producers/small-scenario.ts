import type { BillingEvent } from '../../../producers/events.ts';
import { historyEvents, type HistoryRange } from '../../../producers/lives/history.ts';
import { loadScenarioSettings } from '../../../producers/scenario/settings.ts';
import { createScenario, type Scenario } from '../../../producers/scenario/scenario.ts';

/** 1 October 2025, 00:00 UTC: histories of the tests end here, and their clock stands still here. */
export const endAt = Date.UTC(2025, 9, 1);

export const settings = loadScenarioSettings();

export function scenarioOf(seed: number): Scenario {
  return createScenario(seed, settings, { now: () => endAt });
}

/** Customers `first` to `first + count`, over two years. */
export function rangeOf(first: number, count: number): HistoryRange {
  return { first, count, startAt: Date.UTC(2023, 9, 1), endAt };
}

export function historyOf(seed: number, count: number, first = 0): BillingEvent[] {
  return [...historyEvents(scenarioOf(seed), rangeOf(first, count))].flat();
}
