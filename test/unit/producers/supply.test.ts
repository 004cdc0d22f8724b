import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { LiveStream } from '../../../producers/lives/live.ts';
import { Claims, firstFreeIndex } from '../../../producers/runs/claims.ts';
import { Supply, adoptable } from '../../../producers/runs/live/supply.ts';
import { endAt, rangeOf, scenarioOf } from './small-scenario.ts';

const fingerprint = 'the same';

describe('the supply of customers', () => {
  it('gives each customer of a history to one stream only', () => {
    const claims = claimsWith(500);
    const streams = Array.from({ length: 6 }, () => open(claims));
    const taken = claims.list().flatMap(({ adopts = [] }) => adopts);
    const indices = taken.flatMap(({ first, count }) =>
      Array.from({ length: count }, (_, index) => first + index),
    );
    expect(new Set(indices).size).toBe(indices.length);
    expect(indices.length + left(claims)).toBe(500);
    expect(streams.length).toBe(6);
  });

  it('leaves some to streams beside it, and takes the rest when there are few', () => {
    const claims = claimsWith(240);
    const sizes = Array.from({ length: 5 }, () => {
      const before = left(claims);
      open(claims);
      return before - left(claims);
    });
    expect(sizes).toEqual([60, 50, 50, 50, 30]);
  });

  it('claims more when a stream has taken over all it had, and stops where there is nobody left', () => {
    const claims = claimsWith(100);
    const supply = supplyOf(claims);
    const stream = supply.open(scenarioOf(1), undefined);
    for (let round = 0; round < 4; round += 1) supply.refill(stream);
    expect([left(claims), claims.list().length]).toEqual([0, 3]);
  });

  it('takes nobody of a history that is not complete or that another scenario told', () => {
    const claims = new Claims(mkdtempSync(`${tmpdir()}/supply-`));
    claims.add(() => ({ kind: 'history', ...rangeOf(0, 10), fingerprint }));
    claims.complete(claims.add(() => ({ kind: 'history', ...rangeOf(10, 10), fingerprint: 'another' })));
    expect(adoptable(claims.list(), fingerprint)).toEqual([]);
    expect(supplyOf(claims).isOutdated()).toBe(true);
    expect(supplyOf(claimsWith(1)).isOutdated()).toBe(false);
    open(claims).next(endAt);
    expect(claims.list().at(-1)).toMatchObject({ kind: 'live', first: 20, adopts: [] });
  });

  it('never gives a newcomer an index that anybody else has', () => {
    const claims = claimsWith(10);
    for (let round = 0; round < 3; round += 1) open(claims);
    const ranges = claims.list().map(({ first, count }) => [first, first + count]);
    for (const [index, [first]] of ranges.entries()) {
      if (index > 0) expect(first).toBe(ranges[index - 1]![1]);
    }
    expect(firstFreeIndex(claims.list())).toBe(ranges.at(-1)![1]);
  });
});

function claimsWith(customers: number): Claims {
  const claims = new Claims(mkdtempSync(`${tmpdir()}/supply-`));
  claims.complete(claims.add(() => ({ kind: 'history', ...rangeOf(0, customers), fingerprint })));
  return claims;
}

function supplyOf(claims: Claims): Supply {
  return new Supply({ claims, fingerprint, clock: scenarioOf(1).clock });
}

function open(claims: Claims): LiveStream {
  return supplyOf(claims).open(scenarioOf(1), undefined);
}

function left(claims: Claims): number {
  return adoptable(claims.list(), fingerprint).reduce((sum, { count }) => sum + count, 0);
}
