import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { LetterAccount } from '../../../../controlplane/dlq/account-entries.ts';
import { planPartition } from '../../../../controlplane/dlq/drain.ts';
import type { DeadLetter } from '../../../../controlplane/dlq/letters.ts';
import { summarize } from '../../../../controlplane/dlq/summary.ts';
import { renderReplay, renderSummaries } from '../../../../cli/render-dlq.ts';

const topic = 'billing.core.dlq';
function letter(offset: number, over: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `${topic}/0/${offset}`,
    topic,
    partition: 0,
    offset,
    atMs: 1_000_000 + offset * 1000,
    source: { topic: 'billing.payments', partition: 1, offset: 40 + offset },
    cause: 'poison-record',
    headline: 'Unknown magic byte!',
    exception: 'DataException',
    stage: 'VALUE_CONVERTER',
    connector: 'billing-core',
    attempts: 0,
    message: {} as DeadLetter['message'],
    ...over,
  };
}
const accountOf = (...offsets: number[]): Map<string, LetterAccount> =>
  new Map(
    offsets.map((offset) => [
      `${topic}/0/${offset}`,
      { claim: undefined, replayed: { topic: 'billing.payments', partition: 1, offset: 900 } },
    ]),
  );
const bounds = { partition: 0, low: 2, high: 6 };
const letters = [letter(2), letter(3), letter(4), letter(5)];

describe('planPartition', () => {
  it('ends before the first letter that nobody has replayed', () => {
    const plan = planPartition(topic, bounds, letters, accountOf(2, 3, 5), undefined);
    expect(plan).toMatchObject({ before: 4, replayed: 2, abandoned: 0 });
    expect(plan.letters.map(({ offset }) => offset)).toEqual([2, 3]);
  });

  it('takes all of them when all were replayed, and none when the first was not', () => {
    expect(planPartition(topic, bounds, letters, accountOf(2, 3, 4, 5), undefined).before).toBe(6);
    expect(planPartition(topic, bounds, letters, accountOf(3), undefined).letters).toEqual([]);
  });

  it('counts what would be abandoned up to an offset, which is never beyond the end', () => {
    expect(planPartition(topic, bounds, letters, accountOf(3), 5)).toMatchObject({
      before: 5,
      replayed: 1,
      abandoned: 2,
    });
    expect(planPartition(topic, bounds, letters, accountOf(), 99)).toMatchObject({ before: 6, abandoned: 4 });
    expect(planPartition(topic, bounds, letters, accountOf(), 'end')).toMatchObject({ before: 6 });
  });

  it('leaves the letters of other partitions alone', () => {
    const others = [letter(2, { partition: 1 }), letter(3, { topic: 'another.dlq' })];
    expect(planPartition(topic, bounds, others, accountOf(), 'end').letters).toEqual([]);
  });
});

describe('summarize', () => {
  const offsets = { topic, partitions: [bounds] };

  it('counts what is kept, waits, was replayed and is gone, the largest group first', () => {
    const mixed = [
      letter(2, { cause: 'schema-mismatch', exception: 'RowsRefusedException' }),
      letter(3),
      letter(4),
      letter(5, { source: undefined }),
    ];
    const summary = summarize(offsets, mixed, accountOf(3));
    expect(summary).toMatchObject({ retained: 4, waiting: 3, replayed: 1, drained: 2 });
    expect(summary).toMatchObject({ oldestMs: 1_002_000, newestMs: 1_005_000 });
    expect(summary.groups.map(({ source, letters, waiting }) => [source, letters, waiting])).toEqual([
      ['billing.payments', 2, 1],
      ['billing.payments', 1, 1],
      [null, 1, 1],
    ]);
  });

  it('has no times where there is nothing', () => {
    expect(summarize(offsets, [], new Map())).toMatchObject({ oldestMs: null, newestMs: null, groups: [] });
  });

  it('fits a terminal, whatever the errors are called', () => {
    const long = letters.map((one) => ({ ...one, exception: 'AnExceptionWithAnUncommonlyLongName' }));
    const text = stripVTControlCharacters(
      renderSummaries([summarize(offsets, long, accountOf(2))], 1_100_000),
    );
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(text).toContain('98 s');
  });
});

describe('renderReplay', () => {
  it('counts what was left by its reason, and names one of each', () => {
    const skip = (offset: number, why: string) => ({ letter: `${topic}/0/${offset}`, why, isWaiting: true });
    const text = renderReplay({
      replayed: [{ letter: `${topic}/0/2`, to: { topic: 'billing.payments', partition: 1, offset: 900 } }],
      wouldReplay: [],
      skipped: [
        skip(3, 'the registry knows no schema 17'),
        skip(4, 'the registry knows no schema 18'),
        skip(5, 'was replayed to billing.payments/1/901'),
      ],
    });
    expect(text.split('\n')).toEqual([
      'Replayed 1 dead letter',
      'Left 2 dead letters: the registry does not know its schema',
      `  such as ${topic}/0/3`,
      'Left 1 dead letter: was replayed before',
    ]);
  });
});
