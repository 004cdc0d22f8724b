import { rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { InterruptedError, isAbort } from '../core/errors.ts';
import { ensureHome } from '../core/home.ts';
import { checkMachine, planServices, portsToTake, type PlannedService } from './plan-stack.ts';
import { demandFree } from './ports.ts';
import { terminate } from './process/launch.ts';
import { runningProcess } from './process/process-record.ts';
import { withStackLock } from './process/stack-lock.ts';
import { services as allServices } from './services/all-services.ts';
import type { Service, ServiceName } from './services/service.ts';
import type { StackSettings } from './settings.ts';
import type { SinkPlugin } from './sink/resolve-sink.ts';
import { awaitReady, startService } from './start-service.ts';

export { resolveStackSettings, type StackSettings } from './settings.ts';

export interface StackOptions {
  /** Default: all of them. A service waits for those it needs only if they are started with it. */
  services?: readonly ServiceName[];
  signal?: AbortSignal;
  /** One line for each step. */
  onProgress?: (text: string) => void;
}

export interface StartedService {
  name: ServiceName;
  pid: number;
  port: number;
  /** False when it ran already, with the same settings. */
  started: boolean;
}

export interface StartedStack {
  services: StartedService[];
  /** The sink on the worker's plugin path; undefined where the worker was not asked for. */
  sink: SinkPlugin | undefined;
}

/**
 * Starts what does not run, restarts what runs with other settings, and returns when all of it is ready.
 * Whatever goes wrong, and when `signal` aborts, everything that this call started is stopped again.
 *
 * @throws PipelineError `MACHINE_NOT_READY` and `PORT_TAKEN` before anything is started; `SERVICE_DIED`,
 *   `SERVICE_NOT_READY`, `DATA_FOLDER_LOCKED`, `DISK_FULL` and the errors of fetching jars and the sink
 */
export async function startStack(settings: StackSettings, options: StackOptions = {}): Promise<StartedStack> {
  const { signal, onProgress } = options;
  if (signal?.aborted) throw new InterruptedError();
  ensureHome(settings.home);
  const wanted = selected(options.services);
  return withStackLock(settings.home, lockOptions(options), async () => {
    await checkMachine(settings, wanted, signal);
    // Already here, as a conflict must not show up after minutes of fetching only.
    await demandFree(portsToTake(settings, wanted));
    const planned = await planServices(settings, wanted, options);
    const toStart = planned.filter(({ running }) => running === undefined);
    for (const { service } of [...toStart].reverse()) {
      if (runningProcess(settings.home, service.name) === undefined) continue;
      onProgress?.(`${service.name}: its settings changed, restarting it`);
      await terminate(settings.home, service.name, service.stopTimeoutMs);
    }
    await demandFree(portsToTake(settings, wanted));
    await startInOrder(settings, planned, options);
    return {
      services: planned.map(({ service, running }) => {
        const { pid, port } = runningProcess(settings.home, service.name)?.record ?? { pid: 0, port: 0 };
        return { name: service.name, pid, port, started: running === undefined };
      }),
      sink: planned.find(({ service }) => service.needsSink)?.context.sink,
    };
  });
}

/**
 * Stops what runs, in the reverse order of the start. Data stays, unless `purge` is set.
 * The cache is never touched.
 */
export async function stopStack(
  settings: StackSettings,
  options: StackOptions & { purge?: boolean } = {},
): Promise<{ stopped: ServiceName[] }> {
  const { onProgress } = options;
  ensureHome(settings.home);
  return withStackLock(settings.home, lockOptions(options), async () => {
    const wanted = selected(options.services);
    const stopped: ServiceName[] = [];
    const stop = async (service: Service) => {
      const outcome = await terminate(settings.home, service.name, service.stopTimeoutMs);
      if (outcome === 'not running') return;
      stopped.push(service.name);
      onProgress?.(`${service.name} ${outcome === 'killed' ? 'did not end and was killed' : 'stopped'}`);
    };
    // First those that use others, then the others all together.
    await Promise.all(wanted.filter(({ needs }) => needs.length > 0).map(stop));
    await Promise.all(wanted.filter(({ needs }) => needs.length === 0).map(stop));
    if (options.purge === true) await purge(settings, wanted);
    return { stopped };
  });
}

/** Removes the services' own folders, and their parent if nothing else is in it. */
async function purge({ home }: StackSettings, wanted: readonly Service[]): Promise<void> {
  for (const { name } of wanted) await rm(path.join(home.data, name), { recursive: true, force: true });
  await rmdir(home.data).catch(() => undefined);
}

function selected(names: readonly ServiceName[] | undefined): Service[] {
  return allServices.filter(({ name }) => names?.includes(name) ?? true);
}

function lockOptions({ signal, onProgress }: StackOptions) {
  return {
    signal,
    onWait: (pid: number) => onProgress?.(`Waiting for another up or down (pid ${pid}) to finish`),
  };
}

/** Starts each service as soon as those it needs are ready; the first failure stops all that were started. */
async function startInOrder(
  { home }: StackSettings,
  planned: readonly PlannedService[],
  { signal, onProgress }: StackOptions,
): Promise<void> {
  const failure = new AbortController();
  const stopWaiting = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const startedHere: Service[] = [];
  const ready = new Map<ServiceName, Promise<void>>();
  const bringUp = async ({ service, context, plan, running }: PlannedService) => {
    for (const name of service.needs) await ready.get(name);
    if (stopWaiting.aborted) throw new InterruptedError();
    const startedAt = performance.now();
    if (running === undefined) {
      startedHere.push(service);
      await startService(service, context, plan, stopWaiting);
    }
    await awaitReady(service, home, stopWaiting);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const how = running === undefined ? `ready after ${seconds} s` : 'runs already';
    onProgress?.(`${service.name} ${how} on 127.0.0.1:${context.settings.ports[service.port]}`);
  };
  // In the order of the start, so that what a service needs is in the map before it.
  for (const each of planned) {
    const attempt = bringUp(each);
    ready.set(each.service.name, attempt);
    attempt.catch((error: unknown) => {
      failure.abort(error);
    });
  }
  const outcomes = await Promise.allSettled([...ready.values()]);
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  if (errors.length === 0) return;
  await Promise.all(
    startedHere.reverse().map((service) => terminate(home, service.name, service.stopTimeoutMs)),
  );
  if (signal?.aborted) throw new InterruptedError();
  throw errors.find((error) => !isAbort(error)) ?? errors[0];
}
