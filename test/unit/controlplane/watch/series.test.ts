import { describe, expect, it } from 'vitest';
// @ts-expect-error: the page's own module is JavaScript, as the browser loads it.
import * as page from '../../../../controlplane/watch/page/series.js';

interface Point {
  atMs: number;
  topics: Record<string, Record<string, number | null>>;
  verdicts: Record<string, string>;
}
type Series = [atMs: number, value: number | null][];
interface Known {
  points: Point[];
}

const { merge, rates, smallest, stretches, summary, sums, troubled, valueAt } = page as {
  merge: (known: Known | undefined, snapshot: object, since: number) => Known;
  rates: (counter: Series) => Series;
  smallest: (points: Point[], topics: string[], field: string) => Series;
  stretches: (points: Point[], name: string) => { from: number; to: number; verdict: string }[];
  summary: (series: Series, fromMs: number) => { now: number | null; peak: number | null };
  sums: (points: Point[], topics: string[], field: string) => Series;
  troubled: (points: Point[], connectors: { name: string; verdict: string }[]) => Set<string>;
  valueAt: (series: Series, atMs: number) => number | null;
};

const point = (atMs: number, lag: number | null, verdict = 'healthy'): Point => ({
  atMs,
  topics: lag === null ? {} : { a: { lag, freshnessMs: lag * 10 }, b: { lag: 1, freshnessMs: null } },
  verdicts: { one: verdict },
});

describe('the charts of the status page', () => {
  it('add up what the topics of a connector have, and know nothing where nobody looked', () => {
    expect(sums([point(0, 4), point(1000, null)], ['a', 'b'], 'lag')).toEqual([
      [0, 5],
      [1000, null],
    ]);
    expect(smallest([point(0, 4)], ['a', 'b'], 'freshnessMs')).toEqual([[0, 40]]);
  });

  it('take a rate over nine seconds at least, never over a gap, and not from a counter that fell', () => {
    const counter: Series = [
      [0, 0],
      [4000, 400],
      [10_000, 1000],
      [12_000, 1200],
      [60_000, 9000],
      [70_000, 100],
    ];
    expect(rates(counter).map(([, rate]) => rate)).toEqual([null, null, 100, 100, null, null]);
  });

  it('draw a stretch for each verdict, with nothing where the watcher was away', () => {
    const points = [point(0, 1), point(2000, 1), point(4000, 1, 'failed'), point(100_000, 1, 'failed')];
    expect(stretches(points, 'one')).toEqual([
      { from: -2000, to: 2000, verdict: 'healthy' },
      { from: 2000, to: 4000, verdict: 'failed' },
      { from: 98_000, to: 100_000, verdict: 'failed' },
    ]);
  });

  it('name the peak within the window and the value at a time, if one is near', () => {
    const series: Series = [
      [0, 9],
      [60_000, 3],
      [62_000, null],
    ];
    expect(summary(series, 50_000)).toEqual({ now: null, peak: 3 });
    expect(valueAt(series, 61_500)).toBeNull();
    expect(valueAt(series, 59_000)).toBe(3);
    expect(valueAt(series, 500_000)).toBeNull();
  });

  it('keep a connector in trouble for a minute after it recovered', () => {
    const names = [{ name: 'one', verdict: 'healthy' }];
    expect([...troubled([point(0, 1, 'failed'), point(30_000, 1)], names)]).toEqual(['one']);
    expect([...troubled([point(0, 1, 'failed'), point(90_000, 1)], names)]).toEqual([]);
  });

  it('keep what the page knew when the watcher was restarted, without telling anything twice', () => {
    const snapshot = (at: number, history: Point[]) => ({
      at: new Date(at).toISOString(),
      history,
      accounts: null,
      journal: [],
    });
    const first = merge(undefined, snapshot(4000, [point(2000, 1), point(4000, 1)]), 0);
    const second = merge(first, snapshot(8000, [point(6000, 2)]), 4000);
    expect(second.points.map(({ atMs }) => atMs)).toEqual([2000, 4000, 6000]);
    const clockSetBack = merge(second, snapshot(3000, []), 6000);
    expect(clockSetBack.points.map(({ atMs }) => atMs)).toEqual([2000]);
  });
});
