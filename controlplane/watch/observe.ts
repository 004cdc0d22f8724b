import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { withDeadline } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Target } from '../../targets/load-target.ts';
import type { Declaration } from '../connector-config.ts';
import type { ConnectorService, LiveConnector } from '../connector-service.ts';
import { readProgress, type Progress } from '../consumer-lag.ts';
import { probeClickHouse, type ClickHouseState } from '../probe-clickhouse.ts';
import { progressQuery } from '../status.ts';
import type { KafkaLink } from './kafka-link.ts';

/** One look at everything. What could not be seen carries the reason; nothing is made up for it. */
export interface Observation {
  /** By name. */
  connectors: Seen<ReadonlyMap<string, LiveConnector>>;
  /** By the connector's name. */
  progress: Seen<ReadonlyMap<string, Progress>>;
  clickhouse: ClickHouseState;
  /** Milliseconds since the newest row landed, by topic; empty where the ledger could not be read. */
  freshnessMs: ReadonlyMap<string, number>;
  /** Rows that landed so far, redelivered ones included; like `freshnessMs`. */
  landedRows: ReadonlyMap<string, number>;
}

export type Seen<T> = { value: T; error: null } | { value: null; error: string };

export interface ObserveOptions {
  target: Target;
  service: ConnectorService;
  clickhouse: ClickHouse;
  kafka: KafkaLink;
  declarations: readonly Declaration[];
  /** For each server; one that has not answered by then is taken for away. */
  deadlineMs: number;
  signal: AbortSignal;
}

/** The pool the watcher keeps: short deadlines, because the next look comes soon. */
export function createProbeClient(target: Target, deadlineMs: number): ClickHouse {
  // The database of the target may not exist yet; this one always does.
  return createClickHouse(target, { database: 'system', requestTimeoutMs: deadlineMs });
}

/**
 * Asks all servers at once, each with a deadline. Throws only when interrupted: whatever else a server does, or a
 * client makes of it, becomes the reason why it was not seen.
 */
export async function observe(options: ObserveOptions): Promise<Observation> {
  const { target, service, clickhouse, kafka, declarations, deadlineMs, signal } = options;
  const { database } = target.clickhouse;
  const look = <T>(what: string, work: (signal: AbortSignal) => Promise<T>) =>
    see({ what, deadlineMs, signal }, work);
  const connectors = look('Kafka Connect', (within) => service.list(within));
  const [live, progress, state, landings] = await Promise.all([
    connectors,
    connectors.then(({ value }) =>
      look('Kafka', () => progressByName(kafka, declarations, value ?? new Map<string, LiveConnector>())),
    ),
    look('ClickHouse', (within) => probeClickHouse(clickhouse, database, within)),
    look('ClickHouse', (within) => readLandings(clickhouse, database, within)),
  ]);
  return {
    connectors: live,
    progress,
    clickhouse: state.value ?? { state: 'unreachable', reason: state.error },
    freshnessMs: new Map(landings.value?.map(({ topic, ageMs }) => [topic, ageMs])),
    landedRows: new Map(landings.value?.map(({ topic, rows }) => [topic, rows])),
  };
}

async function progressByName(
  kafka: KafkaLink,
  declarations: readonly Declaration[],
  live: ReadonlyMap<string, LiveConnector>,
): Promise<Map<string, Progress>> {
  const queries = declarations.map((declaration) => progressQuery(declaration, live.get(declaration.name)));
  const progress = await kafka.use((admin) => readProgress(admin, queries));
  return new Map(
    declarations.flatMap(({ name }, index) => {
      const one = progress[index];
      return one === undefined ? [] : [[name, one]];
    }),
  );
}

/** From the ledger, which says what landed of each topic and when: no raw table has to be read for it. */
async function readLandings(
  clickhouse: ClickHouse,
  database: string,
  signal: AbortSignal,
): Promise<{ topic: string; ageMs: number; rows: number }[]> {
  const landings = await clickhouse.query(
    `SELECT topic, dateDiff('millisecond', max(last_landed_at), now64(3, 'UTC')) AS age, sum(rows) AS landed
     FROM {database:Identifier}.ledger GROUP BY topic`,
    { params: { database }, signal },
  );
  return landings.map((row) => ({
    topic: String(row['topic']),
    ageMs: Math.max(0, Number(row['age'])),
    rows: Number(row['landed']),
  }));
}

/** What it answers, or why it did not. */
async function see<T>(
  limits: Parameters<typeof withDeadline>[0],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Seen<T>> {
  try {
    return { value: await withDeadline(limits, work), error: null };
  } catch (error) {
    if (limits.signal.aborted) throw error;
    return { value: null, error: messageOf(error) };
  }
}
