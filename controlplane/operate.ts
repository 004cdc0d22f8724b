import { PipelineError, isAbort, messageOf } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import { awaitRunning } from './await-running.ts';
import type { DeclaredState } from './connector-config.ts';
import type { ConnectorService, LiveConnector, Pace, RunState } from './connector-service.ts';
import { hasFailed, operatedState } from './plan.ts';
import { createMask, secretValues, type Mask } from './secrets.ts';

export const actions = ['restart', 'pause', 'resume', 'stop', 'delete'] as const;
export type Action = (typeof actions)[number];

/** What became of one connector. */
export interface Operated {
  name: string;
  action: Action;
  before: RunState | null;
  /** Null where it is gone, or nothing is known of it yet. */
  after: RunState | null;
  /** What is worth knowing of a success; null for nothing. */
  remark: string | null;
  /** Null when it was done; otherwise what went wrong, without secrets. */
  failure: string | null;
}

export interface OperateOptions {
  /** Of a restart: also what runs. Default: only what has failed. */
  allTasks?: boolean;
  signal?: AbortSignal;
  /** Default: the server's own pace. */
  pace?: Partial<Pace>;
}

/**
 * The connectors of these names, each once.
 *
 * @throws PipelineError `UNKNOWN_CONNECTOR` with the names there are
 */
export async function findConnectors(
  service: ConnectorService,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<LiveConnector[]> {
  const live = await service.list(signal);
  const unknown = names.filter((name) => !live.has(name));
  if (unknown.length > 0) {
    const there = [...live.keys()].sort().join(', ');
    throw new PipelineError('UNKNOWN_CONNECTOR', {
      what: `There is no connector ${unknown.join(', ')}`,
      where: service.address,
      todo: there === '' ? 'There is none at all: run connectors:apply.' : `There are: ${there}.`,
    });
  }
  return [...new Set(names)].flatMap((name) => live.get(name) ?? []);
}

/**
 * Does one thing to each of the connectors, and returns when it is done: paused, stopped, running or gone. One
 * that fails does not keep the others from being done.
 *
 * @throws PipelineError `STOP_UNSUPPORTED` before anything is done
 */
export async function operate(
  service: ConnectorService,
  connectors: readonly LiveConnector[],
  action: Action,
  options: OperateOptions = {},
): Promise<Operated[]> {
  if (action === 'stop' && service.stop === undefined) throw stopUnsupported(service);
  const { signal } = options;
  const pace = { ...service.pace, ...options.pace };
  const work = connectors.map(async (live): Promise<Operated> => {
    const mask = createMask(secretValues(live.config));
    const told = { name: live.name, action, before: live.state };
    try {
      const remark = await act(service, live, action, { ...options, pace, mask });
      const now = action === 'delete' ? undefined : await service.read(live.name, signal);
      return { ...told, after: now?.state ?? null, remark, failure: null };
    } catch (error) {
      if (isAbort(error) || !(error instanceof PipelineError)) throw error;
      return { ...told, after: live.state, remark: null, failure: mask(messageOf(error)) };
    }
  });
  return Promise.all(work);
}

interface ActOptions extends OperateOptions {
  pace: Pace;
  mask: Mask;
}

/** @returns what is worth knowing of the success */
async function act(
  service: ConnectorService,
  live: LiveConnector,
  action: Action,
  { allTasks = false, signal, pace, mask }: ActOptions,
): Promise<string | null> {
  const { name } = live;
  if (action === 'delete') {
    await service.delete(name, signal);
    await waitFor(async () => (await service.read(name, signal)) === undefined, {
      what: `${name} to go`,
      timeoutMs: pace.readBackTimeoutMs,
      pollIntervalMs: pace.pollIntervalMs,
      ...(signal === undefined ? {} : { signal }),
    });
    return null;
  }
  if (action === 'pause' || action === 'stop') {
    await changeState(service, name, action === 'pause' ? 'paused' : 'stopped', signal);
    return null;
  }
  if (action === 'resume') await changeState(service, name, 'running', signal);
  else {
    const at = operatedState(live);
    if (at !== 'running') {
      throw new PipelineError('NOT_RUNNING', { what: `it is ${at}: resume it instead` });
    }
    if (!allTasks && !hasFailed(live)) return 'nothing of it has failed; --all-tasks restarts what runs';
    await (allTasks ? service.restartAll(name, signal) : service.restartFailed(name, signal));
  }
  const failures = await awaitRunning(service, [name], { pace, signal, onProgress: undefined, mask });
  const failure = failures.get(name);
  if (failure !== undefined) throw new PipelineError('DOES_NOT_RUN', { what: failure });
  return null;
}

/** Brings a connector into a state and returns when it is seen there. */
export async function changeState(
  service: ConnectorService,
  name: string,
  state: DeclaredState,
  signal?: AbortSignal,
): Promise<void> {
  if (state === 'running') await service.resume(name, signal);
  else if (state === 'paused') await service.pause(name, signal);
  else if (service.stop === undefined) throw stopUnsupported(service);
  else await service.stop(name, signal);
}

function stopUnsupported({ address }: ConnectorService): PipelineError {
  return new PipelineError('STOP_UNSUPPORTED', {
    what: 'This server cannot stop a connector',
    where: address,
    todo: 'Pause it: connectors:pause. Offsets may be reset there while it is paused.',
  });
}
