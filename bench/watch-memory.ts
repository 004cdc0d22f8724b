import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ConnectorService, LiveConnector, RunState } from '../controlplane/connector-service.ts';
import type { Progress } from '../controlplane/consumer-lag.ts';
import { createMetrics } from '../controlplane/watch/metrics.ts';
import type { Observation } from '../controlplane/watch/observe.ts';
import { readWatchSettings } from '../controlplane/watch/settings.ts';
import { createSupervisor } from '../controlplane/watch/supervisor.ts';
import { resolveHome } from '../core/home.ts';
import { loadTarget } from '../targets/load-target.ts';
import { integer, type Measurement } from './measurement.ts';

const connectors = 200;
const tasks = 4;
const hourMs = 60 * 60 * 1000;
/** The hour before: all that is ever kept is kept for an hour at most. Looked at less often, to be done sooner. */
const warmUpIntervalMs = 10_000;
const intervalMs = 2000;
const trace = 'java.net.ConnectException: Connection refused\n\tat a.B.c(B.java:1)';

/**
 * The heap of a watcher over an hour of simulated time, with 200 connectors of which some are always failing and
 * recovering. The servers are simulated as well: what is measured is what the watcher itself keeps.
 */
export async function measureWatcherMemory(): Promise<Measurement[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-memory-'));
  const names = Array.from({ length: connectors }, (_, index) => `connector-${String(index)}`);
  for (const name of names) {
    writeFileSync(path.join(folder, `${name}.json`), JSON.stringify({ name, config: { topics: name } }));
  }
  let look = 0;
  let nowMs = 0;
  const supervisor = createSupervisor({
    target: loadTarget('embedded'),
    contracts: { topics: [], deadLetterTopics: [] },
    env: {},
    folder,
    service: acceptingService,
    settings: readWatchSettings({}),
    home: resolveHome({ PIPELINE_HOME: path.join(folder, 'home') }),
    reconcile: false,
    metrics: createMetrics({ processMetrics: false }),
    log: () => undefined,
    notify: () => undefined,
    observeWith: () => Promise.resolve(observationAt(look, names)),
    clock: () => nowMs,
  });
  const { signal } = new AbortController();
  const simulate = async (untilMs: number, stepMs: number) => {
    for (; nowMs < untilMs; nowMs += stepMs) {
      await supervisor.look(signal);
      look += 1;
    }
  };
  try {
    await simulate(hourMs, warmUpIntervalMs);
    const before = heapMegabytes();
    await simulate(2 * hourMs, intervalMs);
    const growth = heapMegabytes() - before;
    return [
      {
        name: `growth of the watcher's heap over an hour of ${integer(connectors)} connectors`,
        value: `${growth.toFixed(1)} MB of ${integer(before)} MB`,
        target: '< 1 MB',
        ok: growth < 1,
      },
    ];
  } finally {
    await supervisor.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every hundredth task is failing at any moment, each time another one; offsets move on. */
function observationAt(look: number, names: readonly string[]): Observation {
  const live = names.map((name, index): [string, LiveConnector] => [
    name,
    {
      name,
      config: { topics: name },
      state: 'RUNNING',
      trace: null,
      consumerGroup: null,
      tasks: Array.from({ length: tasks }, (_, id) => {
        const state: RunState =
          (index * tasks + id + Math.floor(look / 10)) % 100 === 0 ? 'FAILED' : 'RUNNING';
        return { id, state, workerId: 'w', trace: state === 'FAILED' ? trace : null };
      }),
    },
  ]);
  const progress = names.map((name): [string, Progress] => [
    name,
    {
      lag: tasks,
      partitions: Array.from({ length: tasks }, (_, partition) => {
        return { topic: name, partition, committed: look, end: look + 1, lag: 1 };
      }),
      deadLetters: look,
      deadLettersWritten: look,
    },
  ]);
  return {
    connectors: { value: new Map(live), error: null },
    progress: { value: new Map(progress), error: null },
    clickhouse: { state: 'ready', reason: null },
    freshnessMs: new Map(names.map((name) => [name, look])),
    landedRows: new Map(names.map((name) => [name, look])),
  };
}

const never = () => Promise.reject(new Error('the simulation does not do this'));

const acceptingService: ConnectorService = {
  address: 'simulated',
  pace: { pollIntervalMs: 0, readBackTimeoutMs: 0, startTimeoutMs: 0, settleMs: 0 },
  plugins: never,
  list: never,
  read: never,
  validate: never,
  put: never,
  restartFailed: never,
  restartAll: never,
  restartOne: () => Promise.resolve(),
  pause: never,
  resume: never,
  offsets: never,
  alterOffsets: never,
  resetOffsets: never,
  delete: never,
};

function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
