import type { BillingEvent } from '../events.ts';
import { idOf } from '../scenario/ids.ts';
import { labelOf, Random } from '../scenario/random.ts';
import { streams, type Scenario } from '../scenario/scenario.ts';

const dayMs = 86_400_000;

/** Currency that everything is priced in first. */
export const baseCurrency = 'USD';

/** Lengths in days of the waves a rate drifts on. Incommensurable, so that it never repeats itself. */
const waves = [1597, 547, 163] as const;

/** The rate of a day, told as of its first moment, so that whatever happens that day finds it. */
export function tellFxRate(scenario: Scenario, quote: string, day: number): BillingEvent {
  const key = scenario.ids.key('fxRate', labelOf(quote), day);
  const at = day * dayMs;
  const record = {
    event_id: scenario.ids.eventId(key, 1, at),
    event_type: 'fx_rate.published',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: 1,
    is_deleted: 0,
    fx_rate_id: idOf(key),
    base: baseCurrency,
    quote,
    rate_date: day,
    rate: rateOf(scenario, quote, day),
  };
  return { topic: 'billing.fx-rates', at, record };
}

/**
 * Units of `quote` for one USD on a day (days since 1970), a function of the seed, the currency and the day
 * alone. Six decimals, as rates are published: the last bits of Math.sin differ between engines.
 */
export function rateOf({ seed, settings }: Scenario, quote: string, day: number): string {
  const { drift, dailyNoise } = settings.fx;
  const label = labelOf(quote);
  const phases = new Random(seed, streams.fx, label);
  let wave = 0;
  for (const length of waves) wave += Math.sin(2 * Math.PI * (day / length + phases.float()));
  const noise = new Random(seed, streams.fx, label, day).logNormal(1, dailyNoise);
  const perUsd = settings.currencies[quote]?.perUsd ?? 1;
  return (perUsd * (1 + (drift * wave) / waves.length) * noise).toFixed(6);
}
