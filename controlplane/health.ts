import type { LiveConnector } from './connector-service.ts';
import { nextActions, summarizeTrace, type CauseClass } from './trace-causes.ts';
import type { ClickHouseState } from './probe-clickhouse.ts';
import { deadLetterWindowMs, type Trend } from './progress-memory.ts';

export const verdicts = [
  'healthy',
  /** Around a create, an update, a restart or a rebalance: nothing can be said yet. */
  'starting',
  /** Somebody's decision and no failure, like `stopped`. */
  'paused',
  'stopped',
  /** Some of its tasks have failed, others run. */
  'degraded',
  'failed',
  /** Declared, but the server does not have it. */
  'missing',
  /** `starting` for longer than that takes. */
  'unassigned',
  /** It says RUNNING, but commits nothing although there are records to read. */
  'stalled',
  /** It runs, and its records go to the dead letter topic. */
  'dead-letters',
] as const;
export type Verdict = (typeof verdicts)[number];

const soundVerdicts: ReadonlySet<Verdict> = new Set(['healthy', 'starting', 'paused', 'stopped']);

/** Whether a verdict calls for somebody or something to act. */
export function isUnhealthy(verdict: Verdict): boolean {
  return !soundVerdicts.has(verdict);
}

export interface Health {
  verdict: Verdict;
  /** Null unless unhealthy. */
  cause: CauseClass | null;
  /** What a person should know first. May quote a server: mask it before it is shown. Null when healthy. */
  reason: string | null;
  /** What that person should do next. Null unless unhealthy. */
  action: string | null;
}

/** What is known beside the server's own word; whoever looks only once knows nothing of it. */
export interface Circumstances {
  trend?: Trend;
  clickhouse?: ClickHouseState;
}

export interface HealthLimits {
  /** RUNNING with lag and without a commit is stalled after this. Longer than the slowest insert takes. */
  stalledAfterMs: number;
  /** More dead letters a minute than this, over the last five, are a failure. */
  deadLettersPerMinute: number;
  /** A rebalance takes seconds; by default workers wait five minutes for a lost one to come back. */
  unassignedAfterMs: number;
}

export const defaultHealthLimits: HealthLimits = {
  stalledAfterMs: 120_000,
  deadLettersPerMinute: 10,
  unassignedAfterMs: 360_000,
};

/**
 * Judges one connector, from the server's word and from how it went lately. The worst comes first: what has failed
 * is not also called stalled.
 *
 * @param live `undefined` where the server has no such connector
 */
export function judge(
  live: LiveConnector | undefined,
  { trend, clickhouse }: Circumstances = {},
  limits: HealthLimits = defaultHealthLimits,
): Health {
  if (live === undefined) {
    return {
      verdict: 'missing',
      cause: 'configuration',
      reason: 'it is declared, but the worker does not have it',
      action: 'Run connectors:apply.',
    };
  }
  const failure = judgeFailure(live, clickhouse);
  if (failure !== undefined) return failure;
  if (live.state === 'PAUSED' || live.state === 'STOPPED') {
    const verdict = live.state === 'PAUSED' ? 'paused' : 'stopped';
    return { ...nothingToDo, verdict, reason: `it is ${verdict}` };
  }
  const waiting = live.tasks.find((task) => task.state !== 'RUNNING');
  if (live.state !== 'RUNNING' || live.tasks.length === 0 || waiting !== undefined) {
    const reason =
      waiting === undefined
        ? `its state is ${live.state ?? 'not known yet'}, with ${String(live.tasks.length)} tasks`
        : `task ${String(waiting.id)} is ${waiting.state}`;
    if ((trend?.unsettledMs ?? 0) < limits.unassignedAfterMs)
      return { ...nothingToDo, verdict: 'starting', reason };
    return {
      verdict: 'unassigned',
      cause: 'unknown',
      reason: `${reason} for ${duration(trend?.unsettledMs ?? 0)}`,
      action: 'Look at the workers: are they all there, and do they agree (npm run logs -- connect)?',
    };
  }
  return (trend && judgeTrend(trend, clickhouse, limits)) ?? { ...nothingToDo, verdict: 'healthy' };
}

const nothingToDo = { cause: null, reason: null, action: null };

function judgeFailure(live: LiveConnector, clickhouse: ClickHouseState | undefined): Health | undefined {
  const failedTasks = live.tasks.filter((task) => task.state === 'FAILED');
  if (live.state === 'FAILED') return failed('failed', 'the connector', live.trace, clickhouse);
  const [first] = failedTasks;
  if (first !== undefined) {
    const verdict = failedTasks.length < live.tasks.length ? 'degraded' : 'failed';
    return failed(verdict, `task ${String(first.id)}`, first.trace, clickhouse);
  }
  if (live.state === 'DEGRADED') return failed('degraded', 'a part of the connector', live.trace, clickhouse);
  return undefined;
}

function failed(
  verdict: Verdict,
  what: string,
  trace: string | null,
  clickhouse: ClickHouseState | undefined,
): Health {
  const cause = causeOfTrace(trace, clickhouse);
  const said =
    trace === null ? `${what} failed without a trace` : `${what} failed: ${summarizeTrace(trace).headline}`;
  return { verdict, cause, reason: said, action: nextActions[cause] };
}

/**
 * The cause of a failure. The official sink words everything that keeps it from its first query as "Connection to
 * ClickHouse is not active"; what ClickHouse answers to ourselves tells a refusal from an absence. Once that is put
 * right the cause is transient again, and the task is restarted.
 */
export function causeOfTrace(trace: string | null, clickhouse: ClickHouseState | undefined): CauseClass {
  const { cause } = summarizeTrace(trace ?? '');
  if (cause !== 'transient') return cause;
  if (clickhouse?.state === 'refused') return 'authentication';
  return clickhouse?.state === 'unprepared' ? 'schema-mismatch' : cause;
}

const causeByClickHouse: Readonly<Record<ClickHouseState['state'], CauseClass>> = {
  ready: 'unknown',
  unknown: 'unknown',
  unreachable: 'transient',
  refused: 'authentication',
  unprepared: 'schema-mismatch',
  overloaded: 'capacity',
};

function judgeTrend(
  { stuck, recentDeadLetters }: Trend,
  clickhouse: ClickHouseState | undefined,
  { stalledAfterMs, deadLettersPerMinute }: HealthLimits,
): Health | undefined {
  if (stuck !== null && stuck.forMs >= stalledAfterMs) {
    const cause = causeByClickHouse[clickhouse?.state ?? 'unknown'];
    const behind = `it says RUNNING, but has committed nothing of ${stuck.partition} for ${duration(stuck.forMs)}`;
    return {
      verdict: 'stalled',
      cause,
      reason: [`${behind}, with ${String(stuck.lag)} records to read`, clickhouse?.reason]
        .filter(Boolean)
        .join('; '),
      action:
        cause === 'unknown'
          ? "Read the worker's log (npm run logs -- connect): the sink retries without end; restart the task if it hangs."
          : nextActions[cause],
    };
  }
  if (recentDeadLetters > (deadLettersPerMinute * deadLetterWindowMs) / 60_000) {
    return {
      verdict: 'dead-letters',
      cause: 'poison-record',
      reason: `${String(recentDeadLetters)} records went to the dead letter topic within ${duration(deadLetterWindowMs)}`,
      action:
        'See what failed (npm run dlq -- list, dlq -- show), correct the cause, then npm run dlq -- replay.',
    };
  }
  return undefined;
}

function duration(ms: number): string {
  return ms < 120_000 ? `${String(Math.round(ms / 1000))} s` : `${String(Math.round(ms / 60_000))} min`;
}
