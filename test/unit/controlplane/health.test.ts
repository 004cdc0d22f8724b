import { expect, test } from 'vitest';
import { isUnhealthy, judge, type Circumstances } from '../../../controlplane/health.ts';
import { live, task } from './fixtures.ts';

const trace = [
  'org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.',
  '\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:628)',
  'Caused by: java.lang.RuntimeException: Connection to ClickHouse is not active.',
  '\t... 10 more',
].join('\n');

const quiet = { stuck: null, recentDeadLetters: 0, unsettledMs: 0 };
const stuckFor = (forMs: number) => ({ ...quiet, stuck: { partition: 'orders/3', lag: 500, forMs } });
const refused = { state: 'refused', reason: 'ClickHouse refused the user "loader"' } as const;
const unreachable = { state: 'unreachable', reason: 'ClickHouse does not answer' } as const;
const unprepared = { state: 'unprepared', reason: 'ClickHouse has no tables in the database shop' } as const;
const overloaded = { state: 'overloaded', reason: 'raw_orders has 3,001 parts' } as const;

test('all tasks running is healthy', () => {
  expect(judge(live('a'))).toEqual({ verdict: 'healthy', cause: null, reason: null, action: null });
});

test('a failed task is told with its cause, although the connector says RUNNING', () => {
  const health = judge(live('a', {}, 'RUNNING', [task(0, 'RUNNING'), task(1, 'FAILED', trace)]));
  expect(health).toEqual({
    verdict: 'degraded',
    cause: 'transient',
    reason: 'task 1 failed: java.lang.RuntimeException: Connection to ClickHouse is not active.',
    action: expect.stringContaining('restart') as string,
  });
  expect(isUnhealthy(health.verdict)).toBe(true);
});

test('with every task failed nothing runs any more', () => {
  expect(judge(live('a', {}, 'RUNNING', [task(0, 'FAILED', trace)])).verdict).toBe('failed');
});

test('a failed connector is failed, although its task says RUNNING', () => {
  expect(judge({ ...live('a', {}, 'FAILED'), trace: 'boom' })).toMatchObject({
    verdict: 'failed',
    cause: 'unknown',
    reason: 'the connector failed: boom',
  });
});

test('a connector that calls itself degraded is believed', () => {
  expect(judge({ ...live('a', {}, 'DEGRADED'), trace })).toMatchObject({
    verdict: 'degraded',
    cause: 'transient',
  });
});

test('a failed task of a paused connector is still a failure', () => {
  expect(judge(live('a', {}, 'PAUSED', [task(0, 'FAILED', 'x')])).verdict).toBe('failed');
});

test('a failure without a trace is unknown', () => {
  expect(judge(live('a', {}, 'RUNNING', [task(0, 'FAILED')]))).toMatchObject({ cause: 'unknown' });
});

test('a failure to log in is told from an absence by what ClickHouse answers to ourselves', () => {
  const failed = live('a', {}, 'RUNNING', [task(0, 'FAILED', trace)]);
  expect(judge(failed, { clickhouse: refused }).cause).toBe('authentication');
  expect(judge(failed, { clickhouse: unprepared }).cause).toBe('schema-mismatch');
  expect(judge(failed, { clickhouse: unreachable }).cause).toBe('transient');
});

test('a declared connector that is not there is missing', () => {
  expect(judge(undefined)).toMatchObject({ verdict: 'missing', cause: 'configuration' });
});

test.each([
  ['PAUSED', 'paused'],
  ['STOPPED', 'stopped'],
] as const)('%s is a decision, not a failure', (state, verdict) => {
  const health = judge(live('a', {}, state, [task(0, 'PAUSED')]), { trend: stuckFor(Infinity) });
  expect(health).toMatchObject({ verdict, cause: null });
  expect(isUnhealthy(health.verdict)).toBe(false);
});

const starting = [
  ['no status yet', live('a', {}, null, [])],
  ['no tasks yet', live('a', {}, 'RUNNING', [])],
  ['an unassigned task', live('a', {}, 'RUNNING', [task(0, 'UNASSIGNED')])],
  ['a restarting task with the trace of before', live('a', {}, 'RUNNING', [task(0, 'RESTARTING', trace)])],
  ['an unassigned connector', live('a', {}, 'UNASSIGNED')],
  ['a connector that is being provisioned', live('a', {}, 'PROVISIONING', [])],
] as const;

test.each(starting)('%s is starting', (_, connector) => {
  expect(judge(connector)).toMatchObject({ verdict: 'starting', cause: null });
});

test.each(starting)('%s is unassigned once the grace is over', (_, connector) => {
  const limits = { stalledAfterMs: 1, deadLettersPerMinute: 1, unassignedAfterMs: 60_000 };
  const after = (unsettledMs: number) =>
    judge(connector, { trend: { ...quiet, unsettledMs } }, limits).verdict;
  expect(after(59_999)).toBe('starting');
  expect(after(60_000)).toBe('unassigned');
});

const stalledBy: [clickhouse: Circumstances['clickhouse'], cause: string][] = [
  [undefined, 'unknown'],
  [{ state: 'ready', reason: null }, 'unknown'],
  [unreachable, 'transient'],
  [refused, 'authentication'],
  [unprepared, 'schema-mismatch'],
  [overloaded, 'capacity'],
];

test.each(stalledBy)(
  'RUNNING without progress is stalled; ClickHouse names the cause: %o',
  (clickhouse, cause) => {
    const circumstances = { trend: stuckFor(180_000), ...(clickhouse === undefined ? {} : { clickhouse }) };
    expect(judge(live('a'), circumstances)).toMatchObject({
      verdict: 'stalled',
      cause,
      reason: expect.stringMatching(/nothing of orders\/3 for 3 min, with 500 records to read/) as string,
    });
  },
);

test('what has not waited for the whole limit is not stalled', () => {
  expect(judge(live('a'), { trend: stuckFor(119_999), clickhouse: unreachable }).verdict).toBe('healthy');
});

test('a connector that runs but fills its dead letter topic is told', () => {
  const of = (recentDeadLetters: number) => judge(live('a'), { trend: { ...quiet, recentDeadLetters } });
  expect(of(50).verdict).toBe('healthy');
  expect(of(51)).toMatchObject({ verdict: 'dead-letters', cause: 'poison-record' });
});
