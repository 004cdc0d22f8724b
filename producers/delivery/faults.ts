import type { BillingEvent } from '../events.ts';
import { Random } from '../scenario/random.ts';
import { faultNames, type FaultName, type FaultShares } from './fault-shares.ts';
import type { Encode } from './wire-format.ts';

/** How many events later a record comes again, or an event that was held back comes at last. */
const duplicateDelay = { min: 1, max: 500 } as const;
const lateDelay = { min: 500, max: 5000 } as const;
/** How many events a version waits for the next one of its entity, to be sent after it. */
const swapWindow = 5000;
/** An oversized record is kept as a file of the topic's limit, 8 MiB in the embedded stack. */
const maxOversized = 10;
/** Ids that no registry reaches: they count from 1. */
const unknownSchemaIds = { min: 0x7000_0000, max: 0x7fff_ffff } as const;

/** What goes to the broker. */
export interface Delivery {
  event: BillingEvent;
  /** Bytes that are sent in the place of the event's own, under its key. */
  value?: Buffer;
}

/** What the injector has to know of a topic. */
export interface FaultyTopic {
  /** Field that names the record's entity. */
  idField: string;
  encode: Encode;
  /** The topic's limit for one record. */
  maxRecordBytes: number;
}

/** How often each fault was injected. */
export type FaultCounts = Readonly<Record<FaultName, number>>;

export interface FaultInjectorOptions {
  shares: FaultShares;
  /** Seed of the scenario, and number of the run within it: the same pair gives the same faults. */
  seed: number;
  run: number;
  topics: ReadonlyMap<string, FaultyTopic>;
}

/**
 * Stands between the source of events and the publisher and does to the stream what networks, clients and
 * people do. Every event comes out once, unchanged; what is broken is sent beside it, so that no fault changes
 * what the stream tells.
 */
export class FaultInjector {
  readonly #random: Random;
  readonly #topics: ReadonlyMap<string, FaultyTopic>;
  /** The shares one upon the other: one number decides what befalls an event, and it is one fault at most. */
  readonly #upTo: readonly (readonly [FaultName, number])[];
  readonly #counts = Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>;
  /** What is sent once so many events have passed. */
  readonly #due = new Map<number, BillingEvent[]>();
  /** Versions that wait for the next one of their entity, the one that waits longest first. */
  readonly #waiting = new Map<string, { event: BillingEvent; until: number }>();
  #passed = 0;

  constructor({ shares, seed, run, topics }: FaultInjectorOptions) {
    this.#random = new Random(seed, run, 0xfa17);
    this.#topics = topics;
    let upTo = 0;
    this.#upTo = faultNames.map((name) => [name, (upTo += shares[name] ?? 0)] as const);
  }

  get counts(): FaultCounts {
    return this.#counts;
  }

  /** Takes an event over and returns what is to be sent now, in this order. */
  pass(event: BillingEvent): Delivery[] {
    this.#passed += 1;
    const deliveries = this.#swap(event) ?? this.#befall(event);
    for (const held of this.#due.get(this.#passed) ?? []) deliveries.push({ event: held });
    this.#due.delete(this.#passed);
    for (const [entity, { event: held, until }] of this.#waiting) {
      if (until > this.#passed) break;
      this.#waiting.delete(entity);
      deliveries.push({ event: held });
    }
    return deliveries;
  }

  /** Everything that is still held back, for the end of a run. */
  drain(): Delivery[] {
    const due = [...this.#due].sort(([a], [b]) => a - b).flatMap(([, events]) => events);
    const waiting = [...this.#waiting.values()].map(({ event }) => event);
    this.#due.clear();
    this.#waiting.clear();
    return [...due, ...waiting].map((event) => ({ event }));
  }

  /** The event and the version before it, which waited for it. */
  #swap(event: BillingEvent): Delivery[] | undefined {
    if (this.#waiting.size === 0) return undefined;
    const entity = this.#entityOf(event);
    const before = this.#waiting.get(entity);
    if (before === undefined) return undefined;
    this.#waiting.delete(entity);
    this.#counts['out-of-order'] += 1;
    return [{ event }, { event: before.event }];
  }

  #befall(event: BillingEvent): Delivery[] {
    const drawn = this.#random.float();
    const fault = this.#upTo.find(([, upTo]) => drawn < upTo)?.[0];
    if (fault === undefined) return [{ event }];
    if (fault === 'out-of-order') {
      // Counted when the next version comes: the last one of an entity is only delayed.
      this.#waiting.set(this.#entityOf(event), { event, until: this.#passed + swapWindow });
      return [];
    }
    if (fault === 'oversized' && this.#counts.oversized >= maxOversized) return [{ event }];
    this.#counts[fault] += 1;
    switch (fault) {
      case 'duplicates':
        this.#sendLater(event, duplicateDelay);
        return [{ event }];
      case 'late':
        this.#sendLater(event, lateDelay);
        return [];
      case 'malformed':
        return [
          { event },
          { event, value: malformed(this.#random, this.#topic(event).encode(event.record)) },
        ];
      case 'unknown-schema':
        return [{ event }, { event, value: this.#withUnknownSchema(event) }];
      case 'oversized':
        return [{ event }, { event: this.#oversized(event) }];
    }
  }

  #sendLater(event: BillingEvent, { min, max }: typeof duplicateDelay | typeof lateDelay): void {
    const at = this.#passed + this.#random.integer(min, max);
    const events = this.#due.get(at);
    if (events === undefined) this.#due.set(at, [event]);
    else events.push(event);
  }

  #withUnknownSchema(event: BillingEvent): Buffer {
    const value = Buffer.from(this.#topic(event).encode(event.record));
    value.writeUInt32BE(this.#random.integer(unknownSchemaIds.min, unknownSchemaIds.max), 1);
    return value;
  }

  /** An event of its own, of which nothing but its size is wrong. */
  #oversized(event: BillingEvent): BillingEvent {
    const id = String(event.record['event_id']);
    const eventType = 'x'.repeat(this.#topic(event).maxRecordBytes);
    return {
      ...event,
      record: {
        ...event.record,
        event_id: `${id.slice(0, -12)}${hex(this.#random, 12)}`,
        event_type: eventType,
      },
    };
  }

  #entityOf({ topic, record }: BillingEvent): string {
    return `${topic}/${String(record[this.#topics.get(topic)?.idField ?? ''])}`;
  }

  #topic({ topic }: BillingEvent): FaultyTopic {
    const known = this.#topics.get(topic);
    if (known === undefined) throw new Error(`no topic ${topic} in the catalog`);
    return known;
  }
}

/** What a dying client, a foreign client, and a client that writes something else leave behind. */
function malformed(random: Random, value: Buffer): Buffer {
  switch (random.integer(0, 3)) {
    case 0:
      return Buffer.from(value.subarray(0, random.integer(1, value.length - 1)));
    case 1: {
      const foreign = Buffer.from(value);
      foreign.writeUInt8(random.integer(1, 0xff), 0);
      return foreign;
    }
    case 2: {
      // The first field, a string of 36 bytes, claims to be a gigabyte long.
      return Buffer.concat([value.subarray(0, 5), avroGigabyte, value.subarray(6)]);
    }
    default: {
      const noise = Buffer.from(hex(random, 2 * random.integer(1, 100)), 'hex');
      // 0 would be the magic byte.
      if (noise[0] === 0) noise.writeUInt8(0xff, 0);
      return noise;
    }
  }
}

/** 2^30 as Avro writes a long. */
const avroGigabyte = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x08]);

function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits) text += random.uint32().toString(16).padStart(8, '0');
  return text.slice(0, digits);
}
