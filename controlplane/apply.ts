import { PipelineError, isAbort, messageOf } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import { awaitRunning } from './await-running.ts';
import type { ConnectorService, Pace } from './connector-service.ts';
import { diffConfig, type Change, type Plan } from './plan.ts';
import { createMask } from './secrets.ts';

export interface ApplyOptions {
  signal?: AbortSignal;
  /** Called with one line for each step. */
  onProgress?: (line: string) => void;
  /** Default: the server's own pace. */
  pace?: Partial<Pace>;
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
  { signal, onProgress, pace: faster }: ApplyOptions = {},
): Promise<Applied[]> {
  const pace = { ...service.pace, ...faster };
  const mask = createMask(plan.secrets);
  const pending = plan.changes.filter((change) => change.operation !== 'none');
  const applied: Applied[] = [];
  for (const change of pending) {
    const failure = await failureOf(() => write(service, plan, change, { pace, signal }));
    onProgress?.(`${failure === null ? doneWords[change.operation] : 'failed'} ${change.name}`);
    applied.push({ change, failure });
  }
  const starting = applied.filter(({ change, failure }) => failure === null && change.operation !== 'delete');
  const names = starting.map(({ change }) => change.name);
  const ends = await awaitRunning(service, names, { pace, signal, onProgress, mask });
  return applied.map((one) => ({ ...one, failure: one.failure ?? ends.get(one.change.name) ?? null }));
}

const doneWords = { create: 'created', update: 'updated', delete: 'deleted', none: 'left' } as const;

async function write(
  service: ConnectorService,
  plan: Plan,
  { operation, name, restartFailed }: Change,
  { pace, signal }: { pace: Pace; signal: AbortSignal | undefined },
): Promise<void> {
  if (operation === 'delete') {
    await service.delete(name, signal);
    return;
  }
  const desired = plan.desired.get(name);
  if (desired === undefined) throw new Error(`the plan lacks the configuration of ${name}`);
  await service.put(desired, signal);
  let differing = ['everything'];
  await waitFor(
    async () => {
      const live = await service.read(name, signal);
      if (live === undefined) return false;
      differing = diffConfig(live.config, desired).map(({ key }) => key);
      return differing.length === 0;
    },
    {
      what: `${name} to read back as written`,
      timeoutMs: pace.readBackTimeoutMs,
      pollIntervalMs: pace.pollIntervalMs,
      ...(signal === undefined ? {} : { signal }),
    },
  ).catch((error: unknown) => {
    if (!(error instanceof PipelineError) || error.code !== 'TIMED_OUT') throw error;
    throw new PipelineError('WRITE_NOT_FOUND', {
      what: `it was written, but reads back differently in ${differing.join(', ')}`,
    });
  });
  if (restartFailed) await service.restartFailed(name, signal);
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
