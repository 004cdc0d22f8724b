import { topicsOf, type Declaration } from './connector-config.ts';
import type { LiveConnector, RunState } from './connector-service.ts';
import type { Progress, ProgressQuery } from './consumer-lag.ts';
import { judge, type Circumstances, type HealthLimits, type Verdict } from './health.ts';
import { createMask, secretValues } from './secrets.ts';
import { summarizeTrace, type CauseClass } from './trace-causes.ts';

/** One declared connector as status reports it. Nothing in it is secret. */
export interface ConnectorStatus {
  name: string;
  /** `MISSING` where the worker has no such connector, `UNKNOWN` for the moment before its first status. */
  state: RunState | 'MISSING' | 'UNKNOWN';
  verdict: Verdict;
  cause: CauseClass | null;
  /** Records not yet committed; null where Kafka could not say. */
  lag: number | null;
  tasks: readonly TaskStatus[];
  /** Records in the dead letter topic; null where there is none or Kafka could not say. */
  deadLetters: number | null;
  /** What to know first; null when healthy. */
  reason: string | null;
  /** What to do next; null unless unhealthy. */
  action: string | null;
}

export interface TaskStatus {
  id: number;
  state: RunState;
  worker: string;
  /** The line of its trace that says why. */
  error: string | null;
}

/** Puts together what the worker and Kafka say of one declared connector. */
export function describeConnector(
  declaration: Declaration,
  live: LiveConnector | undefined,
  progress: Progress,
  circumstances: Circumstances = {},
  limits?: HealthLimits,
): ConnectorStatus {
  const mask = createMask(liveSecrets(declaration, live));
  const { verdict, cause, reason, action } = judge(live, circumstances, limits);
  return {
    name: declaration.name,
    state: live === undefined ? 'MISSING' : (live.state ?? 'UNKNOWN'),
    verdict,
    cause,
    lag: progress.lag,
    tasks: (live?.tasks ?? []).map(({ id, state, workerId, trace }) => ({
      id,
      state,
      worker: workerId,
      error: trace === null ? null : mask(summarizeTrace(trace).headline),
    })),
    deadLetters: progress.deadLetters,
    reason: reason === null ? null : mask(reason),
    action,
  };
}

/** Secrets the worker's answers about a connector may repeat. */
export function liveSecrets(declaration: Declaration, live: LiveConnector | undefined): string[] {
  const marked = Object.entries(declaration.config)
    .filter(([, text]) => text.includes('${secret:'))
    .map(([key]) => key);
  return secretValues(live?.config ?? {}, new Set(marked));
}

/** What Kafka is asked about a connector: its live configuration counts, the declared one until there is one. */
export function progressQuery(declaration: Declaration, live: LiveConnector | undefined): ProgressQuery {
  const config = live?.config ?? declaration.config;
  return {
    // A group that does not exist has committed nothing, so all there is counts as lag: true of a missing connector.
    consumerGroup: live?.consumerGroup ?? `connect-${declaration.name}`,
    topics: topicsOf({ config }),
    deadLetterTopic: config['errors.deadletterqueue.topic.name'] || undefined,
  };
}
