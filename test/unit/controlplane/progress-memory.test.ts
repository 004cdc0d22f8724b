import { expect, test } from 'vitest';
import type { LiveConnector } from '../../../controlplane/connector-service.ts';
import type { Progress } from '../../../controlplane/consumer-lag.ts';
import {
  emptyMemory,
  remember,
  type ConnectorMemory,
  type Trend,
} from '../../../controlplane/progress-memory.ts';
import { live, task } from './fixtures.ts';

/** A partition each, as [committed, lag]. */
function progress(
  partitions: readonly [number, number][],
  deadLettersWritten: number | null = null,
): Progress {
  return {
    lag: partitions.reduce((sum, [, lag]) => sum + lag, 0),
    partitions: partitions.map(([committed, lag], partition) => ({
      topic: 't',
      partition,
      committed,
      end: committed + lag,
      lag,
    })),
    deadLetters: deadLettersWritten,
    deadLettersWritten,
  };
}

type Look = [at: number, connector: LiveConnector | undefined, progress: Progress | null];

/** What is known after the last of some looks. */
function after(...looks: Look[]): { memory: ConnectorMemory; trend: Trend } {
  let known = remember(emptyMemory, ...shift(looks[0]!));
  for (const look of looks.slice(1)) known = remember(known.memory, ...shift(look));
  return known;
}

function shift([at, connector, seen]: Look) {
  return [connector, seen, at] as const;
}

const running = live('a');

test('a partition that commits nothing although it has records is stuck since its last commit', () => {
  const { trend } = after(
    [0, running, progress([[5, 0]])],
    [1000, running, progress([[5, 7]])],
    [5000, running, progress([[5, 9]])],
  );
  expect(trend.stuck).toEqual({ partition: 't/0', lag: 9, forMs: 4000 });
});

test('one stuck partition is seen while the others move, and the longest wait is told', () => {
  const { trend } = after(
    [
      0,
      running,
      progress([
        [1, 9],
        [1, 9],
        [1, 9],
      ]),
    ],
    [
      1000,
      running,
      progress([
        [1, 9],
        [1, 9],
        [2, 9],
      ]),
    ],
    [
      2000,
      running,
      progress([
        [1, 9],
        [5, 9],
        [3, 9],
      ]),
    ],
  );
  expect(trend.stuck).toEqual({ partition: 't/0', lag: 9, forMs: 2000 });
});

test('a record that arrives after an idle hour has the whole limit before it is stuck', () => {
  const known = after([0, running, progress([[5, 0]])], [3_600_000, running, progress([[5, 1]])]);
  expect(known.trend.stuck).toBeNull();
  expect(remember(known.memory, running, progress([[5, 1]]), 3_601_000).trend.stuck?.forMs).toBe(1000);
});

test('an offset that went back was moved by somebody: that is progress', () => {
  expect(
    after([0, running, progress([[500, 9]])], [9000, running, progress([[0, 509]])]).trend.stuck,
  ).toBeNull();
});

test('what a paused, failed or absent connector leaves lying is not stuck, and waits anew when it runs', () => {
  for (const other of [live('a', {}, 'PAUSED'), live('a', {}, 'FAILED'), undefined]) {
    const known = after([0, running, progress([[1, 9]])], [60_000, other, progress([[1, 9]])]);
    expect(known.trend.stuck).toBeNull();
    const again = remember(known.memory, running, progress([[1, 9]]), 61_000);
    expect(again.trend.stuck).toBeNull();
    expect(remember(again.memory, running, progress([[1, 9]]), 62_000).trend.stuck?.forMs).toBe(1000);
  }
});

test('while Kafka is away nothing is stuck, and what was known is kept', () => {
  const known = after([0, running, progress([[1, 9]])], [60_000, running, null]);
  expect(known.trend.stuck).toBeNull();
  expect(remember(known.memory, running, progress([[1, 9]]), 61_000).trend.stuck?.forMs).toBe(61_000);
});

test('dead letters count over five minutes', () => {
  const looks = Array.from({ length: 61 }, (_, index): Look => [
    index * 10_000,
    running,
    progress([], index * 2),
  ]);
  expect(after(...looks).trend.recentDeadLetters).toBe(60);
  expect(after([0, running, progress([], 100)]).trend.recentDeadLetters).toBe(0);
  expect(
    after([0, running, progress([], 100)], [2000, running, progress([], 5100)]).trend.recentDeadLetters,
  ).toBe(5000);
});

test('a dead letter topic that was made anew starts from nothing', () => {
  const { trend } = after([0, running, progress([], 100)], [1000, running, progress([], 3)]);
  expect(trend.recentDeadLetters).toBe(0);
});

test('the memory stays small however often it is asked', () => {
  const looks = Array.from({ length: 5000 }, (_, index): Look => [
    index * 500,
    running,
    progress([[1, 9]], index),
  ]);
  const { memory } = after(...looks);
  expect(memory.deadLetters.length).toBeLessThanOrEqual(40);
  expect(JSON.stringify(memory).length).toBeLessThan(2500);
});

test('unsettled counts from the first look that found it so, and ends when it settles', () => {
  const waiting = live('a', {}, 'RUNNING', [task(0, 'UNASSIGNED')]);
  const known = after([0, running, null], [1000, waiting, null], [9000, live('a', {}, 'RUNNING', []), null]);
  expect(known.trend.unsettledMs).toBe(8000);
  expect(remember(known.memory, running, null, 10_000).trend.unsettledMs).toBe(0);
  expect(remember(known.memory, undefined, null, 10_000).trend.unsettledMs).toBe(0);
});
