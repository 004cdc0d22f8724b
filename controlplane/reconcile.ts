import type { Admin } from 'kafkajs';
import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { ledgerKey, readLedger, type LedgerCounts } from '../clickhouse/ledger.ts';
import {
  commonRanges,
  countOffsets,
  toRanges,
  unitedRanges,
  withoutRanges,
  type OffsetRange,
} from '../clickhouse/offset-ranges.ts';
import { sleep } from '../core/wait.ts';
import type { Catalog } from '../schemas/catalog.ts';
import { kafkaError, withKafkaAdmin } from '../targets/kafka.ts';
import type { Target } from '../targets/load-target.ts';
import { partitionKey } from './consumer-lag.ts';
import {
  createDeadLetterReader,
  sourceKey,
  type DeadLetterOffsets,
  type DeadLetterReader,
} from './dead-letters.ts';
import { accountTopic } from './dlq/account-entries.ts';
import { checkTables, type TableFindings } from './reconciliation/check-tables.ts';
import { createExaminer, type OffsetExaminer, type Suspects } from './reconciliation/examine-offsets.ts';
import { refuseRecreated } from './reconciliation/refuse-recreated.ts';
import { readTopicOffsets, requireTopics, startAt, type TopicOffsets } from './topic-offsets.ts';

/**
 * What became of one partition's offsets. Every offset of a record is one of: landed, in a dead letter topic,
 * a tombstone, `unrecorded`, or missing. docs/reconciliation.md defines each number.
 */
export interface PartitionReconciliation {
  topic: string;
  partition: number;
  /** Records the broker holds, or held: its offsets without those at which there never was a record to land. */
  produced: number;
  /** Of these, how many distinct ones reached the raw table. */
  landed: number;
  /** Of these, how many are in a dead letter topic; one that also landed counts on both sides. */
  dlq: number;
  /** Those that are in neither, as ranges: the lowest 100,000 of them. */
  missing: OffsetRange[];
  /** Rows delivered again; harmless, the raw table collapses them. */
  duplicates: number;
  /** Dead letters that did not land, as ranges of their own offsets. */
  dead: OffsetRange[];
  /** Offsets that are missing, also beyond the ranges that are listed. */
  missingOffsets: number;
  /** Of these, how many come after the newest that landed: most likely they are on their way. */
  lag: number;
  /** When the newest row landed, ISO 8601 in UTC, and how long that was ago, milliseconds; null when none did. */
  newestLandedAt: string | null;
  newestAgeMs: number | null;
  /** Offsets without a record: compacted away, markers of transactions, records of aborted ones. */
  empty: number;
  /** Records without a value, which no sink writes. */
  tombstones: number;
  /** Offsets before the broker's first that never landed: retention has removed them, and nobody can tell. */
  expired: number;
  /** From here on the raw table was compared; null where it was not. Landed offsets whose event came again. */
  repeated: number | null;
  /** Rows that reached Kafka much later than what they tell of. */
  late: number | null;
  /** Offsets that landed, and whose row somebody has removed. */
  removed: OffsetRange[] | null;
  /** Rows of which the ledger knows nothing. */
  unrecorded: OffsetRange[] | null;
  /** Landed offsets without a row of which nobody can say why. */
  unverified: number | null;
}

/** Beyond so many ranges a list helps nobody. */
const maxMissingRanges = 100_000;

export interface ReconcileOptions {
  target: Target;
  catalog: Catalog;
  /** Default: every topic of the catalog. */
  topics?: readonly string[];
  /** Only records from this time on, by their timestamps; milliseconds. Default: all that the broker holds. */
  sinceMs?: number;
  /** Also compare the raw tables with the ledger. Default: only the ledger is read, however large the tables are. */
  tables?: { lateAfterMs: number };
  signal?: AbortSignal;
}

export interface WaitUntilReconciledOptions extends Omit<ReconcileOptions, 'tables'> {
  timeoutMs: number;
  /** Default 500. */
  pollIntervalMs?: number;
  /** Called after each look. */
  onProgress?: (progress: { produced: number; landed: number; dlq: number }) => void;
}

/** Reading dead letters in full. */
const readTimeoutMs = 120_000;

/**
 * Compares what the broker holds with what landed, partition by partition, in the order of the catalog. A record
 * that is still on its way counts as missing; an offset that holds no record does not.
 *
 * @throws PipelineError `TOPIC_NOT_FOUND`, `TOPIC_RECREATED`, `CLICKHOUSE_NOT_MIGRATED`, or that a server does
 *   not answer
 */
export async function reconcile(options: ReconcileOptions): Promise<PartitionReconciliation[]> {
  return withReconciler(options, (reconciler) => reconciler.look());
}

/**
 * Looks again and again until nothing is missing or the time is up; returns the last look either way.
 */
export async function waitUntilReconciled(
  options: WaitUntilReconciledOptions,
): Promise<{ clean: boolean; partitions: PartitionReconciliation[] }> {
  const { timeoutMs, pollIntervalMs = 500, onProgress, signal } = options;
  const deadline = performance.now() + timeoutMs;
  return withReconciler(options, async (reconciler) => {
    for (;;) {
      const partitions = await reconciler.look({ isPatient: true });
      onProgress?.({
        produced: total(partitions, 'produced'),
        landed: total(partitions, 'landed'),
        dlq: total(partitions, 'dlq'),
      });
      const clean = isClean(partitions);
      if (clean || performance.now() >= deadline) return { clean, partitions };
      await sleep(pollIntervalMs, signal);
    }
  });
}

/** True when every record landed or is in a dead letter topic, and the tables, if looked at, agree. */
export function isClean(partitions: readonly PartitionReconciliation[]): boolean {
  return partitions.every(
    (partition) => countOffsets(toRepair(partition)) === 0 && partition.missingOffsets === 0,
  );
}

/** Offsets whose rows should be in the table and in the ledger, and are not: as far as they are listed. */
export function toRepair({
  missing,
  removed,
  unrecorded,
}: Pick<PartitionReconciliation, 'missing' | 'removed' | 'unrecorded'>): OffsetRange[] {
  return unitedRanges(missing, removed ?? [], unrecorded ?? []);
}

type Count = {
  [Field in keyof PartitionReconciliation]: number extends PartitionReconciliation[Field] ? Field : never;
}[keyof PartitionReconciliation];

export function total(partitions: readonly PartitionReconciliation[], field: Count): number {
  return partitions.reduce((sum, partition) => sum + (partition[field] ?? 0), 0);
}

/** Runs `work` with a reconciler and its connections. */
export async function withReconciler<T>(
  options: ReconcileOptions,
  work: (reconciler: { look: (how?: LookOptions) => Promise<PartitionReconciliation[]> }) => Promise<T>,
): Promise<T> {
  const clickhouse = createClickHouse(options.target);
  try {
    return await withKafkaAdmin(options.target, { clientId: 'billing-reconcile' }, (admin) => {
      const reconciler = new Reconciler(options, clickhouse);
      const look = async (how?: LookOptions) => {
        try {
          return await reconciler.look(admin, how);
        } catch (error) {
          throw kafkaError(options.target, error);
        }
      };
      return work({ look });
    });
  } finally {
    await clickhouse.close();
  }
}

export interface LookOptions {
  /**
   * Whoever looks again in a moment need not read what is on its way from the broker: only what is still missing
   * at the next look is examined. Default false.
   */
  isPatient?: boolean;
  /** Leaves the tables out this time. */
  isQuick?: boolean;
  signal?: AbortSignal;
}

/** What comes after the newest that landed is examined only while it is this little: otherwise it is a backlog. */
const maxExaminedLag = 10_000;

/** Looks, and remembers from one look to the next what cannot change. */
export class Reconciler {
  readonly #options: ReconcileOptions;
  readonly #clickhouse: ClickHouse;
  readonly #deadLetters: DeadLetterReader;
  readonly #examiner: OffsetExaminer;
  /** Where the window begins, by topic; asked for once. */
  readonly #starts = new Map<string, ReadonlyMap<number, number>>();
  /** The highest offset that had landed at the last look, by partition. */
  readonly #highest = new Map<string, number>();

  constructor(options: ReconcileOptions, clickhouse: ClickHouse) {
    this.#options = options;
    this.#clickhouse = clickhouse;
    this.#deadLetters = createDeadLetterReader(options.target);
    this.#examiner = createExaminer(options.target);
  }

  /** The broker is asked first, so that whatever lands meanwhile is never reported as missing. */
  async look(
    admin: Admin,
    { isPatient = false, isQuick = false, signal = this.#options.signal }: LookOptions = {},
  ): Promise<PartitionReconciliation[]> {
    const { catalog, target } = this.#options;
    const abort = signal === undefined ? {} : { signal };
    const names = this.#options.topics ?? catalog.topics.map(({ topic }) => topic);
    // What was drained of the dead letters is in their account.
    const deadLetterNames = [...catalog.deadLetterTopics.map(({ topic }) => topic), accountTopic];
    const offsets = await readTopicOffsets(admin, [...names, ...deadLetterNames]);
    const onBroker = requireTopics(offsets, names, target.kafka.brokers);
    const topics = await Promise.all(onBroker.map((topic) => this.#window(admin, topic)));
    const deadLetters = await this.#deadLetters.read(
      deadLetterNames.flatMap((name) => offsets.get(name) ?? []),
      { timeoutMs: readTimeoutMs, ...abort },
    );
    const ledger = await readLedger(this.#clickhouse, topics, signal);
    await refuseRecreated({ target, admin, ...abort }, topics, ledger);
    const partitions = topics.flatMap((topic) => accountFor(topic, ledger, deadLetters));
    await this.#examiner.examine(this.#suspects(partitions, isPatient), signal);
    const tables = isQuick ? undefined : await this.#checkTables(topics, signal);
    return partitions.map((one) =>
      conclude(one, {
        examined: this.#examiner.of(one.topic, one.partition),
        table: tables?.get(partitionKey(one.topic, one.partition)),
        isTableChecked: tables !== undefined,
        knowsStart: this.#options.sinceMs === undefined,
      }),
    );
  }

  async #window(admin: Admin, topic: TopicOffsets): Promise<TopicOffsets> {
    const { sinceMs } = this.#options;
    if (sinceMs === undefined) return topic;
    const starts = this.#starts.get(topic.topic) ?? (await startAt(admin, topic.topic, sinceMs));
    this.#starts.set(topic.topic, starts);
    return {
      ...topic,
      partitions: topic.partitions.map((bounds) => ({
        ...bounds,
        low: Math.min(bounds.high, Math.max(bounds.low, starts.get(bounds.partition) ?? bounds.low)),
      })),
    };
  }

  /** What lies behind the newest that landed was passed over; what comes after it may be on its way. */
  #suspects(partitions: readonly Account[], isPatient: boolean): Suspects[] {
    return partitions.map(({ topic, partition, open, counts: { highest } }) => {
      const key = ledgerKey(topic, partition);
      const hasRested = this.#highest.get(key) === highest;
      this.#highest.set(key, highest);
      const [behind, after] = splitAfter(open, highest);
      const isLooked = (!isPatient || hasRested) && countOffsets(after) <= maxExaminedLag;
      return { topic, partition, ranges: isLooked ? open : behind };
    });
  }

  async #checkTables(
    topics: readonly TopicOffsets[],
    signal: AbortSignal | undefined,
  ): Promise<Map<string, TableFindings> | undefined> {
    const { tables, catalog, target } = this.#options;
    if (tables === undefined) return undefined;
    const checked = topics.flatMap((offsets) => {
      const topic = catalog.topics.find(({ topic: name }) => name === offsets.topic);
      return topic === undefined ? [] : [{ topic, offsets }];
    });
    const { lateAfterMs } = tables;
    const abort = signal === undefined ? {} : { signal };
    return checkTables({ target, clickhouse: this.#clickhouse, checked, lateAfterMs, ...abort });
  }
}

/** One partition before the broker was asked what its missing offsets are. */
interface Account {
  topic: string;
  partition: number;
  low: number;
  high: number;
  counts: LedgerCounts;
  /** Dead letters within the window, and those before the broker's first offset. */
  dead: readonly number[];
  deadBefore: number;
  /** Of those within the window the ones that did not land. */
  deadOnly: OffsetRange[];
  /** Neither landed nor dead. */
  open: OffsetRange[];
}

function accountFor(
  { topic, partitions }: TopicOffsets,
  ledger: ReadonlyMap<string, LedgerCounts>,
  deadLetters: DeadLetterOffsets,
): Account[] {
  return partitions.flatMap(({ partition, low, high }) => {
    const counts = ledger.get(ledgerKey(topic, partition));
    if (counts === undefined) return [];
    const letters = deadLetters.get(sourceKey(topic, partition)) ?? [];
    const dead = letters.filter((offset) => offset >= low && offset < high);
    const deadBefore = letters.filter((offset) => offset < low).length;
    const deadOnly = commonRanges(counts.gaps, toRanges(dead));
    const open = withoutRanges(counts.gaps, deadOnly);
    return [{ topic, partition, low, high, counts, dead, deadBefore, deadOnly, open }];
  });
}

function conclude(
  { topic, partition, low, high, counts, dead, deadBefore, deadOnly, open }: Account,
  {
    examined,
    table,
    isTableChecked,
    knowsStart,
  }: {
    examined: { empty: readonly OffsetRange[]; tombstones: readonly OffsetRange[] };
    table: TableFindings | undefined;
    isTableChecked: boolean;
    knowsStart: boolean;
  },
): PartitionReconciliation {
  const empty = countOffsets(commonRanges(open, examined.empty));
  const tombstones = countOffsets(commonRanges(open, examined.tombstones));
  const unrecorded = commonRanges(table?.unrecorded ?? [], open);
  const explained = unitedRanges(examined.empty, examined.tombstones, unrecorded);
  const missing = withoutRanges(open, explained);
  const [, after] = splitAfter(missing, counts.highest);
  return {
    topic,
    partition,
    produced: high - low - empty,
    landed: counts.landed,
    dlq: dead.length,
    missing: missing.slice(0, maxMissingRanges),
    duplicates: counts.duplicates,
    dead: deadOnly,
    missingOffsets: countOffsets(missing) + counts.gapsBeyond,
    lag: countOffsets(after),
    newestLandedAt: counts.newest?.at ?? null,
    newestAgeMs: counts.newest?.ageMs ?? null,
    empty,
    tombstones,
    // Where a window begins is a matter of times, which say nothing of what retention has removed before.
    expired: knowsStart ? Math.max(0, low - counts.landedBefore - deadBefore) : 0,
    repeated: isTableChecked ? (table?.repeated ?? 0) : null,
    late: isTableChecked ? (table?.late ?? 0) : null,
    removed: isTableChecked ? (table?.removed ?? []) : null,
    unrecorded: isTableChecked ? unrecorded : null,
    unverified: isTableChecked ? (table?.unverified ?? 0) : null,
  };
}

function splitAfter(ranges: readonly OffsetRange[], offset: number): [OffsetRange[], OffsetRange[]] {
  const after = [{ first: offset + 1, last: Infinity }];
  return [withoutRanges(ranges, after), commonRanges(ranges, after)];
}
