const dayMs = 86_400_000;
const offsets = new Map<string, Map<number, number>>();
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * What a clock on the wall of `timezone` is ahead of UTC, in milliseconds. Remembered per zone and day, because
 * Intl takes microseconds; on the day of a change the hours before it are off by one.
 */
export function offsetMs(timezone: string, at: number): number {
  const day = Math.floor(at / dayMs);
  let ofZone = offsets.get(timezone);
  if (ofZone === undefined) {
    ofZone = new Map<number, number>();
    offsets.set(timezone, ofZone);
  }
  return ofZone.get(day) ?? lookUpMonth(timezone, ofZone, day);
}

/** Month 0-11, weekday 0-6 from Monday, and hour of a moment, as the customer sees it. */
export function localParts(timezone: string, at: number): { month: number; weekday: number; hour: number } {
  const local = new Date(at + offsetMs(timezone, at));
  return {
    month: local.getUTCMonth(),
    weekday: (local.getUTCDay() + 6) % 7,
    hour: local.getUTCHours(),
  };
}

/** The same time of day `count` months later; the last day where the month is too short (31 January + 1). */
export function addMonths(at: number, count: number): number {
  const from = new Date(at);
  const month = from.getUTCMonth() + count;
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const sameDay = Date.UTC(from.getUTCFullYear(), month, Math.min(from.getUTCDate(), lastDay));
  return sameDay + (at - Math.floor(at / dayMs) * dayMs);
}

/** Looks the days of the month up, and no more than two of them where the clock is not changed. */
function lookUpMonth(timezone: string, ofZone: Map<number, number>, day: number): number {
  const date = new Date(day * dayMs);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / dayMs;
  const last = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0) / dayMs;
  const offset = lookUp(timezone, (first + 0.5) * dayMs);
  const isSame = offset === lookUp(timezone, (last + 0.5) * dayMs);
  for (let each = first; each <= last; each += 1) {
    ofZone.set(each, isSame ? offset : lookUp(timezone, (each + 0.5) * dayMs));
  }
  return ofZone.get(day) ?? offset;
}

function lookUp(timezone: string, at: number): number {
  const parts = formatterOf(timezone).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((p) => p.type === type)?.value ?? 0);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  return local - at;
}

function formatterOf(timezone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formatters.set(timezone, formatter);
  }
  return formatter;
}
