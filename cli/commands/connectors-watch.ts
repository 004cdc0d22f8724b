import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import pc from 'picocolors';
import { isUnhealthy } from '../../controlplane/health.ts';
import { loadSecretHash } from '../../controlplane/secret-hash.ts';
import { createAccountant } from '../../controlplane/watch/accounting.ts';
import { createNotifier, type Channel } from '../../controlplane/watch/deliver.ts';
import type { JournalEntry } from '../../controlplane/watch/journal.ts';
import { createMail } from '../../controlplane/watch/mail.ts';
import { createMetrics } from '../../controlplane/watch/metrics.ts';
import { startWatchServer } from '../../controlplane/watch/server.ts';
import { readWatchSettings, type WatchSettings } from '../../controlplane/watch/settings.ts';
import { createSupervisor, stateFileOf, type Supervisor } from '../../controlplane/watch/supervisor.ts';
import { createWebhook } from '../../controlplane/watch/webhook.ts';
import { PipelineError } from '../../core/errors.ts';
import { lockOwner, tryLock } from '../../core/process-lock.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { CommandContext, Run } from '../command.ts';
import type { Output } from '../output.ts';
import { renderStatus } from './connectors-status.ts';

/** How long alerts that are on their way may delay the end. */
const lastAlertsMs = 5000;
/** A look that hangs in everything it does, deadlines included, takes less than this. */
const longestLookMs = 120_000;

export const run: Run = async (context, options) => {
  const { env, home, output, signal } = context;
  const settings = readWatchSettings(env);
  const target = context.target();
  const contracts = loadCatalog();
  const lock = takeLock(`${stateFileOf(home, target.name)}.lock`);
  const metrics = createMetrics();
  const notifier = createNotifier(channelsOf(settings), (delivery) => {
    metrics.countAlert(delivery);
    if (delivery.failure === null) return;
    const { channel, notice, failure } = delivery;
    supervisor.journal.record({
      level: 'error',
      event: 'alert-lost',
      message: `The alert on ${notice.subject} was not delivered by ${channel}`,
      subject: notice.subject,
      reason: failure,
    });
  });
  const supervisor = createSupervisor({
    target,
    contracts,
    env,
    settings,
    home,
    metrics,
    reconcile: options['reconcile'] === true,
    // One look is over before a reconciliation is.
    ...(settings.reconcileIntervalMs === null || options['once'] === true
      ? {}
      : {
          accountant: createAccountant({
            target,
            catalog: contracts,
            intervalMs: settings.reconcileIntervalMs,
          }),
        }),
    secretHash: loadSecretHash(home, env),
    log: (entry) => {
      output.note(process.stderr.isTTY ? renderEntry(entry) : JSON.stringify(entry));
    },
    notify: (notice) => {
      notifier.notify(notice);
    },
  });
  try {
    if (options['once'] === true) return await lookOnce(supervisor, context);
    const server = await startWatchServer({
      settings: settings.server,
      metrics,
      snapshot: () => supervisor.snapshot(),
      staleAfterMs: settings.intervalMs + longestLookMs,
    });
    output.note(`Watching the connectors of ${target.name}; metrics at ${server.url}/metrics`);
    try {
      await supervisor.run(signal);
    } finally {
      await server.close();
    }
  } finally {
    await notifier.close(lastAlertsMs);
    await supervisor.close();
    lock.release();
  }
  output.note('Stopped watching');
  return 0;
};

async function lookOnce(supervisor: Supervisor, { output, signal }: CommandContext): Promise<0 | 2> {
  const snapshot = await supervisor.look(signal);
  const { connectors, servers } = snapshot;
  output.print(renderStatus(connectors));
  output.document(snapshot);
  for (const line of awayLines(servers)) output.note(line);
  const isWell = servers.connect.isUp && !connectors.some(({ verdict }) => isUnhealthy(verdict));
  return isWell ? 0 : 2;
}

function awayLines({
  connect,
  kafka,
  clickhouse,
}: Awaited<ReturnType<Supervisor['look']>>['servers']): string[] {
  return [connect, kafka, clickhouse].flatMap(({ reason }) => (reason === null ? [] : [reason]));
}

function channelsOf({ webhook, mail }: WatchSettings): Channel[] {
  return [
    ...(webhook === null ? [] : [createWebhook(webhook)]),
    ...(mail === null ? [] : [createMail(mail)]),
  ];
}

/** Two watchers of one target would each spend the whole budget. */
function takeLock(file: string): { release: () => void } {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // The lock of a dead process is only removed by the first attempt.
  if (!tryLock(file) && !tryLock(file)) {
    throw new PipelineError('ALREADY_WATCHED', {
      what: `Another watcher of this target runs (pid ${String(lockOwner(file) ?? 'unknown')})`,
      where: file,
      todo: 'Stop it first; connectors:status looks without one.',
    });
  }
  return {
    release: () => {
      rmSync(file, { force: true });
    },
  };
}

const colors = { info: pc.dim, warn: pc.yellow, error: pc.red } as const;

function renderEntry({ at, level, message, reason }: JournalEntry): Parameters<Output['note']>[0] {
  return `${pc.dim(at.slice(11, 19))} ${colors[level](message)}${reason === undefined ? '' : `\n         ${reason}`}`;
}
