import { Cron } from 'croner';
import { InvalidInputError, messageOf, PipelineError } from './errors.ts';
import { sleep as sleepFor } from './wait.ts';

export interface ScheduleOptions {
  schedule: Cron;
  /** Called at each firing; the next one is waited for when it has settled. */
  run: () => Promise<void>;
  /**
   * Told why a call failed; the schedule goes on, as the next one may succeed. A defect and an interruption end it all
   * the same. Default: whatever `run` throws ends the schedule.
   */
  onFailed?: (message: string) => void;
  signal: AbortSignal;
  /** Told when the schedule fires next. */
  onNext?: (at: Date) => void;
  /** Told of the firings that passed while `run` was at it: at least `count`. */
  onSkipped?: (count: number) => void;
  /** Tests put their own in the place of these two. */
  now?: () => number;
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Long waits are cut, as timers are limited to 25 days and the machine's clock may be corrected meanwhile. */
const longestSleepMs = 60_000;
/** Skipped firings are counted up to here: enough to say so. */
const manySkipped = 1000;

/**
 * Reads the CRON expression of a flag: five fields, or six with seconds in front; times are UTC.
 *
 * @throws InvalidInputError for one that is not valid or never comes true
 */
export function parseSchedule(expression: string, flag = '--schedule'): Cron {
  const fail = (message: string) =>
    new InvalidInputError({
      what: `The schedule "${expression}" is not valid`,
      where: 'the command line',
      problems: [{ path: flag, message }],
      todo: 'Five fields are needed, as in "*/5 * * * *": minute, hour, day, month, weekday; all in UTC.',
    });
  let schedule: Cron;
  try {
    schedule = new Cron(expression, { paused: true, timezone: 'UTC' });
  } catch (error) {
    throw fail(messageOf(error).replace(/^CronPattern: /, ''));
  }
  if (schedule.nextRun() === null) throw fail('it never comes true');
  return schedule;
}

/**
 * Calls `run` at each firing of a schedule, one at a time: a firing meanwhile is skipped.
 *
 * @returns when the schedule does not fire any more
 * @throws InterruptedError when `signal` aborts between two calls
 */
export async function runSchedule(options: ScheduleOptions): Promise<void> {
  const { schedule, run, signal, onNext, onSkipped, onFailed } = options;
  const { now = () => Date.now(), sleep = sleepFor } = options;
  let firedAt = new Date(now());
  for (;;) {
    const skipped = countBetween(schedule, firedAt, now());
    if (skipped > 0) onSkipped?.(skipped);
    const next = schedule.nextRun(new Date(now()));
    if (next === null) return;
    onNext?.(next);
    for (let leftMs = next.getTime() - now(); leftMs > 0; leftMs = next.getTime() - now()) {
      await sleep(Math.min(leftMs, longestSleepMs), signal);
    }
    firedAt = next;
    try {
      await run();
    } catch (error) {
      if (onFailed === undefined || !(error instanceof PipelineError) || signal.aborted) throw error;
      onFailed(messageOf(error));
    }
  }
}

/** Firings after `from` and up to `to`. */
function countBetween(schedule: Cron, from: Date, to: number): number {
  let count = 0;
  let at = schedule.nextRun(from);
  while (at !== null && at.getTime() <= to && count < manySkipped) {
    count += 1;
    at = schedule.nextRun(at);
  }
  return count;
}
