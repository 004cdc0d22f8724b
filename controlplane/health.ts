import type { LiveConnector } from './connector-service.ts';
import { nextActions, summarizeTrace, type CauseClass } from './trace-causes.ts';

/**
 * `starting` covers the moments around a create, an update or a rebalance, in which nothing can be said yet;
 * `paused` is somebody's decision and no failure.
 */
export const verdicts = ['healthy', 'starting', 'paused', 'unhealthy'] as const;
export type Verdict = (typeof verdicts)[number];

export interface Health {
  verdict: Verdict;
  /** Null unless unhealthy. */
  cause: CauseClass | null;
  /** What a person should know first. May quote a server: mask it before it is shown. Null when healthy. */
  reason: string | null;
  /** What that person should do next. Null unless unhealthy. */
  action: string | null;
}

/**
 * Judges one connector from what its server says of it.
 *
 * @param live `undefined` where the server has no such connector
 */
export function judge(live: LiveConnector | undefined): Health {
  if (live === undefined) {
    return {
      verdict: 'unhealthy',
      cause: 'configuration',
      reason: 'it is declared, but the worker does not have it',
      action: 'Run connectors:apply.',
    };
  }
  if (live.state === 'FAILED') return failed('the connector', live.trace);
  const failedTask = live.tasks.find((task) => task.state === 'FAILED');
  if (failedTask !== undefined) return failed(`task ${String(failedTask.id)}`, failedTask.trace);
  if (live.state === 'DEGRADED') return failed('a part of the connector', live.trace);
  if (live.state === 'PAUSED' || live.state === 'STOPPED') {
    return { ...nothingToDo, verdict: 'paused', reason: `it is ${live.state.toLowerCase()}` };
  }
  const waiting = live.tasks.find((task) => task.state !== 'RUNNING');
  if (live.state !== 'RUNNING' || live.tasks.length === 0 || waiting !== undefined) {
    const reason =
      waiting === undefined
        ? `its state is ${live.state ?? 'not known yet'}, with ${String(live.tasks.length)} tasks`
        : `task ${String(waiting.id)} is ${waiting.state}`;
    return { ...nothingToDo, verdict: 'starting', reason };
  }
  return { ...nothingToDo, verdict: 'healthy' };
}

const nothingToDo = { cause: null, reason: null, action: null };

function failed(what: string, trace: string | null): Health {
  if (trace === null) return unhealthy('unknown', `${what} failed without a trace`);
  const { cause, headline } = summarizeTrace(trace);
  return unhealthy(cause, `${what} failed: ${headline}`);
}

function unhealthy(cause: CauseClass, reason: string): Health {
  return { verdict: 'unhealthy', cause, reason, action: nextActions[cause] };
}
