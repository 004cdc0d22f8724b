import type { Problem } from '../core/errors.ts';
import type { ConnectorConfig, DesiredConnector } from './connector-config.ts';

/**
 * Whatever runs connectors. The control plane knows only this: plan, apply and status say nothing of REST, and
 * a second kind of server is a second implementation.
 *
 * Every method has a deadline, repeats what may be repeated, and throws a `PipelineError` otherwise. An
 * unreadable answer is an error and never "there is no such connector".
 */
export interface ConnectorService {
  /** Its address, for messages. */
  readonly address: string;
  plugins(signal?: AbortSignal): Promise<readonly ConnectorPlugin[]>;
  /** Every connector there is, by name. */
  list(signal?: AbortSignal): Promise<ReadonlyMap<string, LiveConnector>>;
  read(name: string, signal?: AbortSignal): Promise<LiveConnector | undefined>;
  /** What the server finds wrong with a configuration; it does not try the addresses in it. */
  validate(connector: DesiredConnector, signal?: AbortSignal): Promise<readonly Problem[]>;
  /** Creates the connector or replaces its whole configuration. */
  put(connector: DesiredConnector, signal?: AbortSignal): Promise<void>;
  /** Restarts what has failed of a connector: itself and its failed tasks. */
  restartFailed(name: string, signal?: AbortSignal): Promise<void>;
  /** Succeeds also where the connector is already gone. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
}

export interface ConnectorPlugin {
  class: string;
  /** Null where the plugin does not say. */
  version: string | null;
}

export const runStates = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'RESTARTING'] as const;
export type RunState = (typeof runStates)[number];

export interface LiveConnector {
  name: string;
  /** Without the keys the server adds by itself, so that it can be compared with what was declared. */
  config: ConnectorConfig;
  /** Null for the moment between a create and its first status. */
  state: RunState | null;
  /** Why the connector itself failed: a Java stack trace. */
  trace: string | null;
  tasks: readonly LiveTask[];
}

export interface LiveTask {
  id: number;
  state: RunState;
  workerId: string;
  /** A task in RESTARTING still carries the trace of the failure before. */
  trace: string | null;
}
