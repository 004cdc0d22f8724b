import { advance, startLife, type CustomerLife, type Period } from './customer-life.ts';
import type { BillingEvent } from '../events.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { happen, type PlannedStep } from './steps.ts';

const windowMs = 86_400_000;

/** Customers with consecutive indices, and the period their lives are told of. */
export interface HistoryRange extends Period {
  first: number;
  count: number;
}

/**
 * Tells the lives of a range of customers in the order of time, one day at a time: a parent always comes before
 * its children. What would happen after the end of the period is not told. Memory follows the number of
 * customers and what they have under way, not the length of the period.
 */
export function* historyEvents(scenario: Scenario, range: HistoryRange): Generator<BillingEvent[]> {
  const { first, count, startAt, endAt } = range;
  const lives: CustomerLife[] = [];
  for (let index = first; index < first + count; index += 1) lives.push(startLife(scenario, index, range));
  /** What is known to happen, by the number of its window. */
  const coming = new Map<number, PlannedStep[]>();
  const lastWindow = Math.ceil((endAt - startAt) / windowMs);
  for (let window = 0; window < lastWindow; window += 1) {
    const windowEnd = Math.min(endAt, startAt + (window + 1) * windowMs);
    let living = 0;
    for (const life of lives) {
      while (life.nextAt < windowEnd) {
        for (const planned of advance(scenario, life)) {
          if (planned.at >= endAt) continue;
          const at = Math.floor((planned.at - startAt) / windowMs);
          const steps = coming.get(at);
          if (steps === undefined) coming.set(at, [planned]);
          else steps.push(planned);
        }
      }
      // Whose next decision is not part of the history is let go of, at once.
      if (life.nextAt < endAt) {
        lives[living] = life;
        living += 1;
      }
    }
    lives.length = living;
    const steps = coming.get(window);
    coming.delete(window);
    // Sorting is stable: at the same moment a parent stays before its child.
    if (steps !== undefined) {
      steps.sort((a, b) => a.at - b.at);
      yield steps.map(({ step, at }) => happen(scenario, step, at));
    }
  }
}

/** A customer as of the end of a history. */
export interface ResumedLife {
  life: CustomerLife;
  /** What was decided before the end and happens after it, in the order of time. */
  pending: PlannedStep[];
}

/** Lives the life of a customer of a history again up to its end, without telling of it. */
export function resumeLife(scenario: Scenario, index: number, range: HistoryRange): ResumedLife {
  const life = startLife(scenario, index, range);
  const steps: PlannedStep[] = [];
  while (life.nextAt < range.endAt) steps.push(...advance(scenario, life));
  steps.sort((a, b) => a.at - b.at);
  const pending = steps.filter(({ at }) => at >= range.endAt);
  for (const { step, at } of steps) if (at < range.endAt) happen(scenario, step, at);
  return { life, pending };
}
