import { InvalidInputError, PipelineError, type Problem } from '../../core/errors.ts';
import type { Options } from '../command.ts';
import { parseDuration, parseInstant } from '../parse-time.ts';

/** What `reconcile` was asked for. */
export interface ReconcileFlags {
  /** Undefined: all of the catalog. */
  topics: string[] | undefined;
  /** Milliseconds; undefined: all that the broker holds. */
  sinceMs: number | undefined;
  lateAfterMs: number;
  isQuick: boolean;
  /** Milliseconds from one look to the next; undefined: one look. */
  watchMs: number | undefined;
  untilClean: boolean;
  repair: boolean;
  /** Also of the dead letters. */
  deadLetters: boolean;
  dryRun: boolean;
}

const defaultLateAfterMs = 3_600_000;
const defaultWatchS = 5;
const where = 'the command line';
const what = 'The options of reconcile are not valid';

/**
 * @param known the topics of the catalog
 * @throws InvalidInputError with everything that is wrong; PipelineError `UNKNOWN_TOPIC`
 */
export function parseReconcileFlags(
  options: Options,
  topics: readonly string[],
  known: readonly string[],
  nowMs = Date.now(),
): ReconcileFlags {
  const unknown = topics.filter((topic) => !known.includes(topic));
  if (unknown.length > 0) {
    throw new PipelineError('UNKNOWN_TOPIC', {
      what: `The catalog has no topic ${unknown.join(', ')}`,
      where: 'schemas/topics.yaml',
      todo: `It has ${known.join(', ')}.`,
    });
  }
  const problems: Problem[] = [];
  const flag = (name: string) => options[name] === true;
  // cac turns what looks like a number into one; a flag without a value is true.
  const text = (name: string) => {
    const given = options[name];
    return given === undefined ? undefined : typeof given === 'string' ? given : JSON.stringify(given);
  };

  const since = text('since');
  const sinceMs = since === undefined ? undefined : parseInstant(since, nowMs);
  const form = 'expected a time such as 2026-03-01T12:30:00Z, or how long ago, as in 24h';
  if (since !== undefined && sinceMs === undefined)
    problems.push({ path: '--since', message: `${form}, not "${since}"` });
  if (sinceMs !== undefined && sinceMs > nowMs) {
    problems.push({ path: '--since', message: `${new Date(sinceMs).toISOString()} is in the future` });
  }
  if (sinceMs !== undefined && sinceMs < 0) {
    problems.push({ path: '--since', message: 'is before 1970, when there were no records' });
  }

  const late = text('lateAfter');
  const lateAfterMs = late === undefined ? defaultLateAfterMs : parseDuration(late);
  if (lateAfterMs === undefined) {
    problems.push({
      path: '--late-after',
      message: `expected a duration such as 90s, 15m, 24h or 7d, not "${late ?? ''}"`,
    });
  }

  const watch = options['watch'];
  const watchS = watch === undefined ? undefined : watch === true ? defaultWatchS : Number(watch);
  if (watchS !== undefined && !(watchS >= 0.2 && watchS <= 3600)) {
    problems.push({ path: '--watch', message: 'expected a number of seconds from 0.2 to 3600' });
  }

  const [repair, untilClean] = [flag('repair'), flag('untilClean')];
  const [deadLetters, dryRun] = [flag('deadLetters'), flag('dryRun')];
  const demand = (isGiven: boolean, path: string, isThere: boolean, by: string) => {
    if (isGiven && !isThere) problems.push({ path, message: `has a meaning only with ${by}` });
  };
  demand(untilClean, '--until-clean', watch !== undefined, '--watch');
  demand(deadLetters, '--dead-letters', repair, '--repair');
  demand(dryRun, '--dry-run', repair, '--repair');
  demand(flag('yes'), '--yes', repair, '--repair');
  if (repair && watch !== undefined) {
    problems.push({ path: '--watch', message: 'cannot be combined with --repair' });
  }
  if (problems.length > 0) throw new InvalidInputError({ what, where, problems });
  return {
    topics: topics.length === 0 ? undefined : [...topics],
    sinceMs,
    lateAfterMs: lateAfterMs ?? defaultLateAfterMs,
    // Whoever looks again in a moment does not read the tables each time.
    isQuick: flag('quick') || watch !== undefined,
    watchMs: watchS === undefined ? undefined : watchS * 1000,
    untilClean,
    repair,
    deadLetters,
    dryRun,
  };
}
