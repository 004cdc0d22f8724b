import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import {
  defaultFaultShares,
  faultNames,
  parseFaultShares,
  type FaultShares,
} from '../../../producers/delivery/fault-shares.ts';
import { FaultInjector, type Delivery, type FaultyTopic } from '../../../producers/delivery/faults.ts';
import { createEncoder } from '../../../producers/delivery/wire-format.ts';
import type { BillingEvent } from '../../../producers/events.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { historyOf } from './small-scenario.ts';

const schemaId = 7;
const maxRecordBytes = 2000;
const catalog = loadCatalog();
const topics = new Map(
  catalog.topics.map(({ topic, id, type }): [string, FaultyTopic] => [
    topic,
    { idField: id, encode: createEncoder(type, schemaId), maxRecordBytes },
  ]),
);
const events = historyOf(1, 300);

/** The deliveries of a whole run, and how often each fault was injected. */
function deliver(shares: FaultShares, run = 1, stream: readonly BillingEvent[] = events) {
  const injector = new FaultInjector({ shares, seed: 1, run, topics });
  const deliveries = [...stream.flatMap((event) => injector.pass(event)), ...injector.drain()];
  return { deliveries, counts: injector.counts };
}

function idsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries
    .filter(({ value }) => value === undefined)
    .map(({ event }) => String(event.record['event_id']));
}

function decode({ event, value }: Delivery): unknown {
  const type = catalog.topics.find(({ topic }) => topic === event.topic)?.type;
  return type?.fromBuffer(value!.subarray(5));
}

describe('FaultInjector', () => {
  it('leaves the stream alone where no fault is asked for', () => {
    expect(deliver({}).deliveries).toEqual(events.map((event) => ({ event })));
  });

  it('delivers every event once, unchanged, whatever else it sends', () => {
    const shares = Object.fromEntries(faultNames.map((name) => [name, 0.1]));
    const { deliveries } = deliver({ ...shares, duplicates: 0, oversized: 0 });
    expect(idsOf(deliveries).sort()).toEqual(events.map(({ record }) => String(record['event_id'])).sort());
  });

  it.each(['duplicates', 'late', 'malformed', 'unknown-schema'] as const)(
    'befalls the share of events it was given: %s',
    (name) => {
      const { counts } = deliver({ [name]: 0.1 });
      const others = faultNames.filter((other) => other !== name);
      expect(Math.abs(counts[name] / events.length - 0.1)).toBeLessThan(0.01);
      for (const other of others) expect(counts[other]).toBe(0);
    },
  );

  it('does the same again in the same run, and something else in another', () => {
    const first = deliver(defaultFaultShares, 1).deliveries;
    expect(deliver(defaultFaultShares, 1).deliveries).toEqual(first);
    expect(deliver(defaultFaultShares, 2).deliveries).not.toEqual(first);
  });

  it('sends duplicates a little later, the same record each time', () => {
    const { deliveries, counts } = deliver({ duplicates: 0.05 });
    const seen = new Map<BillingEvent, number>();
    let repeated = 0;
    deliveries.forEach(({ event }, position) => {
      const first = seen.get(event);
      if (first !== undefined) repeated += 1;
      else seen.set(event, position);
    });
    expect(repeated).toBe(counts.duplicates);
    expect(seen.size).toBe(events.length);
  });

  it('holds late events back and changes nothing about them', () => {
    const { deliveries, counts } = deliver({ late: 0.01 });
    const newest = { at: 0 };
    const overtaken = deliveries.filter(({ event }) => {
      newest.at = Math.max(newest.at, event.at);
      return newest.at - event.at > 86_400_000;
    });
    expect(overtaken.length).toBeGreaterThan(counts.late * 0.8);
    for (const { event } of overtaken) expect(event.record['occurred_at']).toBe(event.at);
  });

  it('swaps consecutive versions of an entity, and nothing else of it', () => {
    const { deliveries, counts } = deliver({ 'out-of-order': 0.05 });
    const latest = new Map<string, number>();
    let swaps = 0;
    for (const { event } of deliveries) {
      const entity = `${event.topic}/${String(event.record[topics.get(event.topic)!.idField])}`;
      const version = Number(event.record['entity_version']);
      const before = latest.get(entity) ?? 0;
      if (version < before) {
        expect(version).toBe(before - 1);
        swaps += 1;
      }
      latest.set(entity, Math.max(before, version));
    }
    expect(swaps).toBe(counts['out-of-order']);
    expect(swaps).toBeGreaterThan(events.length * 0.02);
  });

  it('sends malformed bytes that no reader of the topic takes for a record', () => {
    const { deliveries, counts } = deliver({ malformed: 1 });
    const malformed = deliveries.filter(({ value }) => value !== undefined);
    expect(malformed.length).toBe(counts.malformed);
    for (const delivery of malformed) {
      const value = delivery.value!;
      expect(value.length).toBeGreaterThan(0);
      const isOfTopic = value.length > 5 && value[0] === 0 && value.readUInt32BE(1) === schemaId;
      if (isOfTopic) expect(() => decode(delivery)).toThrow();
    }
  });

  it('names schemas that no registry has, in records that are right otherwise', () => {
    const { deliveries } = deliver({ 'unknown-schema': 1 }, 1, events.slice(0, 50));
    for (const delivery of deliveries.filter(({ value }) => value !== undefined)) {
      expect(delivery.value!.readUInt32BE(1)).toBeGreaterThan(1_000_000_000);
      expect(decode(delivery)).toMatchObject({ event_id: delivery.event.record['event_id'] });
    }
  });

  it('makes a few oversized records, each with an event id of its own', () => {
    const { deliveries, counts } = deliver({ oversized: 1 });
    const known = new Set(events.map(({ record }) => record['event_id']));
    const oversized = deliveries.filter(({ event }) => !known.has(event.record['event_id']));
    expect(counts.oversized).toBe(10);
    expect(new Set(idsOf(oversized)).size).toBe(10);
    for (const { event } of oversized) {
      expect(topics.get(event.topic)!.encode(event.record).length).toBeGreaterThan(maxRecordBytes);
      expect(event.record['event_id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    }
  });
});

describe('parseFaultShares', () => {
  it.each([
    ['', defaultFaultShares],
    ['duplicates=0.02,malformed=0.001', { duplicates: 0.02, malformed: 0.001 }],
    [' late = 1 ', { late: 1 }],
    ['out-of-order', { 'out-of-order': defaultFaultShares['out-of-order'] }],
    ['oversized=1e-5,late=.5', { oversized: 0.00001, late: 0.5 }],
    ['duplicates=0', { duplicates: 0 }],
  ])('reads "%s"', (text, shares) => {
    expect(parseFaultShares(text)).toEqual(shares);
  });

  it('reports everything that is wrong at once, with the names there are', () => {
    const error: unknown = thrownBy(() =>
      parseFaultShares('latte=0.1,late=2,duplicates=x,malformed=,late,late=-1,,'),
    );
    expect(error).toBeInstanceOf(InvalidInputError);
    const { problems, todo } = error as InvalidInputError;
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'latte: there is no such fault',
      'late: expected a share from 0 to 1, as in 0.01',
      'duplicates: expected a share from 0 to 1, as in 0.01',
      'malformed: expected a share from 0 to 1, as in 0.01',
      'late: named twice',
      'late: expected a share from 0 to 1, as in 0.01',
      '(no name): there is no such fault',
      '(no name): there is no such fault',
    ]);
    for (const name of faultNames) expect(todo).toContain(name);
  });

  it('refuses shares that add up to more than all events', () => {
    expect(() => parseFaultShares('late=0.6,duplicates=0.6')).toThrow(InvalidInputError);
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
