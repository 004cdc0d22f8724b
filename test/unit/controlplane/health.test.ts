import { expect, test } from 'vitest';
import { judge } from '../../../controlplane/health.ts';
import { live, task } from './fixtures.ts';

const trace = [
  'org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.',
  '\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:628)',
  'Caused by: java.lang.RuntimeException: Connection to ClickHouse is not active.',
  '\t... 10 more',
].join('\n');

test('all tasks running is healthy', () => {
  expect(judge(live('a'))).toEqual({
    verdict: 'healthy',
    cause: null,
    reason: null,
    action: null,
  });
});

test('a failed task is unhealthy with its cause, although the connector says RUNNING', () => {
  expect(judge(live('a', {}, 'RUNNING', [task(0, 'RUNNING'), task(1, 'FAILED', trace)]))).toEqual({
    verdict: 'unhealthy',
    cause: 'transient',
    reason: 'task 1 failed: java.lang.RuntimeException: Connection to ClickHouse is not active.',
    action: expect.stringContaining('restart') as string,
  });
});

test('a failed connector is unhealthy, although its task says RUNNING', () => {
  expect(judge({ ...live('a', {}, 'FAILED'), trace: 'boom' })).toMatchObject({
    verdict: 'unhealthy',
    cause: 'unknown',
    reason: 'the connector failed: boom',
  });
});

test('a failed task of a paused connector is still a failure', () => {
  expect(judge(live('a', {}, 'PAUSED', [task(0, 'FAILED', 'x')])).verdict).toBe('unhealthy');
});

test('a failure without a trace is unknown', () => {
  expect(judge(live('a', {}, 'RUNNING', [task(0, 'FAILED')]))).toMatchObject({ cause: 'unknown' });
});

test('a declared connector that is not there is unhealthy', () => {
  expect(judge(undefined)).toMatchObject({ verdict: 'unhealthy', cause: 'configuration' });
});

test.each(['PAUSED', 'STOPPED'] as const)('%s is a decision, not a failure', (state) => {
  expect(judge(live('a', {}, state, [task(0, 'PAUSED')])).verdict).toBe('paused');
});

test.each([
  ['no status yet', live('a', {}, null, [])],
  ['no tasks yet', live('a', {}, 'RUNNING', [])],
  ['an unassigned task', live('a', {}, 'RUNNING', [task(0, 'UNASSIGNED')])],
  ['a restarting task with the trace of before', live('a', {}, 'RUNNING', [task(0, 'RESTARTING', trace)])],
  ['an unassigned connector', live('a', {}, 'UNASSIGNED')],
])('%s is starting', (_, connector) => {
  expect(judge(connector)).toMatchObject({ verdict: 'starting', cause: null });
});
