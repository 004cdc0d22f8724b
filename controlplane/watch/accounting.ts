import { createClickHouse } from '../../clickhouse/client.ts';
import { withDeadline } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import type { Target } from '../../targets/load-target.ts';
import { groupBy } from '../dlq/group-by.ts';
import { Reconciler, total, type PartitionReconciliation } from '../reconcile.ts';
import { createKafkaLink } from './kafka-link.ts';

/** What became of the records of each topic, as of the last look at the ledger. */
export interface Accounts {
  /** Time of day of that look, ISO 8601 in UTC; null before the first. */
  at: string | null;
  /** Why the last attempt failed; what is told is older then. */
  error: string | null;
  topics: readonly TopicAccount[];
}

/** See docs/reconciliation.md for each number. */
export interface TopicAccount {
  topic: string;
  produced: number;
  landed: number;
  deadLetters: number;
  /** Passed over: an offset behind the newest that landed of its partition. */
  missing: number;
  /** After the newest that landed: on its way, unless the sink stands still. */
  pending: number;
  empty: number;
  tombstones: number;
  expired: number;
  redelivered: number;
}

/** Reconciles now and then beside the looks of the watcher, which never wait for it. */
export interface Accountant {
  /** Begins another reconciliation if one is due and none is under way. Returns at once and never throws. */
  keepUp(at: number, signal: AbortSignal): void;
  accounts(): Accounts;
  close(): Promise<void>;
}

export const noAccounts: Accounts = { at: null, error: null, topics: [] };

/** Of one reconciliation: of a hundred million offsets it takes a second, of many new dead letters longer. */
const deadlineMs = 60_000;

/**
 * Reads the ledger and the ends of the topics, and of the broker's records only dead letters that are new and
 * offsets that were passed over, each of them once. Never a table.
 */
export function createAccountant({
  target,
  catalog,
  intervalMs,
}: {
  target: Target;
  catalog: Catalog;
  intervalMs: number;
}): Accountant {
  const clickhouse = createClickHouse(target, { requestTimeoutMs: deadlineMs });
  const kafka = createKafkaLink(target);
  const reconciler = new Reconciler({ target, catalog }, clickhouse);
  let accounts = noAccounts;
  let dueAt = -Infinity;
  let running: Promise<void> | undefined;

  const reconcile = async (signal: AbortSignal) => {
    try {
      const partitions = await withDeadline({ what: 'The reconciliation', deadlineMs, signal }, (within) =>
        kafka.use((admin) => reconciler.look(admin, { isPatient: true, signal: within })),
      );
      accounts = { at: new Date().toISOString(), error: null, topics: accountsOf(partitions) };
    } catch (error) {
      if (!signal.aborted) accounts = { ...accounts, error: messageOf(error) };
    }
  };
  return {
    keepUp: (at, signal) => {
      if (running !== undefined || at < dueAt) return;
      dueAt = at + intervalMs;
      running = reconcile(signal).finally(() => {
        running = undefined;
      });
    },
    accounts: () => accounts,
    close: async () => {
      await running;
      await Promise.all([clickhouse.close(), kafka.close()]);
    },
  };
}

/** Pure. */
export function accountsOf(partitions: readonly PartitionReconciliation[]): TopicAccount[] {
  return [...groupBy(partitions, ({ topic }) => topic)].map(([topic, own]) => {
    const pending = total(own, 'lag');
    return {
      topic,
      produced: total(own, 'produced'),
      landed: total(own, 'landed'),
      deadLetters: total(own, 'dlq'),
      missing: total(own, 'missingOffsets') - pending,
      pending,
      empty: total(own, 'empty'),
      tombstones: total(own, 'tombstones'),
      expired: total(own, 'expired'),
      redelivered: total(own, 'duplicates'),
    };
  });
}
