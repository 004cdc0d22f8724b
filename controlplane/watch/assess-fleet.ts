import { tablesByTopic, topicsOf, type Declaration } from '../connector-config.ts';
import type { LiveConnector } from '../connector-service.ts';
import { unknownProgress, type PartitionProgress } from '../consumer-lag.ts';
import { causeOfTrace, type HealthLimits } from '../health.ts';
import type { ClickHouseState } from '../probe-clickhouse.ts';
import { emptyMemory, remember, type ConnectorMemory } from '../progress-memory.ts';
import { describeConnector, type ConnectorStatus } from '../status.ts';
import type { Observation } from './observe.ts';
import type { UnitReport } from './restart-policy.ts';

/** A connector as the watcher shows it. Nothing in it is secret. */
export interface WatchedConnector extends ConnectorStatus {
  /** Where the records of each topic go. */
  routes: readonly { topic: string; table: string }[];
  partitions: readonly PartitionProgress[];
}

export interface FleetAssessment {
  connectors: WatchedConnector[];
  /** What the restart policy is asked about. */
  reports: UnitReport[];
  memories: Record<string, ConnectorMemory>;
}

export interface AssessInput {
  declarations: readonly Declaration[];
  live: ReadonlyMap<string, LiveConnector>;
  observation: Observation;
  memories: Readonly<Record<string, ConnectorMemory>>;
  /** Of the steady clock. */
  at: number;
  limits: HealthLimits;
  /** False where the server restarts nothing smaller than a connector. */
  restartsTasks: boolean;
}

/** Judges every declared connector. Pure; connectors that nobody declares are not looked at. */
export function assessFleet(input: AssessInput): FleetAssessment {
  const { declarations, live, observation, at, limits, restartsTasks } = input;
  const { progress, clickhouse } = observation;
  const memories: Record<string, ConnectorMemory> = {};
  const connectors: WatchedConnector[] = [];
  const reports: UnitReport[] = [];
  for (const declaration of declarations) {
    const { name } = declaration;
    const connector = live.get(name);
    const own = progress.value?.get(name) ?? null;
    const known = remember(input.memories[name] ?? emptyMemory, connector, own, at);
    memories[name] = known.memory;
    const circumstances = { trend: known.trend, clickhouse };
    const described = describeConnector(
      declaration,
      connector,
      own ?? unknownProgress,
      circumstances,
      limits,
    );
    const routes = routesOf({ config: connector?.config ?? declaration.config });
    connectors.push({ ...described, routes, partitions: own?.partitions ?? [] });
    if (connector !== undefined) reports.push(...reportUnits(connector, clickhouse, restartsTasks));
  }
  return { connectors, reports, memories };
}

/** A topic that the map leaves out goes into the table of its own name. */
function routesOf(connector: Pick<Declaration, 'config'>): WatchedConnector['routes'] {
  const tables = tablesByTopic(connector);
  return topicsOf(connector).map((topic) => ({ topic, table: tables.get(topic) ?? topic }));
}

/** What can be restarted of a connector. Nothing of one that somebody has paused or stopped. */
function reportUnits(live: LiveConnector, clickhouse: ClickHouseState, restartsTasks: boolean): UnitReport[] {
  const isIntended = live.state === 'PAUSED' || live.state === 'STOPPED';
  const own = { task: null, state: live.state, trace: live.trace };
  const tasks = live.tasks.map(({ id, state, trace }) => ({ task: id, state, trace }));
  const units = [own, ...tasks].map(({ task, state, trace }): UnitReport => {
    const isFailed = state === 'FAILED' || state === 'DEGRADED';
    const condition = isIntended
      ? 'changing'
      : isFailed
        ? 'failed'
        : state === 'RUNNING'
          ? 'running'
          : 'changing';
    const cause = condition === 'failed' ? causeOfTrace(trace, clickhouse) : null;
    return { connector: live.name, task, condition, cause, weight: 1 };
  });
  return restartsTasks ? units : [wholeOf(live.name, units)];
}

/** A connector that can only be restarted as a whole: a cause that holds one task holds all of it. */
function wholeOf(connector: string, units: readonly UnitReport[]): UnitReport {
  const failed = units.filter(({ condition }) => condition === 'failed');
  const [first] = failed;
  if (first === undefined) {
    const isRunning = units.every(({ condition }) => condition === 'running');
    return { connector, task: null, condition: isRunning ? 'running' : 'changing', cause: null, weight: 1 };
  }
  // The connector's own state repeats its tasks' and says less about why.
  const told = failed.find(({ task }) => task !== null) ?? first;
  return { ...told, task: null, weight: Math.max(1, failed.filter(({ task }) => task !== null).length) };
}
