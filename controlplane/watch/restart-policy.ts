import type { CauseClass } from '../trace-causes.ts';
import type { ClickHouseState } from '../probe-clickhouse.ts';

/** What can be restarted by itself: a task, or with `null` the connector's own instance. */
export interface Unit {
  connector: string;
  task: number | null;
}

/** What was seen of a unit. */
export interface UnitReport extends Unit {
  /** `changing`: neither failed nor running, such as RESTARTING or PAUSED. */
  condition: 'failed' | 'running' | 'changing';
  /** Null unless failed. */
  cause: CauseClass | null;
  /** Tasks that one restart of it restarts: above 1 only where a server restarts nothing smaller than a connector. */
  weight: number;
}

export interface RestartLimits {
  /** Ceiling of the first pause; doubles with every restart of the unit, and the pause is drawn below it. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** Between two restarts of a unit in any case: for a moment it still shows the failure of before. */
  settleMs: number;
  /** Restarts of one unit within `windowMs`; then it is held. A connector's cap is this times its tasks. */
  restartsPerUnit: number;
  windowMs: number;
  /** The fleet's budget: restarts within any minute, over all connectors. */
  fleetPerMinute: number;
  /** A unit that ran for so long has a clean record again. */
  stableMs: number;
}

export const defaultRestartLimits: RestartLimits = {
  baseDelayMs: 1000,
  maxDelayMs: 300_000,
  settleMs: 3000,
  restartsPerUnit: 8,
  windowMs: 3_600_000,
  fleetPerMinute: 30,
  stableMs: 600_000,
};

/** What becomes of a failed unit. A unit that has not failed gets no decision. */
export type Decision = Unit & { cause: CauseClass } & (
    | { action: 'restart' }
    /** `untilMs` is null where an event is waited for and not a time. */
    | { action: 'wait'; untilMs: number | null; reason: string }
    | { action: 'hold'; reason: string }
  );

interface UnitRecord {
  /** When it was restarted, ascending, within the window. */
  restarts: number[];
  /** When the next restart may be; null until one is drawn. */
  dueAt: number | null;
  runningSince: number | null;
}

/** All the policy remembers, as JSON. Its times are those of its own clock. */
export interface PolicyState {
  clockMs: number;
  /** What the caller's clock said at the last decision; null before the first. */
  seenAt: number | null;
  /** Restarts of the last minute, one entry for each task. */
  fleetRestarts: number[];
  /** Whether ClickHouse kept restarts waiting at the last decision. */
  waitsForClickHouse: boolean;
  units: Record<string, UnitRecord>;
}

export const initialPolicyState: PolicyState = {
  clockMs: 0,
  seenAt: null,
  fleetRestarts: [],
  waitsForClickHouse: false,
  units: {},
};

export interface PolicyInput {
  /** Milliseconds of any clock; only its differences count. */
  at: number;
  reports: readonly UnitReport[];
  clickhouse: ClickHouseState['state'];
  /** From 0 to below 1. */
  random: () => number;
}

const minuteMs = 60_000;
/** After an outage, restarts are spread by this much for each unit that waited. */
const spreadPerUnitMs = 200;

/** Causes that a restart does not cure: the unit is left as it is until somebody has dealt with them. */
const heldCauses: ReadonlySet<CauseClass> = new Set([
  'authentication',
  'configuration',
  'schema-mismatch',
  'poison-record',
]);

/**
 * Decides for every failed unit whether it is restarted now, later or not at all. Pure: the same state and input
 * give the same decisions, and what it returns has to be passed in the next time.
 *
 * - Only what has failed is restarted, after an exponential backoff with full jitter.
 * - A unit has a cap within a window, the fleet a budget for any minute; those restarted least come first.
 * - A cause that a restart does not cure holds the unit.
 * - While ClickHouse cannot take rows nothing is restarted; afterwards restarts are spread.
 * - The clock never goes backwards here, and by no more than a minute at once: a clock that jumps cannot refill
 *   the budget.
 */
export function decideRestarts(
  state: PolicyState,
  { at, reports, clickhouse, random }: PolicyInput,
  limits: RestartLimits = defaultRestartLimits,
): { state: PolicyState; decisions: Decision[] } {
  const now = state.clockMs + elapsedSince(state.seenAt, at);
  const fleetRestarts = state.fleetRestarts.filter((time) => now - time < minuteMs);
  const units = pruneRecords(state.units, now, limits);
  for (const report of reports) noteCondition(units, report, now, limits);

  const isReady = clickhouse === 'ready';
  const failed = reports.filter((report) => report.condition === 'failed');
  const spreadMs = state.waitsForClickHouse ? Math.min(minuteMs, failed.length * spreadPerUnitMs) : 0;
  const decisions: Decision[] = [];
  const due: { report: UnitReport; record: UnitRecord; dueAt: number }[] = [];
  for (const report of failed) {
    const record = (units[unitKey(report)] ??= { restarts: [], dueAt: null, runningSince: null });
    const held = holdReason(report, record, limits);
    if (held !== null || !isReady) {
      record.dueAt = null;
      decisions.push(
        held === null
          ? wait(report, null, waitReasons[clickhouse])
          : { ...nameOf(report), action: 'hold', reason: held },
      );
      continue;
    }
    record.dueAt ??= drawDueTime(record, { now, random, limits }) + random() * spreadMs;
    if (now < record.dueAt) decisions.push(wait(report, record.dueAt, 'backing off'));
    else due.push({ report, record, dueAt: record.dueAt });
  }

  due.sort((a, b) => a.record.restarts.length - b.record.restarts.length || a.dueAt - b.dueAt);
  for (const { report, record } of due) {
    // What is heavier than the whole budget goes alone, or it would never go.
    const fits = fleetRestarts.length === 0 || fleetRestarts.length + report.weight <= limits.fleetPerMinute;
    if (!fits) {
      const untilMs = (fleetRestarts[0] ?? now) + minuteMs;
      decisions.push(
        wait(
          report,
          untilMs,
          `the fleet's budget of ${String(limits.fleetPerMinute)} restarts a minute is used up`,
        ),
      );
      continue;
    }
    for (let task = 0; task < report.weight; task += 1) fleetRestarts.push(now);
    record.restarts.push(now);
    record.dueAt = null;
    decisions.push({ ...nameOf(report), action: 'restart' });
  }
  const waitsForClickHouse = !isReady && failed.length > 0;
  return { state: { clockMs: now, seenAt: at, fleetRestarts, waitsForClickHouse, units }, decisions };
}

/**
 * Says how long the restarts of the last decision took to carry out. The budget counts them from their end on: a minute
 * from when they were decided would be less than a minute from when they happened.
 */
export function noteCarriedOut(state: PolicyState, tookMs: number): PolicyState {
  const fleetRestarts = state.fleetRestarts.map((time) => (time === state.clockMs ? time + tookMs : time));
  return { ...state, fleetRestarts };
}

/** How many restarts within the window a unit has had. */
export function restartsOf(state: PolicyState, unit: Unit): number {
  return state.units[unitKey(unit)]?.restarts.length ?? 0;
}

function elapsedSince(seenAt: number | null, at: number): number {
  const elapsed = at - (seenAt ?? at);
  return Number.isFinite(elapsed) ? Math.min(Math.max(elapsed, 0), minuteMs) : 0;
}

/** A copy without what lies outside the window; a record that remembers nothing is dropped. */
function pruneRecords(
  units: PolicyState['units'],
  now: number,
  { windowMs }: RestartLimits,
): Record<string, UnitRecord> {
  return Object.fromEntries(
    Object.entries(units).flatMap(([key, record]) => {
      const restarts = record.restarts.filter((time) => now - time < windowMs);
      return restarts.length === 0 && record.dueAt === null ? [] : [[key, { ...record, restarts }]];
    }),
  );
}

/** A unit that is not failed needs no next restart; one that ran long enough starts over. */
function noteCondition(
  units: Record<string, UnitRecord>,
  report: UnitReport,
  now: number,
  { stableMs }: RestartLimits,
): void {
  const key = unitKey(report);
  const record = units[key];
  if (record === undefined) return;
  record.runningSince = report.condition === 'running' ? (record.runningSince ?? now) : null;
  if (report.condition !== 'failed') record.dueAt = null;
  if (record.runningSince !== null && now - record.runningSince >= stableMs)
    Reflect.deleteProperty(units, key);
}

function holdReason(
  { cause }: UnitReport,
  { restarts }: UnitRecord,
  { restartsPerUnit, windowMs }: RestartLimits,
): string | null {
  if (cause !== null && heldCauses.has(cause)) return 'a restart does not cure it';
  if (restarts.length < restartsPerUnit) return null;
  return `restarted ${String(restarts.length)} times within ${String(Math.round(windowMs / minuteMs))} minutes`;
}

function drawDueTime(
  { restarts }: UnitRecord,
  { now, random, limits }: { now: number; random: () => number; limits: RestartLimits },
): number {
  const ceiling = Math.min(limits.maxDelayMs, limits.baseDelayMs * 2 ** restarts.length);
  const settled = (restarts.at(-1) ?? -Infinity) + limits.settleMs;
  return Math.max(now, settled) + random() * ceiling;
}

const waitReasons: Readonly<Record<ClickHouseState['state'], string>> = {
  ready: '',
  unknown: 'ClickHouse has not been asked yet',
  unreachable: 'ClickHouse does not answer',
  refused: 'ClickHouse refuses the login',
  unprepared: 'ClickHouse has no tables',
  overloaded: 'ClickHouse has no room',
};

function wait(report: UnitReport, untilMs: number | null, reason: string): Decision {
  return { ...nameOf(report), action: 'wait', untilMs, reason };
}

function nameOf({ connector, task, cause }: UnitReport) {
  return { connector, task, cause: cause ?? 'unknown' } as const;
}

function unitKey({ connector, task }: Unit): string {
  return task === null ? connector : `${connector}/${String(task)}`;
}
