import { PipelineError } from '../../../core/errors.ts';
import type { HistoryRange } from '../../lives/history.ts';
import type { Period } from '../../lives/customer-life.ts';
import { firstFreeIndex, type Claim, type NumberedClaim } from '../claims.ts';

const dayMs = 86_400_000;
const yearMs = 365.25 * dayMs;

/**
 * Customers that are told of side by side. The more, the fewer months an insert of the sink spans, and raw tables
 * are partitioned by month; the fewer, the less memory.
 */
const cohortCustomers = 10_000;
/** Parts of a cohort: one for each thread. */
const cohortParts = 2;

/** What is asked for; the same again goes on with what was interrupted. */
export interface BackfillRequest {
  seed: number;
  years: number;
  customers: number;
}

/** A claim of a history that can be told in parts. */
export type BackfillClaim = NumberedClaim & { backfill: NonNullable<Claim['backfill']> };

/**
 * The backfill that was begun and not finished, if it is the one that is asked for.
 *
 * @throws PipelineError `BACKFILL_UNFINISHED` when it is another one, `SCENARIO_CHANGED` when its rest would no
 *   longer fit what was told of it
 */
export function unfinishedBackfill(
  claims: readonly NumberedClaim[],
  { seed, years, customers }: BackfillRequest,
  fingerprint: string,
): BackfillClaim | undefined {
  const claim = claims.find((entry) => isBackfill(entry) && !entry.isComplete);
  if (claim === undefined || !isBackfill(claim)) return undefined;
  const told = `${claim.backfill.years} years of ${count(claim.count)} customers`;
  const command = `npm run backfill -- --years ${claim.backfill.years} --customers ${claim.count} --seed ${seed}`;
  if (claim.backfill.years !== years || claim.count !== customers) {
    throw new PipelineError('BACKFILL_UNFINISHED', {
      what: `An earlier backfill of seed ${seed} was interrupted: ${told}`,
      todo: `Finish it with "${command}", then run yours; or give yours another --seed.`,
    });
  }
  if (claim.fingerprint !== fingerprint) {
    throw new PipelineError('SCENARIO_CHANGED', {
      what: `The backfill of ${told} cannot be continued: the scenario or its code has changed since it began`,
      todo: 'Restore them and run the command again; or begin another business with another --seed.',
    });
  }
  return claim;
}

/** What a new backfill claims: customers that nobody had yet, and the days and changes that nobody told yet. */
export function planBackfill(
  claims: readonly NumberedClaim[],
  { years, customers }: BackfillRequest,
  fingerprint: string,
  now: number,
): Claim & { backfill: BackfillClaim['backfill'] } {
  const period = { startAt: Math.round(now - years * yearMs), endAt: now };
  const parts = Math.min(customers, cohortParts * Math.ceil(customers / cohortCustomers));
  return {
    kind: 'history',
    first: firstFreeIndex(claims),
    count: customers,
    ...period,
    fingerprint,
    backfill: { years, parts },
    rates: uncoveredDays(period, claims),
    referenceUntil: now,
  };
}

/** The customers of a part. Parts are numbered from 1: what all customers share is told first, as part 0. */
export function rangeOfPart(
  { first, count: all, backfill, ...period }: BackfillClaim,
  part: number,
): HistoryRange {
  const begin = Math.floor(((part - 1) * all) / backfill.parts);
  const end = Math.floor((part * all) / backfill.parts);
  return { first: first + begin, count: end - begin, startAt: period.startAt, endAt: period.endAt };
}

/** From when on the changes of products and plans are this run's to tell. */
export function referenceSince(claims: readonly NumberedClaim[], run: number): number {
  const before = claims.filter(({ number }) => number < run);
  return Math.max(Number.NEGATIVE_INFINITY, ...before.flatMap(({ referenceUntil }) => referenceUntil ?? []));
}

/** The days that `period` touches and no claim tells the exchange rates of, as few spans as possible. */
export function uncoveredDays({ startAt, endAt }: Period, claims: readonly Claim[]): Period[] {
  const covered = claims.flatMap(({ rates }) => rates ?? []).sort((a, b) => a.startAt - b.startAt);
  const end = Math.ceil(endAt / dayMs) * dayMs;
  const spans: Period[] = [];
  let next = Math.floor(startAt / dayMs) * dayMs;
  for (const span of covered) {
    if (span.startAt > next) spans.push({ startAt: next, endAt: Math.min(span.startAt, end) });
    next = Math.max(next, span.endAt);
    if (next >= end) break;
  }
  if (next < end) spans.push({ startAt: next, endAt: end });
  return spans.filter((span) => span.startAt < span.endAt);
}

function isBackfill(claim: NumberedClaim): claim is BackfillClaim {
  return claim.kind === 'history' && claim.backfill !== undefined;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
