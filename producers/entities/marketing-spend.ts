import type { BillingEvent } from '../events.ts';
import { idOf } from '../scenario/ids.ts';
import { Random } from '../scenario/random.ts';
import { streams, type Scenario } from '../scenario/scenario.ts';
import { channelNames, type ChannelName } from '../scenario/settings.ts';

const dayMs = 86_400_000;

/**
 * What one channel cost on one day (days since 1970), told as of the day's last moment.
 *
 * @param run number of the run whose customers the money brings: another run spends money of its own
 * @param signups how many customers are expected to sign up that day, through any channel
 */
export function tellSpend(
  scenario: Scenario,
  run: number,
  channel: ChannelName,
  day: number,
  signups: number,
): BillingEvent {
  const { seed, settings, ids } = scenario;
  const { channels, dailySpread } = settings.marketing;
  const { costPerSignup, campaign } = channels[channel];
  const ordinal = day * 64 + channelNames.indexOf(channel);
  const key = ids.key('spend', run, ordinal);
  const date = new Date(day * dayMs);
  const at = (day + 1) * dayMs - 1;
  const factors = settings.seasonality;
  const season =
    (factors.month[date.getUTCMonth()] ?? 1) * (factors.weekday[(date.getUTCDay() + 6) % 7] ?? 1);
  const expected = signups * settings.customers.channels[channel] * costPerSignup * season;
  const record = {
    event_id: ids.eventId(key, 1, at),
    event_type: 'marketing_spend.recorded',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: 1,
    is_deleted: 0,
    spend_id: idOf(key),
    channel,
    campaign: `${campaign}-${date.getUTCFullYear()}q${Math.floor(date.getUTCMonth() / 3) + 1}`,
    spend_date: day,
    spend_minor: Math.round(new Random(seed, streams.spend, run, ordinal).logNormal(expected, dailySpread)),
    currency: 'USD',
  };
  return { topic: 'billing.marketing-spend', at, record };
}
