import { describe, expect, it } from 'vitest';
import type { BillingEvent } from '../../../producers/events.ts';
import { LiveStream } from '../../../producers/lives/live.ts';
import { isLegal } from '../../../producers/scenario/state-machines.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { endAt, historyOf, rangeOf, scenarioOf } from './small-scenario.ts';

describe('a live stream', () => {
  const told = historyOf(1, 200);
  const events = streamOf({ run: 2, events: 5000 });

  it('breaks no state machine and tells of no child before its parent', () => {
    const status = new Map<string, string>();
    for (const { record } of told) for (const id of idsOf(record)) status.set(id, String(record['status']));
    for (const { topic, record } of events) {
      const [own, ...parents] = idsOf(record);
      for (const parent of parents) expect(status.has(parent)).toBe(true);
      const machine =
        topic === 'billing.payments' ? 'payment' : topic === 'billing.invoices' ? 'invoice' : 'customer';
      const [from, to] = [status.get(own!) ?? 'none', String(record['status'])];
      expect(isLegal(machine, from, to), `${machine} ${from} -> ${to}`).toBe(true);
      status.set(own!, to);
    }
  });

  it('happens now and fits the schemas', () => {
    const types = new Map(loadCatalog().topics.map(({ topic, type }) => [topic, type]));
    events.forEach(({ topic, at, record }, index) => {
      expect(at).toBe(endAt + index);
      expect(types.get(topic)?.isValid(record)).toBe(true);
    });
  });

  it('bills customers of the history who did not leave', () => {
    const left = new Set(
      told.flatMap(({ record }) => (record['status'] === 'canceled' ? [record['customer_id']] : [])),
    );
    const known = new Set(told.map(({ record }) => record['customer_id']));
    const billed = events
      .filter(({ topic }) => topic === 'billing.invoices')
      .map(({ record }) => record['customer_id']);
    expect(billed.some((customer) => known.has(customer))).toBe(true);
    expect(billed.filter((customer) => left.has(customer))).toEqual([]);
  });

  it('is repeatable for a run, and no other run uses any of its ids', () => {
    expect(streamOf({ run: 2, events: 500 })).toEqual(events.slice(0, 500));
    const next = streamOf({ run: 3, events: 5000, firstSignup: 900 });
    const ids = [...told, ...events, ...next].map(({ record }) => record['event_id']);
    expect(new Set(ids).size).toBe(ids.length);
    const idsOfRun = (run: readonly BillingEvent[]) =>
      new Set(
        run.filter(({ topic }) => topic === 'billing.payments').map(({ record }) => record['payment_id']),
      );
    const earlier = idsOfRun([...told, ...events]);
    expect([...idsOfRun(next)].filter((id) => earlier.has(id))).toEqual([]);
  });

  it('begins with signups where there is no history', () => {
    const scenario = scenarioOf(4);
    const stream = new LiveStream(scenario, { run: 1, histories: [], signups: { first: 0, count: 100 } });
    const first = Array.from({ length: 2000 }, (_, index) => stream.next(endAt + index));
    expect(first[0]?.topic).toBe('billing.customers');
    expect(new Set(first.map(({ topic }) => topic)).size).toBe(3);
  });
});

function streamOf({ run, events, firstSignup = 200 }: { run: number; events: number; firstSignup?: number }) {
  const stream = new LiveStream(scenarioOf(1), {
    run,
    histories: [rangeOf(0, 200)],
    signups: { first: firstSignup, count: 500 },
  });
  return Array.from({ length: events }, (_, index) => stream.next(endAt + index));
}

/** Ids of the record's own entity and of its parents, its own first. */
function idsOf(record: BillingEvent['record']): string[] {
  const fields = ['payment_id', 'invoice_id', 'customer_id'];
  return fields.flatMap((field) => (field in record ? [String(record[field])] : []));
}
