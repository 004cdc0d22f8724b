import { PipelineError, isAbort, messageOf } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import type { ConnectorService } from './connector-service.ts';
import { judge, type Health } from './health.ts';
import { diffConfig, type Change, type Plan } from './plan.ts';
import { createMask } from './secrets.ts';

export interface ApplyOptions {
  signal?: AbortSignal;
  /** Called with one line for each step. */
  onProgress?: (line: string) => void;
  /** How long all tasks together may take to run. Default 60,000. */
  startTimeoutMs?: number;
  /**
   * For how long a state must last before it is believed: right after a write the worker still reports the
   * tasks of the configuration before. Default 1,500.
   */
  settleMs?: number;
}

/** What became of one change. */
export interface Applied {
  change: Change;
  /** Null when it was done and all tasks run; otherwise what went wrong, without secrets. */
  failure: string | null;
}

/**
 * Executes exactly the changes of `plan`: writes them, reads each one back, restarts what had failed before,
 * and waits until everything runs. A change that fails does not keep the others from being made.
 */
export async function applyPlan(
  service: ConnectorService,
  plan: Plan,
  { signal, onProgress, startTimeoutMs = 60_000, settleMs = 1500 }: ApplyOptions = {},
): Promise<Applied[]> {
  const mask = createMask(plan.secrets);
  const pending = plan.changes.filter((change) => change.operation !== 'none');
  const written: Applied[] = [];
  for (const change of pending) {
    const failure = await failureOf(() => write(service, plan, change, signal));
    onProgress?.(`${failure === null ? doneWords[change.operation] : 'failed'} ${change.name}`);
    written.push({ change, failure });
  }
  const deadline = performance.now() + startTimeoutMs;
  return Promise.all(
    written.map(async (applied) => {
      const { change, failure } = applied;
      if (failure !== null || change.operation === 'delete') return applied;
      const timeoutMs = Math.max(0, deadline - performance.now());
      const started = await failureOf(async () => {
        const health = await untilSettled(service, change.name, { timeoutMs, settleMs, signal });
        if (health.verdict === 'unhealthy') {
          throw new PipelineError('NOT_RUNNING', {
            what: `${health.cause ?? 'unknown'}: ${mask(health.reason ?? '')}`,
          });
        }
        onProgress?.(`${health.verdict === 'paused' ? 'left paused' : 'running'} ${change.name}`);
      });
      return { change, failure: started };
    }),
  );
}

const doneWords = { create: 'created', update: 'updated', delete: 'deleted', none: 'left' } as const;

async function write(
  service: ConnectorService,
  plan: Plan,
  { operation, name, restartFailed }: Change,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (operation === 'delete') {
    await service.delete(name, signal);
    return;
  }
  const desired = plan.desired.get(name);
  if (desired === undefined) throw new Error(`the plan lacks the configuration of ${name}`);
  await service.put(desired, signal);
  const live = await service.read(name, signal);
  const differing = diffConfig(live?.config ?? {}, desired.config, desired.secretKeys);
  if (differing.length > 0) {
    throw new PipelineError('WRITE_NOT_FOUND', {
      what: `it was written, but reads back differently in ${differing.map(({ key }) => key).join(', ')}`,
    });
  }
  if (restartFailed) await service.restartFailed(name, signal);
}

/** Polls until the connector runs, is paused or has failed, and stays so for `settleMs`. */
async function untilSettled(
  service: ConnectorService,
  name: string,
  options: { timeoutMs: number; settleMs: number; signal: AbortSignal | undefined },
): Promise<Health> {
  let since = performance.now();
  let last: string | undefined;
  return waitFor(
    async () => {
      const health = judge(await service.read(name, options.signal));
      if (health.verdict !== last) since = performance.now();
      last = health.verdict;
      return health.verdict !== 'starting' && performance.now() - since >= options.settleMs && health;
    },
    {
      what: `${name} to run`,
      timeoutMs: options.timeoutMs,
      pollIntervalMs: 200,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
}

/** Null when `step` succeeds, otherwise why it did not. An interruption and a defect are not the step's failure. */
async function failureOf(step: () => Promise<void>): Promise<string | null> {
  try {
    await step();
    return null;
  } catch (error) {
    if (isAbort(error) || !(error instanceof PipelineError)) throw error;
    return messageOf(error);
  }
}
