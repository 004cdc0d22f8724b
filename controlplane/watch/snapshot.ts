import type { ClickHouseState } from '../probe-clickhouse.ts';
import type { WatchedConnector } from './assess-fleet.ts';
import type { Drift } from './drift.ts';
import type { JournalEntry } from './journal.ts';
import type { Observation } from './observe.ts';
import type { Decision } from './restart-policy.ts';

/** All a page or a script needs to know at one moment, and the last hour of it. Nothing in it is secret. */
export interface Snapshot {
  /** Time of day, ISO 8601 in UTC. */
  at: string;
  target: string;
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
  drift: Drift;
  /** Since the newest row of each topic landed. */
  freshness: readonly { topic: string; ageMs: number }[];
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

/** One moment of the last hour. Rates are differences of two points. */
export interface HistoryPoint {
  /** Time of day, milliseconds. */
  atMs: number;
  topics: Readonly<Record<string, TopicPoint>>;
}

export interface TopicPoint {
  /** Offsets given out so far, summed over partitions: its growth is what was produced. */
  produced: number;
  lag: number;
  /** Null where nothing has landed yet. */
  freshnessMs: number | null;
}

const historyIntervalMs = 10_000;
const historyLength = 360;

/** Keeps the last hour in steps of ten seconds: enough to draw, little enough to keep. */
export function createHistory(): {
  /** @param at of the steady clock: setting the time of day makes neither gaps nor crowds */
  add(at: number, wallMs: number, observation: Observation): void;
  points(): readonly HistoryPoint[];
} {
  const points: HistoryPoint[] = [];
  let lastAt = -Infinity;
  return {
    add: (at, wallMs, observation) => {
      if (at - lastAt < historyIntervalMs || observation.progress.value === null) return;
      lastAt = at;
      points.push({ atMs: wallMs, topics: topicPoints(observation) });
      if (points.length > historyLength) points.shift();
    },
    points: () => points,
  };
}

function topicPoints({ progress, freshnessMs }: Observation): Record<string, TopicPoint> {
  const topics: Record<string, TopicPoint> = {};
  for (const { partitions } of progress.value?.values() ?? []) {
    for (const { topic, end, lag } of partitions) {
      const point = topics[topic] ?? { produced: 0, lag: 0, freshnessMs: freshnessMs.get(topic) ?? null };
      topics[topic] = { ...point, produced: point.produced + end, lag: point.lag + lag };
    }
  }
  return topics;
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
