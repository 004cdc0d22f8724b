import { tellSpend } from '../../entities/marketing-spend.ts';
import type { BillingEvent } from '../../events.ts';
import { fxEvents, referenceEvents } from '../../lives/reference.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { channelNames } from '../../scenario/settings.ts';
import { firstFreeIndex, type Claim, type Claims, type NumberedClaim } from '../claims.ts';

const dayMs = 86_400_000;
/** Signups a day that money is spent for where no history says how many there are. */
const signupsWithoutHistory = 20;

/** What belongs to a moment and to no customer: prices, rates, spend. */
export interface CalendarPage {
  events: BillingEvent[];
  /** What of it is told afterwards; nothing of topics that were not chosen. */
  told: Pick<Claim, 'rates' | 'referenceUntil' | 'spendUntil'>;
}

/**
 * What has to be told before anything else can happen at `now`: products and plans with the changes of their
 * prices, the exchange rates of the days up to today, the marketing spend of the days that are over. Nothing that a
 * complete history or a live run has told.
 */
export function calendarPage(
  scenario: Scenario,
  claims: readonly NumberedClaim[],
  topics: ReadonlySet<string>,
  now: number,
): CalendarPage {
  // A live run claims what it has told afterwards, a history before.
  const sound = claims.filter(({ kind, isComplete }) => kind === 'live' || isComplete);
  const today = Math.floor(now / dayMs) * dayMs;

  const since = Math.max(0, ...sound.flatMap(({ referenceUntil }) => referenceUntil ?? []));
  const reference = referenceEvents(scenario, now).filter(({ at }) => at >= since);

  const ratesUntil = Math.max(0, ...sound.flatMap(({ rates = [] }) => rates.map(({ endAt }) => endAt)));
  const span = { startAt: ratesUntil || today, endAt: today + dayMs };
  const rates = span.startAt < span.endAt ? [span] : [];

  const events = [
    ...reference,
    ...rates.flatMap((days) => [...fxEvents(scenario, days)]),
    ...spendOf(scenario, sound, today),
  ];
  const hasAll = (...names: string[]) => names.every((name) => topics.has(name));
  return {
    events: events.filter(({ topic }) => topics.has(topic)),
    told: {
      ...(hasAll('billing.products', 'billing.plans') && { referenceUntil: now }),
      ...(hasAll('billing.fx-rates') && { rates }),
      ...(hasAll('billing.marketing-spend') && { spendUntil: today }),
    },
  };
}

/** Remembers that a page was told; to be called when the broker has acknowledged it. */
export function turnPage(claims: Claims, { told }: CalendarPage, now: number): void {
  claims.add((previous) => ({
    kind: 'live',
    first: firstFreeIndex(previous),
    count: 0,
    startAt: now,
    endAt: now,
    ...told,
  }));
}

/** When the next page is due. */
export function nextPageAt(now: number): number {
  return (Math.floor(now / dayMs) + 1) * dayMs;
}

/** The spend of the days before `today` that are not told: each history's campaigns go on as they were at its end. */
function spendOf(scenario: Scenario, claims: readonly NumberedClaim[], today: number): BillingEvent[] {
  const since = Math.max(0, ...claims.flatMap(({ spendUntil }) => spendUntil ?? []));
  const { growth } = scenario.settings.customers;
  const campaigns = claims
    .filter(({ kind }) => kind === 'history')
    .map(({ number: run, count, startAt, endAt }) => {
      const dailyMean = count / ((endAt - startAt) / dayMs);
      // A history tells of the days that end within it.
      const from = Math.floor(endAt / dayMs) * dayMs;
      return { run, from, signups: (dailyMean * (1 + growth)) / (1 + growth / 2) };
    });
  // No claim has the number 0.
  if (campaigns.length === 0)
    campaigns.push({ run: 0, from: since || today - dayMs, signups: signupsWithoutHistory });
  return campaigns.flatMap(({ run, from, signups }) => {
    const events: BillingEvent[] = [];
    for (let at = Math.max(from, since); at < today; at += dayMs) {
      for (const channel of channelNames) events.push(tellSpend(scenario, run, channel, at / dayMs, signups));
    }
    return events;
  });
}
