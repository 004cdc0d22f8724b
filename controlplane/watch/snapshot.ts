import type { ClickHouseState } from '../probe-clickhouse.ts';
import type { Accounts } from './accounting.ts';
import type { WatchedConnector } from './assess-fleet.ts';
import type { Drift } from './drift.ts';
import type { HistoryPoint } from './history.ts';
import type { JournalEntry } from './journal.ts';
import type { Observation } from './observe.ts';
import type { Decision } from './restart-policy.ts';

/** All a page or a script needs to know at one moment, and the last hour of it. Nothing in it is secret. */
export interface Snapshot {
  /** Time of day, ISO 8601 in UTC. */
  at: string;
  target: string;
  /** From one look to the next; a snapshot that is much older than that is stale. */
  intervalMs: number;
  servers: {
    connect: ServerState;
    kafka: ServerState;
    clickhouse: ServerState & { state: ClickHouseState['state'] };
  };
  /** As of the last look at which Kafka Connect answered. */
  connectors: readonly WatchedConnector[];
  /** Time of day of that look; null before the first. */
  connectorsSeenAt: string | null;
  decisions: readonly Decision[];
  /** The fleet's restarts within the last minute, and how many there may be. */
  budget: { used: number; perMinute: number };
  drift: Drift;
  /** Since the newest row of each topic landed, and how many rows have landed so far. */
  freshness: readonly { topic: string; ageMs: number; rows: number }[];
  /** What became of the records, topic by topic; null where nobody keeps account. */
  accounts: Accounts | null;
  /** The newest actions and changes, oldest first. */
  journal: readonly JournalEntry[];
  /** How each topic went, oldest first. */
  history: readonly HistoryPoint[];
}

export interface ServerState {
  isUp: boolean;
  /** Why not; null while it is up. */
  reason: string | null;
}

/** What an observation says of the servers. */
export function serversOf({ connectors, progress, clickhouse }: Observation): Snapshot['servers'] {
  return {
    connect: { isUp: connectors.error === null, reason: connectors.error },
    kafka: { isUp: progress.error === null, reason: progress.error },
    clickhouse: {
      isUp: clickhouse.state !== 'unreachable' && clickhouse.state !== 'unknown',
      reason: clickhouse.reason,
      state: clickhouse.state,
    },
  };
}
