import type { BillingEvent } from '../../../../producers/events.ts';

/**
 * What the recounts have in common: reading fields, days and months. They share nothing with the SQL they check,
 * and nothing with the code that generates the events.
 */
export type EventRecord = BillingEvent['record'];

/** Counts and sums by the parts of a key, joined by spaces: `2024-02 EUR`. */
export type Tally = Map<string, number>;

export function textOf(record: EventRecord, field: string): string {
  return String(record[field]);
}

export function numberOf(record: EventRecord, field: string): number {
  return Number(record[field]);
}

export function recordsOf(events: readonly BillingEvent[], topic: string): EventRecord[] {
  return events.filter((event) => event.topic === topic).map(({ record }) => record);
}

/** The records by what a field of them says, in the order of the records. */
export function groupBy(records: readonly EventRecord[], field: string): Map<string, EventRecord[]> {
  const groups = new Map<string, EventRecord[]>();
  for (const record of records) {
    const group = groups.get(textOf(record, field));
    if (group === undefined) groups.set(textOf(record, field), [record]);
    else group.push(record);
  }
  return groups;
}

/** Each entity as its highest version says it is. */
export function latestOf(records: readonly EventRecord[], idField: string): EventRecord[] {
  return [...groupBy(records, idField).values()].map((versions) =>
    versions.reduce((a, b) => (numberOf(b, 'entity_version') > numberOf(a, 'entity_version') ? b : a)),
  );
}

export function add(tally: Tally, key: string, amount = 1): void {
  tally.set(key, (tally.get(key) ?? 0) + amount);
}

/** `2024-02-29` */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** `2024-02` */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** The first instant after a month. */
export function endOfMonth(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return Date.UTC(year, number, 1);
}

/** Every month from the first to the last, both included. */
export function monthsBetween(first: string, last: string): string[] {
  const months = [first];
  while (months.at(-1)! < last) months.push(monthOf(endOfMonth(months.at(-1)!)));
  return months;
}

/** The same day and time of day so many months later; the month's last day where it has no such day. */
export function monthsLater(at: number, months: number): number {
  const from = new Date(at);
  const firstOfMonth = Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months, 1);
  const daysOfMonth = new Date(endOfMonth(monthOf(firstOfMonth)) - 1).getUTCDate();
  const timeOfDay = at % 86_400_000;
  return firstOfMonth + (Math.min(from.getUTCDate(), daysOfMonth) - 1) * 86_400_000 + timeOfDay;
}
