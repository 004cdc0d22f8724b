import { expect, test } from 'vitest';
import type { LiveConnector } from '../../../../controlplane/connector-service.ts';
import { defaultHealthLimits } from '../../../../controlplane/health.ts';
import { assessFleet } from '../../../../controlplane/watch/assess-fleet.ts';
import { findIncidents, isHidden } from '../../../../controlplane/watch/incidents.ts';
import type { Observation } from '../../../../controlplane/watch/observe.ts';
import { live, task } from '../fixtures.ts';

const transient = 'java.net.ConnectException: Connection refused';
const schema = 'java.lang.RuntimeException: Table `a`.`b` does not exist';

function observation(changes: Partial<Observation> = {}): Observation {
  return {
    connectors: { value: new Map(), error: null },
    progress: { value: new Map(), error: null },
    clickhouse: { state: 'ready', reason: null },
    freshnessMs: new Map(),
    landedRows: new Map(),
    ...changes,
  };
}

function assess(connectors: readonly LiveConnector[], { restartsTasks = true, seen = observation() } = {}) {
  return assessFleet({
    declarations: connectors.map(({ name }) => ({ name, config: {} })),
    live: new Map(connectors.map((connector) => [connector.name, connector])),
    observation: seen,
    memories: {},
    at: 0,
    limits: defaultHealthLimits,
    restartsTasks,
  });
}

const half = live('a', {}, 'RUNNING', [
  task(0, 'RUNNING'),
  task(1, 'FAILED', transient),
  task(2, 'FAILED', schema),
]);

test('each task is a unit of its own, with the cause of its own trace', () => {
  expect(assess([half]).reports).toEqual([
    { connector: 'a', task: null, condition: 'running', cause: null, weight: 1 },
    { connector: 'a', task: 0, condition: 'running', cause: null, weight: 1 },
    { connector: 'a', task: 1, condition: 'failed', cause: 'transient', weight: 1 },
    { connector: 'a', task: 2, condition: 'failed', cause: 'schema-mismatch', weight: 1 },
  ]);
});

test('where only whole connectors can be restarted, the unit weighs what it restarts', () => {
  expect(assess([half], { restartsTasks: false }).reports).toEqual([
    { connector: 'a', task: null, condition: 'failed', cause: 'transient', weight: 2 },
  ]);
  const sound = live('b', {}, 'RUNNING', [task(0, 'RUNNING')]);
  expect(assess([sound], { restartsTasks: false }).reports).toMatchObject([
    { condition: 'running', weight: 1 },
  ]);
});

test('nothing of a paused connector is restarted, failed tasks included', () => {
  const paused = live('a', {}, 'PAUSED', [task(0, 'FAILED', transient)]);
  expect(assess([paused]).reports.map(({ condition }) => condition)).toEqual(['changing', 'changing']);
});

test('a failed connector is an incident; a hold needs a person', () => {
  const { connectors } = assess([half]);
  const of = (action: 'hold' | 'restart') =>
    findIncidents(observation(), connectors, [
      {
        connector: 'a',
        task: 1,
        cause: 'transient',
        ...(action === 'hold' ? { action, reason: 'cap' } : { action }),
      },
    ]);
  expect(of('restart')).toMatchObject([{ subject: 'a', cause: 'transient', needsPerson: false }]);
  expect(of('hold')).toMatchObject([{ needsPerson: true }]);
});

test('an outage of ClickHouse is one incident, not one for each connector that waits for it', () => {
  const down = observation({ clickhouse: { state: 'unreachable', reason: 'no answer' } });
  const waiting = [1, 2, 3].map((id) =>
    live(`c${String(id)}`, {}, 'RUNNING', [task(0, 'FAILED', transient)]),
  );
  const other = live('other', {}, 'RUNNING', [task(0, 'FAILED', schema)]);
  const { connectors } = assess([...waiting, other], { seen: down });
  expect(findIncidents(down, connectors, []).map(({ subject, cause }) => `${subject} ${cause}`)).toEqual([
    'ClickHouse transient',
    'other schema-mismatch',
  ]);
});

test('servers that are away are incidents of their own', () => {
  const away = observation({
    connectors: { value: null, error: 'the worker is away' },
    progress: { value: null, error: 'the broker is away' },
    clickhouse: { state: 'refused', reason: 'wrong password' },
  });
  expect(findIncidents(away, [], [])).toMatchObject([
    { subject: 'Kafka Connect', reason: 'the worker is away', needsPerson: false },
    { subject: 'Kafka', needsPerson: false },
    { subject: 'ClickHouse', cause: 'authentication', needsPerson: true },
  ]);
});

test('a connector that nobody could see has not recovered', () => {
  const core = { subject: 'core', cause: 'transient' } as const;
  expect(isHidden(core, observation())).toBe(false);
  expect(isHidden(core, observation({ connectors: { value: null, error: 'away' } }))).toBe(true);
  expect(isHidden(core, observation({ progress: { value: null, error: 'away' } }))).toBe(true);
  const down = observation({ clickhouse: { state: 'unreachable', reason: 'no answer' } });
  expect(isHidden(core, down)).toBe(true);
  expect(isHidden({ ...core, cause: 'schema-mismatch' }, down)).toBe(false);
  expect(
    isHidden(
      { subject: 'Kafka', cause: 'transient' },
      observation({ connectors: { value: null, error: 'x' } }),
    ),
  ).toBe(false);
});
