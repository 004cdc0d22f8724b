import type { Problem } from '../core/errors.ts';
import type { ConnectorConfig, DesiredConnector } from './connector-config.ts';

/**
 * Whatever runs connectors. The control plane knows only this: plan, apply and status say nothing of REST, and
 * each kind of server is an implementation of its own.
 *
 * Every method has a deadline, repeats what may be repeated, and throws a `PipelineError` otherwise. An
 * unreadable answer is an error and never "there is no such connector".
 */
export interface ConnectorService {
  /** Its address, for messages. */
  readonly address: string;
  readonly pace: Pace;
  plugins(signal?: AbortSignal): Promise<readonly ConnectorPlugin[]>;
  /** Every connector there is, by name. */
  list(signal?: AbortSignal): Promise<ReadonlyMap<string, LiveConnector>>;
  read(name: string, signal?: AbortSignal): Promise<LiveConnector | undefined>;
  /** What the server finds wrong with a configuration; it does not try the addresses in it. */
  validate(connector: DesiredConnector, signal?: AbortSignal): Promise<readonly Problem[]>;
  /**
   * Creates the connector or replaces its whole configuration. A connector that is declared paused or stopped is
   * created so where the server can do that, and reads no record before it is resumed.
   */
  put(connector: DesiredConnector, signal?: AbortSignal): Promise<void>;
  /** Restarts what has failed of a connector: itself and its failed tasks. */
  restartFailed(name: string, signal?: AbortSignal): Promise<void>;
  /** Restarts the connector and all its tasks, failed or not. */
  restartAll(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Restarts one task, or with `null` the connector's own instance and none of its tasks. Absent where the server
   * restarts nothing smaller than a connector.
   */
  restartOne?(name: string, task: number | null, signal?: AbortSignal): Promise<void>;
  /** Returns once the connector and its tasks are seen paused. */
  pause(name: string, signal?: AbortSignal): Promise<void>;
  /** Returns once the connector is seen stopped, without tasks. Absent where the server cannot stop one. */
  stop?(name: string, signal?: AbortSignal): Promise<void>;
  /** Returns once the connector is no longer seen paused or stopped; it may still be starting. */
  resume(name: string, signal?: AbortSignal): Promise<void>;
  /** Where the connector goes on reading, for each partition it has committed. */
  offsets(name: string, signal?: AbortSignal): Promise<readonly PartitionOffset[]>;
  /**
   * Moves the connector to other offsets; partitions that are not named stay where they are. Kafka Connect
   * demands that the connector is STOPPED, Confluent Cloud stops it for the moment by itself.
   */
  alterOffsets(name: string, offsets: readonly PartitionOffset[], signal?: AbortSignal): Promise<void>;
  /** Forgets every offset, so that `auto.offset.reset` decides. The demand is that of `alterOffsets`. */
  resetOffsets(name: string, signal?: AbortSignal): Promise<void>;
  /** Succeeds also where the connector is already gone. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
}

/** How fast a kind of server is, and how often it likes to be asked. */
export interface Pace {
  pollIntervalMs: number;
  /** For how long a written configuration may read back as the one before. */
  readBackTimeoutMs: number;
  /** How long all tasks together may take to run after a write. */
  startTimeoutMs: number;
  /** For how long a state must last before it is believed. */
  settleMs: number;
}

export interface ConnectorPlugin {
  class: string;
  /** Null where the plugin does not say. */
  version: string | null;
}

/**
 * What a connector or a task does. PROVISIONING and DEGRADED (some tasks have failed) are Confluent Cloud's;
 * UNASSIGNED, STOPPED and RESTARTING are Kafka Connect's.
 */
export const runStates = [
  'UNASSIGNED',
  'PROVISIONING',
  'RUNNING',
  'PAUSED',
  'STOPPED',
  'DEGRADED',
  'FAILED',
  'RESTARTING',
] as const;
export type RunState = (typeof runStates)[number];

export interface LiveConnector {
  name: string;
  /** Without the keys the server adds by itself, so that it can be compared with what was declared. */
  config: ConnectorConfig;
  /** Null for the moment between a create and its first status. */
  state: RunState | null;
  /** Why the connector itself failed: a Java stack trace, or the server's sentence. */
  trace: string | null;
  tasks: readonly LiveTask[];
  /** The consumer group that commits its offsets; null where the server did not say. */
  consumerGroup: string | null;
}

export interface LiveTask {
  id: number;
  state: RunState;
  workerId: string;
  /** A task in RESTARTING still carries the trace of the failure before. */
  trace: string | null;
}

/** The offset of the record that a sink connector reads next. */
export interface PartitionOffset {
  topic: string;
  partition: number;
  offset: number;
}
