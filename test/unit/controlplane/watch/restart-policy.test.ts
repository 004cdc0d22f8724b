import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decideRestarts,
  defaultRestartLimits,
  initialPolicyState,
  noteCarriedOut,
  restartsOf,
  type Decision,
  type PolicyInput,
  type PolicyState,
  type UnitReport,
} from '../../../../controlplane/watch/restart-policy.ts';
import { causeClasses, type CauseClass } from '../../../../controlplane/trace-causes.ts';

const limits = defaultRestartLimits;

function failed(connector: string, cause: CauseClass = 'transient', task: number | null = 0): UnitReport {
  return { connector, task, condition: 'failed', cause, weight: 1 };
}

function running(connector: string, task: number | null = 0): UnitReport {
  return { connector, task, condition: 'running', cause: null, weight: 1 };
}

/** Numbers from 0 to 1 that repeat with the seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Decides once; the pause is drawn as its ceiling unless `random` says otherwise. */
function decide(
  state: PolicyState,
  at: number,
  reports: readonly UnitReport[],
  input: Partial<PolicyInput> = {},
) {
  return decideRestarts(state, { at, reports, clickhouse: 'ready', random: () => 0, ...input });
}

/** One unit's decisions, once a second until the end. */
function simulate(seconds: number, report: (second: number) => UnitReport, random = seeded(1)) {
  let state = initialPolicyState;
  const restartsAt: number[] = [];
  let last: Decision | undefined;
  for (let second = 0; second < seconds; second += 1) {
    const decided = decide(state, second * 1000, [report(second)], { random });
    state = decided.state;
    last = decided.decisions[0];
    if (last?.action === 'restart') restartsAt.push(second);
  }
  return { state, restartsAt, last };
}

test('a task that has just failed is restarted within a second', () => {
  expect(simulate(3, () => failed('a')).restartsAt.slice(0, 1)).toEqual([1]);
  expect(decide(initialPolicyState, 0, [failed('a')]).decisions).toEqual([
    { connector: 'a', task: 0, cause: 'transient', action: 'restart' },
  ]);
});

test('what runs, starts or is paused gets no decision', () => {
  const reports = [running('a'), { ...running('b'), condition: 'changing' } as const];
  expect(decide(initialPolicyState, 0, reports).decisions).toEqual([]);
});

test.each(causeClasses)('%s is either restarted or held', (cause) => {
  const isHeld = ['authentication', 'configuration', 'schema-mismatch', 'poison-record'].includes(cause);
  const [decision] = decide(initialPolicyState, 0, [failed('a', cause)]).decisions;
  expect(decision).toMatchObject({ action: isHeld ? 'hold' : 'restart', cause });
});

test('pauses grow from one restart to the next, and stay below their ceiling', () => {
  const { restartsAt } = simulate(
    3600,
    () => failed('a'),
    () => 0.999,
  );
  const pauses = restartsAt.slice(1).map((at, index) => at - restartsAt[index]!);
  // 3 s to settle, then at most 2, 4, 8 ... seconds.
  expect(pauses).toEqual([5, 7, 11, 19, 35, 67, 131]);
});

test('the pause is drawn from the whole range below the ceiling', () => {
  const pauseOf = (drawn: number) =>
    simulate(
      60,
      () => failed('a'),
      () => drawn,
    ).restartsAt[1]!;
  expect(pauseOf(0)).toBe(3);
  expect(pauseOf(0.999)).toBeGreaterThan(5);
});

test('a task that keeps failing reaches the cap and is held until the window has passed', () => {
  const { restartsAt, last, state } = simulate(3000, () => failed('a'));
  expect(restartsAt).toHaveLength(limits.restartsPerUnit);
  expect(last).toMatchObject({ action: 'hold', reason: 'restarted 8 times within 60 minutes' });
  expect(restartsOf(state, { connector: 'a', task: 0 })).toBe(8);
});

test('a task that ran long enough has a clean record again', () => {
  const fails = (second: number) => second < 20;
  const { state } = simulate(700, (second) => (fails(second) ? failed('a') : running('a')));
  expect(state.units).toEqual({});
});

test('a task that ran only for a moment keeps its record', () => {
  const { restartsAt } = simulate(1200, (second) => (second % 30 < 25 ? running('a') : failed('a')));
  expect(restartsAt.length).toBeLessThanOrEqual(limits.restartsPerUnit);
});

test('a record outlives a moment in which the worker does not mention the task', () => {
  let { state } = simulate(30, () => failed('a'));
  const before = restartsOf(state, { connector: 'a', task: 0 });
  state = decide(state, 31_000, []).state;
  state = decide(state, 32_000, [failed('a')]).state;
  expect(restartsOf(state, { connector: 'a', task: 0 })).toBeGreaterThanOrEqual(before);
});

test('an operator who cures a held cause is noticed at once', () => {
  const held = decide(initialPolicyState, 0, [failed('a', 'schema-mismatch')]);
  expect(decide(held.state, 1000, [running('a')]).decisions).toEqual([]);
  expect(decide(held.state, 1000, [failed('a', 'transient')]).decisions).toMatchObject([
    { action: 'restart' },
  ]);
});

test.each(['unreachable', 'refused', 'unprepared', 'overloaded', 'unknown'] as const)(
  'while ClickHouse is %s nothing is restarted, however long that takes',
  (clickhouse) => {
    let state = initialPolicyState;
    for (let second = 0; second < 3600; second += 10) {
      const decided = decide(state, second * 1000, [failed('a'), failed('b', 'capacity')], { clickhouse });
      expect(decided.decisions).toMatchObject([{ action: 'wait', untilMs: null }, { action: 'wait' }]);
      state = decided.state;
    }
    expect(state.fleetRestarts).toEqual([]);
  },
);

test('after an outage restarts are spread, and all are made soon', () => {
  const units = Array.from({ length: 20 }, (_, task) => failed('a', 'transient', task));
  let { state } = decide(initialPolicyState, 0, units, { clickhouse: 'unreachable' });
  const perSecond: number[] = [];
  let left = units;
  const random = seeded(7);
  for (let second = 1; second <= 8; second += 1) {
    const decided = decide(state, second * 1000, left, { random });
    state = decided.state;
    const restarted = decided.decisions.filter(({ action }) => action === 'restart').map(({ task }) => task);
    left = left.filter(({ task }) => !restarted.includes(task));
    perSecond.push(restarted.length);
  }
  expect(left).toEqual([]);
  expect(Math.max(...perSecond)).toBeLessThanOrEqual(10);
});

test('those restarted least come first when the budget is short', () => {
  const one = { ...limits, fleetPerMinute: 1, settleMs: 0 };
  const input = { clickhouse: 'ready', random: () => 0 } as const;
  const first = decideRestarts(initialPolicyState, { ...input, at: 0, reports: [failed('sick')] }, one);
  const reports = [failed('sick'), failed('fresh')];
  const second = decideRestarts(first.state, { ...input, at: 60_000, reports }, one);
  expect(second.decisions.find(({ action }) => action === 'restart')).toMatchObject({ connector: 'fresh' });
});

test('what weighs more than the whole budget goes alone', () => {
  const heavy = { ...failed('cloud', 'transient', null), weight: 50 };
  const first = decide(initialPolicyState, 0, [heavy]);
  expect(first.decisions).toMatchObject([{ action: 'restart' }]);
  expect(decide(first.state, 1000, [failed('a')]).decisions).toMatchObject([
    { action: 'wait', reason: "the fleet's budget of 30 restarts a minute is used up" },
  ]);
});

test('the budget counts restarts from when they were carried out, which may take seconds', () => {
  const units = Array.from({ length: 40 }, (_, index) => failed(`c${String(index)}`));
  const first = decide(initialPolicyState, 0, units);
  const restarted = first.decisions.filter(({ action }) => action === 'restart');
  expect(restarted).toHaveLength(30);
  const left = units.filter(({ connector }) => !restarted.some((one) => one.connector === connector));
  const restartsAt = (at: number, state: PolicyState) =>
    decide(state, at, left).decisions.filter(({ action }) => action === 'restart').length;
  const state = noteCarriedOut(first.state, 5000);
  expect(restartsAt(60_500, state)).toBe(0);
  expect(restartsAt(65_000, noteCarriedOut(decide(state, 10_000, left).state, 100))).toBe(10);
});

test('a hundred tasks that fail at once and for ever stay within the budget, the cap and the memory', () => {
  const units = Array.from({ length: 100 }, (_, index) =>
    failed(`c${String(index % 10)}`, 'transient', index),
  );
  let state = initialPolicyState;
  const random = seeded(3);
  const restarts: number[] = [];
  let largest = 0;
  for (let second = 0; second < 3 * 3600; second += 5) {
    const decided = decide(state, second * 1000, units, { random });
    state = decided.state;
    for (const { action } of decided.decisions) if (action === 'restart') restarts.push(second);
    if (second % 300 === 0) largest = Math.max(largest, JSON.stringify(state).length);
  }
  expect(mostWithin(restarts, 60)).toBeLessThanOrEqual(limits.fleetPerMinute);
  expect(restarts.length).toBeLessThanOrEqual(100 * limits.restartsPerUnit * 3);
  expect(largest).toBeLessThan(100 * 200);
});

/** The most events within any `seconds`; `at` ascends. */
function mostWithin(at: readonly number[], seconds: number): number {
  let [first, most] = [0, 0];
  for (const [index, time] of at.entries()) {
    while (time - at[first]! >= seconds) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const anyReport = fc.record({
  connector: fc.constantFrom('a', 'b', 'c', 'd'),
  task: fc.option(fc.integer({ min: 0, max: 12 })),
  condition: fc.constantFrom('failed', 'failed', 'running', 'changing'),
  cause: fc.option(fc.constantFrom(...causeClasses)),
  weight: fc.integer({ min: 1, max: 3 }),
});
const clockSteps = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 5000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
);
const anyInput = fc.record({
  step: clockSteps,
  reports: fc.uniqueArray(anyReport, {
    maxLength: 40,
    selector: ({ connector, task }) => `${connector}/${String(task)}`,
  }),
  clickhouse: fc.constantFrom('ready', 'ready', 'ready', 'unreachable', 'overloaded', 'refused', 'unknown'),
});

test('whatever is reported and however the clock jumps: only failed units, within cap and budget', () => {
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 40 }), fc.nat(), (inputs, seed) => {
      const random = seeded(seed);
      let state = initialPolicyState;
      let at = 0;
      const restarts: number[] = [];
      for (const { step, reports, clickhouse } of inputs) {
        at += step;
        const decided = decideRestarts(state, { at, reports, clickhouse, random });
        // The state is JSON: it comes back from its file as it was.
        state = JSON.parse(JSON.stringify(decided.state)) as PolicyState;
        const failedUnits = reports.filter(({ condition }) => condition === 'failed');
        expect(decided.decisions).toHaveLength(failedUnits.length);
        for (const decision of decided.decisions) {
          const report = failedUnits.find(
            ({ connector, task }) => connector === decision.connector && task === decision.task,
          );
          expect(report).toBeDefined();
          if (decision.action !== 'restart') continue;
          expect(clickhouse).toBe('ready');
          expect(restartsOf(state, decision)).toBeLessThanOrEqual(limits.restartsPerUnit);
          for (let weight = 0; weight < (report?.weight ?? 0); weight += 1)
            restarts.push(state.clockMs / 1000);
        }
        expect(state.clockMs).toBeGreaterThanOrEqual(0);
      }
      expect(mostWithin(restarts, 60)).toBeLessThanOrEqual(limits.fleetPerMinute);
    }),
    { numRuns: 150 },
  );
});

test('a clock that jumps ahead by a day gives the budget of one minute, not of a day', () => {
  const units = Array.from({ length: 100 }, (_, task) => failed('a', 'transient', task));
  let { state } = decide(initialPolicyState, 0, units);
  let restarts = 0;
  for (let second = 1; second <= 50; second += 1) {
    const decided = decide(state, 86_400_000 + second * 1000, units, { random: seeded(second) });
    state = decided.state;
    restarts += decided.decisions.filter(({ action }) => action === 'restart').length;
  }
  expect(restarts).toBeLessThanOrEqual(limits.fleetPerMinute);
});
