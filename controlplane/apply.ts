import { PipelineError, isAbort, messageOf } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import { awaitRunning } from './await-running.ts';
import type { ConnectorConfig, DesiredConnector } from './connector-config.ts';
import type { ConnectorService, LiveConnector, Pace } from './connector-service.ts';
import { changeState } from './operate.ts';
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
 * Executes exactly the changes of `plan`: writes them, reads each one back, brings each connector into its state,
 * restarts what the plan says, and waits until everything runs. A change that fails does not keep the others from
 * being made. A connector that is no longer as the plan found it is left alone, and that is its failure, unless it
 * already is as declared.
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
    const failure = await failureOf(() => execute(service, plan, change, { pace, signal }));
    onProgress?.(`${failure === null ? doneWords[change.operation] : 'failed'} ${change.name}`);
    applied.push({ change, failure });
  }
  const starting = applied.filter(({ change, failure }) => failure === null && change.operation !== 'delete');
  const names = starting.map(({ change }) => change.name);
  const ends = await awaitRunning(service, names, { pace, signal, onProgress, mask });
  return applied.map((one) => ({ ...one, failure: one.failure ?? ends.get(one.change.name) ?? null }));
}

const doneWords = { create: 'created', update: 'updated', delete: 'deleted', none: 'left' } as const;

interface Execution {
  pace: Pace;
  signal: AbortSignal | undefined;
}

async function execute(
  service: ConnectorService,
  plan: Plan,
  { operation, name, diff, state, restart }: Change,
  execution: Execution,
): Promise<void> {
  const { signal } = execution;
  const desired = plan.desired.get(name);
  const [planned, live] = [plan.live.get(name), await service.read(name, signal)];
  const moved = movedOn(planned, live);
  if (operation === 'delete') {
    if (live === undefined) return;
    if (moved !== null) throw moved;
    await service.delete(name, signal);
    return;
  }
  if (desired === undefined) throw new Error(`the plan lacks the configuration of ${name}`);
  // Another apply may have done the same meanwhile; anything else is somebody's change that nobody has reviewed.
  if (moved !== null && (live === undefined || diffConfig(live.config, desired).length > 0)) throw moved;
  if (moved === null && diff.length > 0) await write(service, desired, execution);
  if (state !== null) await changeState(service, name, state.after, signal);
  if (restart === 'failed') await service.restartFailed(name, signal);
  if (restart === 'all') await service.restartAll(name, signal);
}

/** Null where the connector is as it was when the plan was made. */
function movedOn(planned: LiveConnector | undefined, live: LiveConnector | undefined): PipelineError | null {
  const error = (what: string) =>
    new PipelineError('PLAN_OUTDATED', { what: `it was ${what} since the plan was made` });
  if (live === undefined) return planned === undefined ? null : error('deleted');
  if (planned === undefined) return error('created');
  const keys = differingKeys(planned.config, live.config);
  return keys.length === 0 ? null : error(`changed in ${keys.join(', ')}`);
}

function differingKeys(before: ConnectorConfig, after: ConnectorConfig): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter((key) => before[key] !== after[key]).sort();
}

async function write(
  service: ConnectorService,
  desired: DesiredConnector,
  { pace, signal }: Execution,
): Promise<void> {
  const { name } = desired;
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
