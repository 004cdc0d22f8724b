import { describe, expect, it } from 'vitest';
import {
  planBackfill,
  rangeOfPart,
  referenceSince,
  uncoveredDays,
  unfinishedBackfill,
  type BackfillClaim,
} from '../../../producers/runs/backfill/plan.ts';
import type { NumberedClaim } from '../../../producers/runs/claims.ts';

const dayMs = 86_400_000;
const now = Date.UTC(2026, 5, 15, 10, 30);
const request = { seed: 3, years: 2, customers: 25_000 };

describe('the plan of a backfill', () => {
  it('takes customers that nobody has, in parts of the same size, an even number of them', () => {
    const claim = planned(request, [{ ...planned(request), number: 1 }]);
    expect(claim).toMatchObject({ kind: 'history', first: 25_000, count: 25_000, endAt: now });
    expect(claim.backfill.parts).toBe(6);
    const ranges = [1, 2, 3, 4, 5, 6].map((part) => rangeOfPart(claim, part));
    expect(ranges.map(({ first }) => first)).toEqual([25_000, 29_166, 33_333, 37_500, 41_666, 45_833]);
    expect(ranges.reduce((sum, { count }) => sum + count, 0)).toBe(25_000);
    expect(ranges.every(({ startAt, endAt }) => startAt === claim.startAt && endAt === claim.endAt)).toBe(
      true,
    );
  });

  it('never has a part without a customer', () => {
    expect(planned({ ...request, customers: 1 }).backfill.parts).toBe(1);
  });

  it('continues what was interrupted when the same is asked for', () => {
    const begun = planned(request);
    expect(unfinishedBackfill([begun], request, 'f')).toBe(begun);
    expect(unfinishedBackfill([{ ...begun, isComplete: true }], request, 'f')).toBeUndefined();
    expect(unfinishedBackfill([], request, 'f')).toBeUndefined();
  });

  it('refuses another backfill before the interrupted one is finished, and says how to finish it', () => {
    for (const other of [
      { ...request, customers: 10 },
      { ...request, years: 5 },
    ]) {
      expect(() => unfinishedBackfill([planned(request)], other, 'f')).toThrow(
        expect.objectContaining({
          code: 'BACKFILL_UNFINISHED',
          todo: expect.stringContaining('npm run backfill -- --years 2 --customers 25000 --seed 3') as string,
        }),
      );
    }
  });

  it('refuses to continue with a scenario that has changed, which would contradict what is told', () => {
    expect(() => unfinishedBackfill([planned(request)], request, 'changed')).toThrow(
      expect.objectContaining({ code: 'SCENARIO_CHANGED' }),
    );
  });

  it('tells of changes of products and plans from where the runs before it stopped', () => {
    const runs = [1, 2, 3].map((number) => ({ ...planned(request), number, referenceUntil: number * 100 }));
    expect(referenceSince(runs, 3)).toBe(200);
    expect(referenceSince(runs, 1)).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('the days whose exchange rates nobody has told', () => {
  const days = (from: number, to: number) => ({ startAt: from * dayMs, endAt: to * dayMs });
  const claims = (...rates: ReturnType<typeof days>[]) =>
    rates.map((span) => ({ ...planned(request), rates: [span] }));

  it('are whole days, the first and the last one included', () => {
    expect(uncoveredDays({ startAt: 10.4 * dayMs, endAt: 12.1 * dayMs }, [])).toEqual([days(10, 13)]);
  });

  it('lie before, between and after the days that have been told', () => {
    const told = claims(days(20, 30), days(12, 15), days(14, 18), days(90, 99));
    expect(uncoveredDays(days(10, 40), told)).toEqual([days(10, 12), days(18, 20), days(30, 40)]);
  });

  it('are none where all have been told', () => {
    expect(uncoveredDays(days(10, 20), claims(days(0, 15), days(15, 25)))).toEqual([]);
  });
});

function planned(
  { seed, years, customers }: typeof request,
  before: readonly NumberedClaim[] = [],
): BackfillClaim {
  return {
    ...planBackfill(before, { seed, years, customers }, 'f', now),
    number: before.length + 1,
    isComplete: false,
  };
}
