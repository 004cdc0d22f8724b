import { isUnhealthy } from '../health.ts';
import type { WatchedConnector } from './assess-fleet.ts';
import type { Drift, Restored } from './drift.ts';
import type { Journal } from './journal.ts';
import type { Notice } from './notices.ts';
import type { Decision } from './restart-policy.ts';
import type { Snapshot } from './snapshot.ts';

/** Tells the journal what has changed since the look before; what stays as it is is told once. */
export interface Narrator {
  declarations(problem: string | null): void;
  stateFile(problem: string | null): void;
  failedLook(problem: string | null): void;
  servers(servers: Snapshot['servers']): void;
  connectors(connectors: readonly WatchedConnector[], decisions: readonly Decision[]): void;
  recovery(connector: string, afterMs: number): void;
  drift(drift: Drift, restored: readonly Restored[]): void;
  notice(notice: Notice): void;
}

export function createNarrator(journal: Journal): Narrator {
  const told = new Map<string, string>();
  /** True when `words` differ from what was last said of `about`. */
  const isNews = (about: string, words: string): boolean => {
    if ((told.get(about) ?? '') === words) return false;
    if (words === '') told.delete(about);
    else told.set(about, words);
    return true;
  };

  return {
    stateFile: (problem) => {
      if (!isNews('state file', problem ?? '') || problem === null) return;
      const message = 'The memory of the watcher cannot be written';
      journal.record({ level: 'error', event: 'state-unwritable', message, reason: problem });
    },

    failedLook: (problem) => {
      if (!isNews('failed look', problem ?? '') || problem === null) return;
      journal.record({ level: 'error', event: 'look-failed', message: 'A look failed', reason: problem });
    },

    declarations: (problem) => {
      if (!isNews('declarations', problem ?? '')) return;
      if (problem === null)
        journal.record({ level: 'info', event: 'declarations', message: 'Declarations read again' });
      else {
        const message = 'Declarations cannot be read; those of before stay in force';
        journal.record({ level: 'warn', event: 'declarations', message, reason: problem });
      }
    },

    servers: ({ connect, kafka, clickhouse }) => {
      const states = [
        ['Kafka Connect', connect.isUp, connect.reason],
        ['Kafka', kafka.isUp, kafka.reason],
        ['ClickHouse', clickhouse.state === 'ready', clickhouse.reason],
      ] as const;
      for (const [subject, isUp, reason] of states) {
        if (!isNews(`server ${subject}`, isUp ? '' : 'away')) continue;
        if (isUp) journal.record({ level: 'info', event: 'server', message: `${subject} is back`, subject });
        else {
          const message = `${subject} is not usable`;
          journal.record({ level: 'warn', event: 'server', message, subject, reason: reason ?? '' });
        }
      }
    },

    connectors: (connectors, decisions) => {
      for (const { name, verdict, cause, reason } of connectors) {
        if (!isNews(`connector ${name}`, [verdict, cause].join())) continue;
        journal.record({
          level: isUnhealthy(verdict) ? 'warn' : 'info',
          event: 'verdict',
          message: `${name} is ${verdict}`,
          subject: name,
          ...(cause === null ? {} : { cause }),
          ...(reason === null ? {} : { reason }),
        });
      }
      const names = new Set(connectors.map(({ name }) => name));
      forgetOthers('connector ', names);
      tellDecisions(decisions);
    },

    recovery: (connector, afterMs) => {
      const message = `${connector} has recovered after ${(afterMs / 1000).toFixed(1)} s`;
      journal.record({ level: 'info', event: 'recovery', message, subject: connector });
    },

    drift: ({ changes, error }, restored) => {
      const words = changes
        .map(({ name, operation, keys }) => `${operation} ${name} (${keys.join(', ')})`)
        .join('; ');
      if (isNews('drift', words) && words !== '') {
        const message = 'What runs differs from what is declared';
        journal.record({ level: 'warn', event: 'drift', message, reason: `connectors:apply would ${words}` });
      }
      if (isNews('drift error', error ?? '') && error !== null) {
        const message = 'What runs cannot be compared with what is declared';
        journal.record({ level: 'warn', event: 'drift', message, reason: error });
      }
      for (const { name, operation, failure } of restored) {
        const told = { event: 'reconcile', subject: name } as const;
        if (failure === null)
          journal.record({ ...told, level: 'info', message: `Restored ${name} (${operation})` });
        else
          journal.record({ ...told, level: 'warn', message: `Could not restore ${name}`, reason: failure });
      }
    },

    notice: ({ status, subject, cause, reason }) => {
      const message = status === 'firing' ? `Alert: ${subject}: ${cause}` : `Over: ${subject}: ${cause}`;
      journal.record({ level: 'info', event: 'alert', message, subject, cause, reason });
    },
  };

  /** Holds and waits are told once, and again when their reason changes; restarts are told by who makes them. */
  function tellDecisions(decisions: readonly Decision[]): void {
    const units = new Set<string>();
    for (const decision of decisions) {
      if (decision.action === 'restart') continue;
      const { connector, task, action, cause, reason } = decision;
      const unit = task === null ? connector : `task ${String(task)} of ${connector}`;
      units.add(unit);
      if (!isNews(`decision ${unit}`, `${action} ${reason}`)) continue;
      const message = action === 'hold' ? `Held ${unit}: ${reason}` : `${unit} waits: ${reason}`;
      journal.record({
        level: action === 'hold' ? 'warn' : 'info',
        event: action,
        message,
        subject: connector,
        task,
        cause,
      });
    }
    forgetOthers('decision ', units);
  }

  function forgetOthers(prefix: string, current: ReadonlySet<string>): void {
    for (const about of told.keys()) {
      if (about.startsWith(prefix) && !current.has(about.slice(prefix.length))) told.delete(about);
    }
  }
}
