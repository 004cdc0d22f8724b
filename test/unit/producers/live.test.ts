import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { BillingEvent } from '../../../producers/events.ts';
import { referenceEvents } from '../../../producers/lives/reference.ts';
import { LiveStream, emptyLiveState, type Grant } from '../../../producers/lives/live.ts';
import { saveLiveState, takeLiveState } from '../../../producers/runs/live/live-state.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { DomainRules } from './domain-rules.ts';
import { endAt, historyOf, rangeOf, scenarioOf } from './small-scenario.ts';

const told = historyOf(1, 300);
const reference = referenceEvents(scenarioOf(1), endAt);

describe('a live stream', () => {
  it('goes on with the lives of the history: parents first, versions without gaps, legal transitions', () => {
    const events = tell(streamOf(1, { first: 0, count: 200 }), 20_000);
    expect(violationsOf(reference, told, events)).toEqual([]);
    const topicsOf = (part: readonly BillingEvent[]) => new Set(part.map(({ topic }) => topic));
    expect(topicsOf(events)).toEqual(topicsOf(told));
  });

  it('happens now and fits the schemas', () => {
    const types = new Map(loadCatalog().topics.map(({ topic, type }) => [topic, type]));
    tell(streamOf(1, { first: 0, count: 200 }), 3000).forEach(({ topic, at, record }, index) => {
      expect(at).toBe(endAt + index);
      expect(types.get(topic)?.isValid(record)).toBe(true);
    });
  });

  it('has the mix of events that the end of the history has', () => {
    const late = told.filter(({ at }) => at > endAt - 90 * 86_400_000);
    const stream = streamOf(1, { first: 0, count: 300 });
    stream.adopt(300);
    const events = tell(stream, 10_000);
    for (const topic of new Set(late.map((event) => event.topic))) {
      const shareOf = (part: readonly BillingEvent[]) =>
        part.filter((event) => event.topic === topic).length / part.length;
      expect(Math.abs(shareOf(events) - shareOf(late)), topic).toBeLessThan(0.08);
    }
  });

  it('begins with signups where there is no history', () => {
    const events = tell(streamOf(1), 5000);
    expect(events[0]?.topic).toBe('billing.customers');
    expect(violationsOf(reference, events)).toEqual([]);
  });

  it('is the same whether it is told at once or is stored and continued', () => {
    const block = { first: 0, count: 200 };
    const whole = tell(streamOf(1, block), 4000);
    const stored = {
      folder: mkdtempSync(`${tmpdir()}/live-`),
      topics: ['billing.customers'],
      fingerprint: 'f',
    };
    let stream = streamOf(1, block);
    const parts: BillingEvent[] = [];
    for (const count of [1, 999, 2000, 1000]) {
      parts.push(...tell(stream, count, parts.length));
      saveLiveState(stored, stream.state());
      const state = takeLiveState(stored, () => undefined);
      stream = new LiveStream(scenarioOf(1), state!);
    }
    expect(parts).toEqual(whole);
  });

  it('shares no entity with another stream of the seed, whether that one was stored or died', () => {
    const streams = [1, 2, 3].map((number) => {
      const block = { first: (number - 1) * 100, count: 100 };
      return tell(streamOf(number, block, number * 1000), 3000, number * 3000);
    });
    expect(violationsOf(reference, told, ...streams)).toEqual([]);
  });

  it('takes over the customers of a history little by little', () => {
    const stream = streamOf(1, { first: 0, count: 100 });
    expect(stream.waiting().adopts).toBe(80);
    tell(stream, 1000);
    expect(stream.waiting().adopts).toBe(75);
  });
});

function streamOf(number: number, block?: { first: number; count: number }, firstSignup = 1000): LiveStream {
  const scenario = scenarioOf(1);
  const stream = new LiveStream(scenario, emptyLiveState(scenario, number));
  const grant: Grant = {
    adopts: block === undefined ? [] : [{ ...rangeOf(0, 300), ...block }],
    signups: { first: firstSignup, count: 1000 },
  };
  stream.grant(grant);
  stream.adopt(20);
  return stream;
}

function tell(stream: LiveStream, count: number, from = 0): BillingEvent[] {
  return Array.from({ length: count }, (_, index) => stream.next(endAt + from + index));
}

function violationsOf(...parts: readonly (readonly BillingEvent[])[]): readonly string[] {
  const rules = new DomainRules();
  for (const event of parts.flat()) rules.check(event);
  return rules.violations;
}
