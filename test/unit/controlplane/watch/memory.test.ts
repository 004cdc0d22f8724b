import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { trackRecoveries } from '../../../../controlplane/watch/recoveries.ts';
import { initialWatchState, loadState, saveState } from '../../../../controlplane/watch/state-file.ts';
import { createSteadyClock } from '../../../../controlplane/watch/steady-clock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'watch-state-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const neverCorrupt = () => {
  throw new Error('it was called corrupt');
};

test('a state comes back as it was saved, readable by its owner only, with nothing left beside it', () => {
  const file = path.join(folder, 'deep', 'embedded.json');
  const state = {
    ...initialWatchState,
    clock: { steadyMs: 5, wallMs: 6 },
    policy: {
      ...initialWatchState.policy,
      seenAt: 4,
      units: { 'a/0': { restarts: [1, 2], dueAt: null, runningSince: 3 } },
    },
    memories: {
      a: { partitions: { 't/0': { committed: -1, waitingSince: 9 } }, deadLetters: [], unsettledSince: null },
    },
  };
  saveState(file, state);
  saveState(file, state);
  expect(loadState(file, neverCorrupt)).toEqual(state);
  expect(readdirSync(path.dirname(file))).toEqual(['embedded.json']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('without a file the memory is empty', () => {
  expect(loadState(path.join(folder, 'none.json'), neverCorrupt)).toEqual(initialWatchState);
});

test.each(['', 'null', '{"version": 2}', '{"version": 1', '[]', '\u0000\u0001'])(
  'a file of %j is set aside as it is, and the memory starts empty',
  (content) => {
    const file = path.join(folder, 'corrupt.json');
    writeFileSync(file, content);
    const told: string[] = [];
    expect(loadState(file, (setAside) => told.push(setAside))).toEqual(initialWatchState);
    expect(told).toEqual([`${file}.corrupt`]);
    expect(readFileSync(`${file}.corrupt`, 'utf8')).toBe(content);
    expect(existsSync(file)).toBe(false);
  },
);

test('the clock follows the monotonic clock and ignores the time of day', () => {
  let [wallMs, monotonicMs] = [1_000_000, 50];
  const clock = createSteadyClock(null, { wall: () => wallMs, monotonic: () => monotonicMs });
  const start = clock();
  for (const jump of [86_400_000, -86_400_000, 3_600_000]) {
    wallMs += jump;
    monotonicMs += 10;
  }
  expect(clock() - start).toBe(30);
});

test.each([
  ['a short pause counts', 5000, 5000],
  ['a long one counts for a minute', 86_400_000, 60_000],
  ['a time of day that went back counts for nothing', -5000, 0],
])('over a restart %s', (_, gapMs, counted) => {
  const clock = createSteadyClock(
    { steadyMs: 700, wallMs: 10_000 },
    { wall: () => 10_000 + gapMs, monotonic: () => 3 },
  );
  expect(clock()).toBe(700 + counted);
});

test('a recovery counts from the first failure to the health that lasts', () => {
  let recovering: Parameters<typeof trackRecoveries>[0] = {};
  const recovered: unknown[] = [];
  const verdicts = [
    'healthy',
    'failed',
    'starting',
    'healthy',
    'failed',
    'starting',
    'healthy',
    'healthy',
    'healthy',
  ] as const;
  for (const [index, verdict] of verdicts.entries()) {
    const tracked = trackRecoveries(recovering, [{ name: 'a', verdict }], index * 1000, 2000);
    recovering = tracked.recovering;
    recovered.push(...tracked.recovered);
  }
  expect(recovered).toEqual([{ name: 'a', afterMs: 5000 }]);
  expect(recovering).toEqual({});
});

test('what somebody pauses is no recovery', () => {
  const { recovering } = trackRecoveries({}, [{ name: 'a', verdict: 'failed' }], 0, 0);
  expect(trackRecoveries(recovering, [{ name: 'a', verdict: 'paused' }], 1000, 0)).toEqual({
    recovering: {},
    recovered: [],
  });
});
