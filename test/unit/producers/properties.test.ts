import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEncoder, type Encode } from '../../../producers/delivery/wire-format.ts';
import type { BillingEvent } from '../../../producers/events.ts';
import { historyEvents } from '../../../producers/lives/history.ts';
import { fxEvents, referenceEvents, spendEvents } from '../../../producers/lives/reference.ts';
import { transitions } from '../../../producers/scenario/state-machines.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { DomainRules, machines } from './domain-rules.ts';
import { endAt, scenarioOf } from './small-scenario.ts';

const { topics } = loadCatalog();
const seeds = Array.from({ length: 20 }, (_, index) => 1 + index * 7919);
const customers = 150;
const period = { startAt: Date.UTC(2020, 9, 1), endAt };
/** Of rates and spend, which are the same every day. */
const lastMonths = { startAt: Date.UTC(2025, 6, 1), endAt };

const violations = new Map<number, readonly string[]>();
/** What was seen over all seeds. */
const seen = new Set<string>();
const told = new Set<string>();

beforeAll(() => {
  for (const seed of seeds) {
    const rules = new DomainRules();
    const encode = encoder();
    for (const event of everything(seed)) {
      rules.check(event);
      encode.add(event);
    }
    violations.set(seed, rules.finish());
    for (const transition of rules.seen) seen.add(transition);
    for (const { topic } of topics) if (rules.count(topic) > 0) told.add(topic);
  }
}, 180_000);

describe('everything that happens in five years', () => {
  it.each(seeds)('fits the schemas and breaks no rule with seed %i', (seed) => {
    expect(violations.get(seed)).toEqual([]);
  });

  it('is told on every topic, and takes every transition of every state machine', () => {
    expect([...told].sort()).toEqual(topics.map(({ topic }) => topic).sort());
    const all = [...machines.values()].flatMap((machine) =>
      Object.entries<readonly string[]>(transitions[machine]).flatMap(([from, next]) =>
        next.map((to) => `${machine}: ${from} -> ${to}`),
      ),
    );
    expect([...seen].sort()).toEqual(all.sort());
  });

  it('is the same byte by byte for the same seed, and differs for another', () => {
    const digestOf = (seed: number) => {
      const encode = encoder();
      for (const event of everything(seed, 30)) encode.add(event);
      return encode.digest();
    };
    expect(digestOf(42)).toBe(digestOf(42));
    expect(digestOf(42)).not.toBe(digestOf(43));
  }, 60_000);
});

function* everything(seed: number, count = customers): Generator<BillingEvent> {
  const scenario = scenarioOf(seed);
  yield* referenceEvents(scenario, period.endAt);
  yield* fxEvents(scenario, lastMonths);
  yield* spendEvents(scenario, { run: 1, customers: count, period: lastMonths });
  for (const events of historyEvents(scenario, { first: 0, count, ...period })) yield* events;
}

/** Encodes each record with the schema of its topic; avsc throws for one that does not fit. */
function encoder() {
  const encoders = new Map<string, Encode>(topics.map(({ topic, type }) => [topic, createEncoder(type, 1)]));
  const hash = createHash('sha256');
  return {
    add: ({ topic, record }: BillingEvent) => void hash.update(encoders.get(topic)!(record)),
    digest: () => hash.digest('hex'),
  };
}
