import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ConnectorService } from '../../../../controlplane/connector-service.ts';
import type { LiveConnector } from '../../../../controlplane/connector-service.ts';
import type { JournalEntry } from '../../../../controlplane/watch/journal.ts';
import { createMetrics } from '../../../../controlplane/watch/metrics.ts';
import type { Observation } from '../../../../controlplane/watch/observe.ts';
import { readWatchSettings } from '../../../../controlplane/watch/settings.ts';
import { createSupervisor, stateFileOf } from '../../../../controlplane/watch/supervisor.ts';
import { resolveHome } from '../../../../core/home.ts';
import { live, target, task } from '../fixtures.ts';

const transient = 'java.net.ConnectException: Connection refused';

function seen(...connectors: LiveConnector[]): Observation {
  return {
    connectors: { value: new Map(connectors.map((connector) => [connector.name, connector])), error: null },
    progress: { value: new Map(), error: null },
    clickhouse: { state: 'ready', reason: null },
    freshnessMs: new Map(),
    landedRows: new Map(),
  };
}

/** A supervisor over observations that the test makes up, and a server that only counts restarts. */
function supervise(
  observeWith: (signal: AbortSignal) => Promise<Observation>,
  { restart = () => Promise.resolve(), clock }: { restart?: () => Promise<void>; clock?: () => number } = {},
) {
  const folder = mkdtempSync(path.join(tmpdir(), 'supervisor-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const declare = (content: string) => {
    writeFileSync(path.join(folder, 'a.json'), content);
  };
  declare(JSON.stringify({ name: 'a', config: {} }));
  const restarted: string[] = [];
  const service = {
    address: 'nowhere',
    pace: { pollIntervalMs: 1 },
    restartOne: async (name: string, id: number | null) => {
      restarted.push(`${name}/${String(id)}`);
      await restart();
    },
  } as unknown as ConnectorService;
  const entries: JournalEntry[] = [];
  const home = resolveHome({ PIPELINE_HOME: path.join(folder, 'home') });
  const supervisor = createSupervisor({
    target: target(),
    contracts: { topics: [], deadLetterTopics: [] },
    folder,
    service,
    settings: { ...readWatchSettings({}), intervalMs: 1 },
    home,
    reconcile: false,
    metrics: createMetrics({ processMetrics: false }),
    log: (entry) => entries.push(entry),
    notify: () => undefined,
    random: () => 0,
    observeWith: ({ signal }) => observeWith(signal),
    ...(clock === undefined ? {} : { clock }),
  });
  onTestFinished(() => supervisor.close());
  return { supervisor, entries, restarted, home, declare, told: () => entries.map(({ event }) => event) };
}

const failing = live('a', {}, 'RUNNING', [task(0, 'RUNNING'), task(1, 'FAILED', transient)]);
const { signal: never } = new AbortController();

test('exactly the failed task is restarted, and told once', async () => {
  const { supervisor, restarted, told } = supervise(() => Promise.resolve(seen(failing)));
  await supervisor.look(never);
  expect(restarted).toEqual(['a/1']);
  expect(told()).toEqual(expect.arrayContaining(['verdict', 'restart']));
});

test('a restart that is refused is told and ends nothing', async () => {
  const { supervisor, entries } = supervise(() => Promise.resolve(seen(failing)), {
    restart: () => Promise.reject(new Error('409')),
  });
  await supervisor.look(never);
  expect(entries.find(({ event }) => event === 'restart')).toMatchObject({ level: 'warn', reason: '409' });
});

test('looks never overlap, and one that throws is not the last', async () => {
  let [running, most, looks] = [0, 0, 0];
  const end = new AbortController();
  const { supervisor, told } = supervise(async () => {
    running += 1;
    most = Math.max(most, running);
    looks += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    if (looks >= 8) end.abort();
    if (looks % 2 === 0) throw new Error(`defect ${String(looks)}`);
    return seen(failing);
  });
  await supervisor.run(end.signal);
  expect(most).toBe(1);
  expect(looks).toBe(8);
  expect(told().filter((event) => event === 'look-failed')).toHaveLength(3);
});

test('an interruption during a look ends the loop without a complaint', async () => {
  const end = new AbortController();
  const { supervisor, told } = supervise(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('aborted'));
        });
        setTimeout(() => {
          end.abort();
        }, 5);
      }),
  );
  await supervisor.run(end.signal);
  expect(told()).not.toContain('look-failed');
});

test('a declaration that breaks while it is edited does not end the watch; those of before stay in force', async () => {
  const { supervisor, declare, told } = supervise(() => Promise.resolve(seen(failing)));
  await supervisor.look(never);
  declare('{"name": "a", ');
  const { connectors } = await supervisor.look(never);
  expect(connectors.map(({ name }) => name)).toEqual(['a']);
  declare(JSON.stringify({ name: 'a', config: {} }));
  await supervisor.look(never);
  expect(told().filter((event) => event === 'declarations')).toHaveLength(2);
});

test('a memory that cannot be written does not keep failed tasks from being restarted', async () => {
  const { supervisor, restarted, home, told } = supervise(() => Promise.resolve(seen(failing)));
  // A folder in the file's place: it can be neither read nor replaced.
  mkdirSync(stateFileOf(home, 'trial'), { recursive: true });
  await supervisor.look(never);
  expect(restarted).toEqual(['a/1']);
  expect(told()).toContain('state-unwritable');
});

test('the history keeps an hour in steps of ten seconds, whatever the time of day does', async () => {
  let nowMs = 0;
  const observation = {
    ...seen(failing),
    progress: {
      value: new Map([
        [
          'a',
          {
            lag: 5,
            partitions: [
              { topic: 't', partition: 0, committed: 1, end: 3, lag: 2 },
              { topic: 't', partition: 1, committed: 1, end: 4, lag: 3 },
            ],
            deadLetters: null,
            deadLettersWritten: null,
          },
        ],
      ]),
      error: null,
    },
    freshnessMs: new Map([['t', 700]]),
    landedRows: new Map([['t', 9]]),
  };
  const { supervisor } = supervise(() => Promise.resolve(observation), { clock: () => nowMs });
  for (; nowMs < 3_800_000; nowMs += 10_000) await supervisor.look(never);
  const points = supervisor.snapshot()?.history ?? [];
  expect(points).toHaveLength(360);
  expect(points.at(-1)).toEqual({
    topics: { t: { produced: 7, lag: 5, freshnessMs: 700, landed: 9 } },
    verdicts: { a: 'degraded' },
    atMs: expect.any(Number) as number,
  });
});
