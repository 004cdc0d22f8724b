import type { Verdict } from '../health.ts';
import type { WatchedConnector } from './assess-fleet.ts';
import type { Observation } from './observe.ts';

/** One moment of the last hour. Rates are differences of two points. */
export interface HistoryPoint {
  /** Time of day, milliseconds. */
  atMs: number;
  /** Empty while Kafka did not answer. */
  topics: Readonly<Record<string, TopicPoint>>;
  /** The worst verdict of each connector since the point before; empty while Kafka Connect did not answer. */
  verdicts: Readonly<Record<string, Verdict>>;
}

export interface TopicPoint {
  /** Offsets given out so far, summed over partitions: its growth is what was produced. */
  produced: number;
  lag: number;
  /** Null where nothing has landed yet, or ClickHouse did not answer. */
  freshnessMs: number | null;
  /** Rows that reached its table so far, redelivered ones included. Null like `freshnessMs`. */
  landed: number | null;
}

export interface History {
  /**
   * To be called at each look: what came and went between two points is in the second one.
   *
   * @param at of the steady clock: setting the time of day makes neither gaps nor crowds
   * @param connectors undefined where they could not be seen
   */
  add(
    at: number,
    wallMs: number,
    observation: Observation,
    connectors: readonly Pick<WatchedConnector, 'name' | 'verdict'>[] | undefined,
  ): void;
  /** Oldest first. */
  points(): readonly HistoryPoint[];
}

const intervalMs = 10_000;
const length = 360;

/** Keeps the last hour in steps of ten seconds: enough to draw, little enough to keep. */
export function createHistory(): History {
  const points: HistoryPoint[] = [];
  let lastAt = -Infinity;
  let worst: Record<string, Verdict> = {};
  return {
    add: (at, wallMs, observation, connectors = []) => {
      for (const { name, verdict } of connectors) worst[name] = worseOf(worst[name], verdict);
      if (at - lastAt < intervalMs) return;
      lastAt = at;
      points.push({ atMs: wallMs, topics: topicPoints(observation), verdicts: worst });
      if (points.length > length) points.shift();
      worst = {};
    },
    points: () => points,
  };
}

/** The worst last. */
const severity: readonly Verdict[] = [
  'healthy',
  'paused',
  'stopped',
  'starting',
  'dead-letters',
  'unassigned',
  'stalled',
  'degraded',
  'missing',
  'failed',
];

function worseOf(one: Verdict | undefined, other: Verdict): Verdict {
  return one !== undefined && severity.indexOf(one) > severity.indexOf(other) ? one : other;
}

function topicPoints({ progress, freshnessMs, landedRows }: Observation): Record<string, TopicPoint> {
  const topics: Record<string, TopicPoint> = {};
  for (const { partitions } of progress.value?.values() ?? []) {
    for (const { topic, end, lag } of partitions) {
      const point = (topics[topic] ??= {
        produced: 0,
        lag: 0,
        freshnessMs: freshnessMs.get(topic) ?? null,
        landed: landedRows.get(topic) ?? null,
      });
      point.produced += end;
      point.lag += lag;
    }
  }
  return topics;
}
