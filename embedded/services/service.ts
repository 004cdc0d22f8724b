import type { PortName, StackSettings } from '../settings.ts';
import type { JarSet } from '../jars/fetch-jars.ts';
import type { SinkPlugin } from '../sink/resolve-sink.ts';
import type { PluginDiscovery } from './plugin-discovery.ts';

export const serviceNames = ['kafka', 'schema-registry', 'clickhouse', 'connect'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** What a service is planned with: settings, and what was fetched for it. */
export interface ServiceContext {
  settings: StackSettings;
  /** The service's own folder; nothing else writes there. */
  dataFolder: string;
  /** The java program. */
  java: string;
  /** Folders of the fetched jars. */
  jars: Readonly<Partial<Record<JarSet, string>>>;
  /** The sink on the worker's plugin path. */
  sink: SinkPlugin | undefined;
  /** How the worker finds it. */
  pluginDiscovery: PluginDiscovery;
}

/** A process to start. Pure data: two equal plans mean that nothing has to be restarted. */
export interface LaunchPlan {
  file: string;
  args: readonly string[];
  /** Added to the environment. */
  env?: Readonly<Record<string, string>>;
  /** Configuration files of the service by absolute path, written before the start. */
  files?: Readonly<Record<string, string>>;
}

/** A line of a service's log that says why it died, and what a reader can do about it. */
export interface KnownFailure {
  pattern: RegExp;
  code: string;
  what: string;
  todo: string;
}

export interface Service {
  name: ServiceName;
  /** The port its clients use. */
  port: PortName;
  /** Further ports it listens on. */
  internalPorts: readonly PortName[];
  /** Services that must be ready before this one starts, where they are started together. */
  needs: readonly ServiceName[];
  jars: readonly JarSet[];
  needsSink: boolean;
  plan(context: ServiceContext): LaunchPlan;
  /** Prepares the data folder before a start; leaves nothing half-done when it is interrupted. */
  prepare?(context: ServiceContext, plan: LaunchPlan, signal?: AbortSignal): Promise<void>;
  /** One probe: true when clients are served. Never throws. */
  isReady(port: number): Promise<boolean>;
  readyTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  stopTimeoutMs: number;
  knownFailures: readonly KnownFailure[];
}
