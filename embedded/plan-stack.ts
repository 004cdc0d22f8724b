import path from 'node:path';
import { fetchJars, missingJars, type JarSet } from './jars/fetch-jars.ts';
import { checkDisk, checkJava, checkMaven, demandAll, javaProgram } from './machine.ts';
import type { PortUse } from './ports.ts';
import { runningProcess, type ProcessRecord } from './process/process-record.ts';
import { pluginDiscoveryFor } from './services/plugin-discovery.ts';
import type { LaunchPlan, Service, ServiceContext } from './services/service.ts';
import { portsOf, type StackSettings } from './settings.ts';
import { resolveSinkPlugin } from './sink/resolve-sink.ts';
import { fingerprintOf } from './start-service.ts';

export interface PlannedService {
  service: Service;
  context: ServiceContext;
  plan: LaunchPlan;
  /** Its process, if one runs that need not be replaced. */
  running: ProcessRecord | undefined;
}

/** What has to be there before anything is fetched or started; all that is missing is reported together. */
export async function checkMachine(
  settings: StackSettings,
  wanted: readonly Service[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const sets = jarSets(wanted);
  const probe = { env: settings.env, signal };
  const needsMaven = missingJars(sets, settings.home.cache).length > 0;
  demandAll([
    ...(sets.length > 0 ? [await checkJava(probe)] : []),
    ...(needsMaven ? [await checkMaven(probe)] : []),
    // What runs has its files; an up that starts nothing must not fail for want of space.
    ...(wanted.some(({ name }) => runningProcess(settings.home, name) === undefined)
      ? [checkDisk(settings.home.data)]
      : []),
  ]);
}

/** Fetches what the services need and decides which of those that run may stay. */
export async function planServices(
  settings: StackSettings,
  wanted: readonly Service[],
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (text: string) => void },
): Promise<PlannedService[]> {
  const { home, env } = settings;
  const fetching = { cacheFolder: home.cache, signal, onProgress };
  const jars: Partial<Record<JarSet, string>> = {};
  // One after the other: Maven's local repository is not made for two at a time.
  for (const set of jarSets(wanted)) jars[set] = await fetchJars(set, fetching);
  const sink = wanted.some(({ needsSink }) => needsSink)
    ? await resolveSinkPlugin({
        cacheFolder: home.cache,
        env,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      })
    : undefined;
  const pluginDiscovery = sink === undefined ? 'service_load' : await pluginDiscoveryFor(sink.folder);
  return wanted.map((service) => {
    const dataFolder = path.join(home.data, service.name);
    const context = { settings, dataFolder, java: javaProgram(env), jars, sink, pluginDiscovery };
    const plan = service.plan(context);
    const record = runningProcess(home, service.name)?.record;
    return {
      service,
      context,
      plan,
      running: record?.fingerprint === fingerprintOf(plan) ? record : undefined,
    };
  });
}

/** Ports that must be free now: a service that runs has its own already, unless its clients' port is to move. */
export function portsToTake(settings: StackSettings, wanted: readonly Service[]): PortUse[] {
  return wanted.flatMap((service) => {
    const uses = portsOf(settings, service);
    const held = runningProcess(settings.home, service.name)?.record.port;
    return held === undefined ? uses : uses.slice(0, 1).filter(({ port }) => port !== held);
  });
}

function jarSets(wanted: readonly Service[]): JarSet[] {
  return [...new Set(wanted.flatMap(({ jars }) => jars))];
}
