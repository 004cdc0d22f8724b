import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { ConnectorConfig } from '../../../controlplane/connector-config.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { createMetrics, type WatchMetrics } from '../../../controlplane/watch/metrics.ts';
import type { Notice } from '../../../controlplane/watch/notices.ts';
import { readWatchSettings, type WatchSettings } from '../../../controlplane/watch/settings.ts';
import type { Snapshot } from '../../../controlplane/watch/snapshot.ts';
import {
  createSupervisor,
  type Supervisor,
  type SupervisorOptions,
} from '../../../controlplane/watch/supervisor.ts';
import { resolveHome, type Home } from '../../../core/home.ts';
import { waitFor } from '../../../core/wait.ts';
import type { Target } from '../../../targets/load-target.ts';

/** Declarations of a test's own, in a folder of their own. */
export function declare(...connectors: { name: string; config: ConnectorConfig }[]): string {
  const folder = temporaryFolder('watched-');
  for (const { name, config } of connectors) {
    writeFileSync(path.join(folder, `${name}.json`), JSON.stringify({ name, config }));
  }
  return folder;
}

function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface Watch {
  supervisor: Supervisor;
  metrics: WatchMetrics;
  notices: Notice[];
  home: Home;
  /** Looks again and again until `holds`. */
  until: (what: string, holds: (snapshot: Snapshot) => boolean) => Promise<Snapshot>;
}

export interface WatchOptions extends Partial<
  Pick<SupervisorOptions, 'home' | 'reconcile' | 'notices' | 'observeWith'>
> {
  target: Target;
  folder: string;
  service?: ConnectorService;
  restarts?: Partial<WatchSettings['restarts']>;
}

/** A supervisor with a memory of its own that decides fast. */
export function watch({ target, folder, service, restarts, ...options }: WatchOptions): Watch {
  const settings = readWatchSettings({});
  const home = options.home ?? resolveHome({ PIPELINE_HOME: temporaryFolder('watch-home-') });
  const metrics = createMetrics({ processMetrics: false });
  const notices: Notice[] = [];
  const supervisor = createSupervisor({
    target,
    contracts: { topics: [], deadLetterTopics: [] },
    env: {},
    folder,
    home,
    metrics,
    ...(service === undefined ? {} : { service }),
    ...(options.observeWith === undefined ? {} : { observeWith: options.observeWith }),
    settings: {
      ...settings,
      restarts: { ...settings.restarts, baseDelayMs: 100, settleMs: 300, ...restarts },
    },
    reconcile: options.reconcile ?? false,
    notices: options.notices ?? { patienceMs: 60_000, quietMs: 300 },
    log: () => undefined,
    notify: (notice) => notices.push(notice),
  });
  onTestFinished(() => supervisor.close());
  const until: Watch['until'] = async (what, holds) =>
    waitFor(
      async () => {
        const snapshot = await supervisor.look(new AbortController().signal);
        return holds(snapshot) && snapshot;
      },
      { what, timeoutMs: 45_000, pollIntervalMs: 50 },
    );
  return { supervisor, metrics, notices, home, until };
}

/** How often the journal says this. */
export function count({ supervisor }: Watch, event: string, subject?: string): number {
  const entries = supervisor.journal.entries();
  return entries.filter((entry) => entry.event === event && (subject ?? entry.subject) === entry.subject)
    .length;
}

export function verdictOf({ connectors }: Snapshot, name: string): string | undefined {
  return connectors.find((connector) => connector.name === name)?.verdict;
}
