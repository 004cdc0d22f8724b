import path from 'node:path';
import { withDeadline } from '../../core/deadline.ts';
import { InterruptedError, messageOf } from '../../core/errors.ts';
import type { Home } from '../../core/home.ts';
import { sleep } from '../../core/wait.ts';
import type { Declaration } from '../connector-config.ts';
import type { ConnectorService } from '../connector-service.ts';
import { readDeclarations } from '../declarations.ts';
import { serviceOf, type FleetOptions } from '../fleet.ts';
import { createMask, secretsWithin, type Mask } from '../secrets.ts';
import { liveSecrets } from '../status.ts';
import type { Accountant } from './accounting.ts';
import { assessFleet, type WatchedConnector } from './assess-fleet.ts';
import { createNarrator } from './narrate.ts';
import { checkDrift, driftUnknown } from './drift.ts';
import { createHistory } from './history.ts';
import { findIncidents, isHidden } from './incidents.ts';
import { createKafkaLink } from './kafka-link.ts';
import { createJournal, type Journal, type JournalEntry } from './journal.ts';
import type { WatchMetrics } from './metrics.ts';
import { decideNotices, defaultNoticeLimits, type Notice, type NoticeLimits } from './notices.ts';
import { createProbeClient, observe, type Observation } from './observe.ts';
import { trackRecoveries } from './recoveries.ts';
import { restartUnits } from './restart-units.ts';
import { decideRestarts, noteCarriedOut, type Decision } from './restart-policy.ts';
import { secretsOf, type WatchSettings } from './settings.ts';
import { serversOf, type Snapshot } from './snapshot.ts';
import { initialWatchState, loadState, saveState, type WatchState } from './state-file.ts';
import { createSteadyClock } from './steady-clock.ts';

export interface SupervisorOptions extends Omit<FleetOptions, 'signal'> {
  settings: WatchSettings;
  home: Home;
  /** Restores what differs from the declarations; otherwise it is only reported. */
  reconcile: boolean;
  metrics: WatchMetrics;
  /** Default: nobody reconciles. */
  accountant?: Accountant;
  /** Called with each entry of the journal. */
  log: (entry: JournalEntry) => void;
  notify: (notice: Notice) => void;
  notices?: NoticeLimits;
  /** From 0 to below 1. Default: Math.random. */
  random?: () => number;
  /** How the servers are asked. Default: over the network. */
  observeWith?: typeof observe;
  /** Milliseconds that never go back. Default: the machine's monotonic clock, from where the watcher before was. */
  clock?: () => number;
}

export interface Supervisor {
  /** Looks at everything once, decides and acts. Throws only when `signal` aborts. */
  look(signal: AbortSignal): Promise<Snapshot>;
  /** Looks again and again until `signal` aborts, then returns. One look ends before the next begins. */
  run(signal: AbortSignal): Promise<void>;
  /** Of the last look; undefined before the first. */
  snapshot(): Snapshot | undefined;
  journal: Journal;
  close(): Promise<void>;
}

/** For one server at one look. Reads answer within a second; a restart may wait for a rebalance. */
const readDeadlineMs = 10_000;
const restartDeadlineMs = 20_000;
const driftIntervalMs = 30_000;
/** A comparison with the declarations asks several servers one after another. */
const driftDeadlineMs = 60_000;

/** Where the watcher of a target keeps its memory. */
export function stateFileOf(home: Home, targetName: string): string {
  return path.join(home.root, 'watch', `${targetName}.json`);
}

/**
 * Watches the declared connectors of one target. What it knows is in three places: the state, which outlives the
 * process; the history and the journal, which are only shown; the servers, which are asked anew at every look.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { target, settings, home, reconcile, metrics, accountant, log, notify, folder } = options;
  const {
    notices: noticeLimits = defaultNoticeLimits,
    random = Math.random,
    observeWith = observe,
  } = options;
  const service: ConnectorService = serviceOf(options);
  const clickhouse = createProbeClient(target, readDeadlineMs);
  const kafka = createKafkaLink(target);
  const stateFile = stateFileOf(home, target.name);
  const fixedSecrets = [...secretsWithin(target), ...secretsOf(settings)];
  let mask: Mask = createMask(fixedSecrets);
  const journal = createJournal(log, () => mask);
  const narrate = createNarrator(journal);
  const history = createHistory();

  let state = openState(stateFile, journal);
  const clock = options.clock ?? createSteadyClock(state.clock);
  // Without any there is nothing to watch; later, a mistake in one must not end the watch.
  let declarations: readonly Declaration[] = readDeclarations(folder);
  let seen: { connectors: readonly WatchedConnector[]; at: string | null } = { connectors: [], at: null };
  let drift = driftUnknown;
  let driftDueAt = 0;
  let latest: Snapshot | undefined;

  /** A declaration that cannot be read any more is somebody's edit in progress: the ones before stay in force. */
  const reloadDeclarations = () => {
    try {
      declarations = readDeclarations(folder);
      narrate.declarations(null);
    } catch (error) {
      narrate.declarations(messageOf(error));
    }
  };

  const assess = async (observation: Observation, at: number, signal: AbortSignal): Promise<Decision[]> => {
    const live = observation.connectors.value;
    if (live === null) return [];
    mask = createMask([
      ...fixedSecrets,
      ...declarations.flatMap((declaration) => liveSecrets(declaration, live.get(declaration.name))),
    ]);
    const restartsTasks = service.restartOne !== undefined;
    const { memories } = state;
    const fleet = assessFleet({
      declarations,
      live,
      observation,
      memories,
      at,
      limits: settings.health,
      restartsTasks,
    });
    seen = { connectors: fleet.connectors, at: new Date().toISOString() };
    const decided = decideRestarts(
      state.policy,
      { at, reports: fleet.reports, clickhouse: observation.clickhouse.state, random },
      settings.restarts,
    );
    // Written down before it is done: a watcher that dies in between has spent the budget, not exceeded it.
    state = { ...state, policy: decided.state, memories: fleet.memories };
    narrate.connectors(fleet.connectors, decided.decisions);
    const { recovering, recovered } = trackRecoveries(
      state.recovering,
      fleet.connectors,
      at,
      noticeLimits.quietMs,
    );
    state = { ...state, recovering };
    for (const { name, afterMs } of recovered) {
      metrics.observeRecovery(name, afterMs / 1000);
      narrate.recovery(name, afterMs);
    }
    if (decided.decisions.some(({ action }) => action === 'restart')) persist(at);
    await restartUnits(decided.decisions, {
      service,
      journal,
      metrics,
      deadlineMs: restartDeadlineMs,
      signal,
    });
    state = { ...state, policy: noteCarriedOut(state.policy, Math.max(0, clock() - at)) };
    return decided.decisions;
  };

  const compare = async (observation: Observation, at: number, signal: AbortSignal) => {
    if (observation.connectors.value === null || at < driftDueAt) return;
    const limits = { what: 'The comparison', deadlineMs: driftDeadlineMs, signal };
    const checked = await withDeadline(limits, (within) =>
      checkDrift({ ...options, service, signal: within }, { reconcile }),
    ).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return { drift: { ...driftUnknown, error: messageOf(error) }, restored: [] };
    });
    drift = { ...checked.drift, error: checked.drift.error === null ? null : mask(checked.drift.error) };
    narrate.drift(drift, checked.restored);
    driftDueAt = at + driftIntervalMs;
  };

  const persist = (at: number) => {
    state = { ...state, clock: { steadyMs: at, wallMs: Date.now() } };
    try {
      saveState(stateFile, state);
      narrate.stateFile(null);
    } catch (error) {
      // A full disk must not end the restarts; what is lost is what a next process would have remembered.
      narrate.stateFile(messageOf(error));
    }
  };

  const look = async (signal: AbortSignal): Promise<Snapshot> => {
    reloadDeclarations();
    const at = clock();
    const observation = await observeWith({
      target,
      service,
      clickhouse,
      kafka,
      declarations,
      deadlineMs: readDeadlineMs,
      signal,
    });
    const servers = serversOf(observation);
    narrate.servers(servers);
    const decisions = await assess(observation, at, signal);
    await compare(observation, at, signal);

    const isSeen = observation.connectors.value !== null;
    const incidents = findIncidents(observation, isSeen ? seen.connectors : [], decisions);
    const wallMs = Date.now();
    const told = decideNotices(
      state.incidents,
      incidents,
      { at, wallMs, isHidden: (incident) => isHidden(incident, observation) },
      noticeLimits,
    );
    state = { ...state, incidents: told.open };
    for (const notice of told.notices) {
      const hidden = { ...notice, reason: mask(notice.reason) };
      narrate.notice(hidden);
      notify(hidden);
    }

    accountant?.keepUp(at, signal);
    const accounts = accountant?.accounts() ?? null;
    history.add(at, wallMs, observation, isSeen ? seen.connectors : undefined);
    persist(at);
    latest = {
      at: new Date(wallMs).toISOString(),
      target: target.name,
      intervalMs: Math.max(settings.intervalMs, service.pace.pollIntervalMs),
      servers,
      connectors: seen.connectors,
      connectorsSeenAt: seen.at,
      decisions,
      budget: { used: state.policy.fleetRestarts.length, perMinute: settings.restarts.fleetPerMinute },
      drift,
      freshness: [...observation.freshnessMs].map(([topic, ageMs]) => ({
        topic,
        ageMs,
        rows: observation.landedRows.get(topic) ?? 0,
      })),
      accounts: accounts && { ...accounts, error: accounts.error && mask(accounts.error) },
      journal: journal.entries(),
      history: history.points(),
    };
    metrics.update(latest);
    narrate.failedLook(null);
    return latest;
  };

  const lookTimed = async (signal: AbortSignal): Promise<Snapshot> => {
    const startedAt = performance.now();
    let outcome: 'done' | 'failed' = 'failed';
    try {
      const snapshot = await look(signal);
      outcome = 'done';
      return snapshot;
    } finally {
      metrics.observeLoop((performance.now() - startedAt) / 1000, outcome);
    }
  };

  return {
    journal,
    snapshot: () => latest,
    look: lookTimed,
    run: async (signal) => {
      const isOver = () => signal.aborted;
      while (!isOver()) {
        const startedAt = performance.now();
        try {
          await lookTimed(signal);
        } catch (error) {
          if (isOver()) return;
          // Whatever it was, the next look is a new chance; ending here would leave nobody watching.
          narrate.failedLook(messageOf(error));
        }
        // A service with a rate limit says how often it likes to be asked.
        const intervalMs = Math.max(settings.intervalMs, service.pace.pollIntervalMs);
        const pauseMs = Math.max(0, intervalMs - (performance.now() - startedAt));
        await sleep(pauseMs, signal).catch((error: unknown) => {
          if (!(error instanceof InterruptedError)) throw error;
        });
      }
    },
    close: async () => {
      await Promise.all([clickhouse.close(), kafka.close(), accountant?.close()]);
    },
  };
}

function openState(file: string, journal: Journal): WatchState {
  try {
    return loadState(file, (setAside) => {
      journal.record({
        level: 'warn',
        event: 'state-corrupt',
        message: 'The memory of the watcher could not be read; it starts with an empty one',
        reason: `set aside as ${path.basename(setAside)}`,
      });
    });
  } catch (error) {
    journal.record({ level: 'error', event: 'state-unreadable', message: messageOf(error) });
    return initialWatchState;
  }
}
