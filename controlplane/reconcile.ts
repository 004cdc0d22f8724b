import type { Admin } from 'kafkajs';
import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { findMissing, readLedger, type LedgerCounts, type PartitionBounds } from '../clickhouse/ledger.ts';
import { countOffsets, onlyOffsets, withoutOffsets, type OffsetRange } from '../clickhouse/offset-ranges.ts';
import { PipelineError } from '../core/errors.ts';
import { sleep } from '../core/wait.ts';
import type { Catalog } from '../schemas/catalog.ts';
import { withKafkaAdmin } from '../targets/kafka.ts';
import type { Target } from '../targets/load-target.ts';
import { readTopics } from '../targets/read-topics.ts';
import { ascending, readDeadLetterOffsets, sourceKey, type DeadLetterOffsets } from './dead-letters.ts';
import { accountTopic } from './dlq/account-entries.ts';
import { readTopicOffsets, requireTopics, type TopicOffsets } from './topic-offsets.ts';

/** What became of one partition's records: `produced` = landed, or in a dead letter topic, or missing. */
export interface PartitionReconciliation {
  topic: string;
  partition: number;
  /** Offsets the broker holds. */
  produced: number;
  /** Of these, how many distinct ones reached the raw table. */
  landed: number;
  /** Of these, how many are in a dead letter topic; one that also landed counts on both sides. */
  dlq: number;
  /** Those that are in neither, as ranges: the lowest 100,000 of them. */
  missing: OffsetRange[];
  /** Rows delivered again; harmless, the raw table collapses them. */
  duplicates: number;
}

/** Beyond so many ranges a list helps nobody. */
const maxMissingRanges = 100_000;

export interface ReconcileOptions {
  target: Target;
  catalog: Catalog;
  /** Default: every topic of the catalog. */
  topics?: readonly string[];
  signal?: AbortSignal;
}

export interface WaitUntilReconciledOptions extends ReconcileOptions {
  timeoutMs: number;
  /** Default 500. */
  pollIntervalMs?: number;
  /** Called after each look. */
  onProgress?: (progress: { produced: number; landed: number; dlq: number }) => void;
}

/** Reading dead letters, or a compacted topic, in full. */
const readTimeoutMs = 120_000;

/**
 * Compares what the broker holds with what landed, partition by partition, in the order of the catalog. A record
 * that is still on its way counts as missing.
 *
 * Producers here are idempotent but not transactional, so every offset of a topic that is not compacted is a
 * record. In a compacted topic an offset is missing only if its record still exists.
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
      const partitions = await reconciler.look();
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

/** True when every record landed or is in a dead letter topic. */
export function isClean(partitions: readonly PartitionReconciliation[]): boolean {
  return partitions.every(({ missing }) => missing.length === 0);
}

export function total(
  partitions: readonly PartitionReconciliation[],
  field: 'produced' | 'landed' | 'dlq' | 'duplicates',
): number {
  return partitions.reduce((sum, partition) => sum + partition[field], 0);
}

async function withReconciler<T>(
  options: ReconcileOptions,
  work: (reconciler: Reconciler) => Promise<T>,
): Promise<T> {
  const clickhouse = createClickHouse(options.target);
  try {
    return await withKafkaAdmin(options.target, { clientId: 'billing-reconcile' }, (admin) =>
      work(new Reconciler(options, admin, clickhouse)),
    );
  } finally {
    await clickhouse.close();
  }
}

class Reconciler {
  readonly #options: ReconcileOptions;
  readonly #admin: Admin;
  readonly #clickhouse: ClickHouse;
  /** The dead letters as of the last look, and how far they were read. */
  #deadLetters: { end: string; offsets: DeadLetterOffsets } = { end: '', offsets: new Map() };

  constructor(options: ReconcileOptions, admin: Admin, clickhouse: ClickHouse) {
    this.#options = options;
    this.#admin = admin;
    this.#clickhouse = clickhouse;
  }

  /** The broker is asked first, so that whatever lands meanwhile is never reported as missing. */
  async look(): Promise<PartitionReconciliation[]> {
    const { catalog, target } = this.#options;
    const names = this.#options.topics ?? catalog.topics.map(({ topic }) => topic);
    // What was drained of the dead letters is in their account.
    const deadLetterNames = [...catalog.deadLetterTopics.map(({ topic }) => topic), accountTopic];
    const offsets = await readTopicOffsets(this.#admin, [...names, ...deadLetterNames]);
    const topics = requireTopics(offsets, names, target.kafka.brokers);
    const deadLetters = await this.#readDeadLetters(
      deadLetterNames.flatMap((name) => offsets.get(name) ?? []),
    );
    const result: PartitionReconciliation[] = [];
    for (const topic of topics) result.push(...(await this.#lookAt(topic, deadLetters)));
    return result;
  }

  async #lookAt(topic: TopicOffsets, deadLetters: DeadLetterOffsets): Promise<PartitionReconciliation[]> {
    const ledger = await readLedger(this.#clickhouse, topic.topic, topic.partitions, this.#options.signal);
    await this.#refuseRecreated(topic, ledger);
    const partitions = topic.partitions.map((bounds) => ({
      bounds,
      counts: ledger.get(bounds.partition) ?? nothingLanded,
      dead: (deadLetters.get(sourceKey(topic.topic, bounds.partition)) ?? []).filter(
        (offset) => offset >= bounds.low && offset < bounds.high,
      ),
    }));
    const absent = new Map<number, OffsetRange[]>();
    for (const { bounds, counts, dead } of partitions) {
      // A dead letter explains one range at most, so whatever is cut off here leaves something to report.
      const maxRanges = topic.compacted ? Infinity : maxMissingRanges + dead.length;
      const ranges = await this.#findAbsent(topic.topic, bounds, counts, maxRanges);
      if (ranges.length > 0) absent.set(bounds.partition, ranges);
    }
    const existing = topic.compacted && absent.size > 0 ? await this.#existingOffsets(topic) : undefined;
    return partitions.map(({ bounds: { partition, low, high }, counts, dead }) => {
      const notLanded = absent.get(partition) ?? [];
      const lost = existing === undefined ? notLanded : onlyOffsets(notLanded, existing.get(partition) ?? []);
      return {
        topic: topic.topic,
        partition,
        // What compaction removed before it landed was superseded: nobody can tell, and nothing is lost.
        produced: topic.compacted ? counts.landed + countOffsets(lost) : high - low,
        landed: counts.landed,
        dlq: dead.length,
        missing: withoutOffsets(lost, dead).slice(0, maxMissingRanges),
        duplicates: counts.duplicates,
      };
    });
  }

  async #findAbsent(
    topic: string,
    bounds: PartitionBounds,
    counts: LedgerCounts,
    maxRanges: number,
  ): Promise<OffsetRange[]> {
    if (counts.landed === bounds.high - bounds.low) return [];
    const { signal } = this.#options;
    return findMissing(this.#clickhouse, topic, bounds, counts, {
      maxRanges,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #readDeadLetters(topics: readonly TopicOffsets[]): Promise<DeadLetterOffsets> {
    const end = JSON.stringify(topics);
    if (end !== this.#deadLetters.end) {
      const { target } = this.#options;
      this.#deadLetters = { end, offsets: await readDeadLetterOffsets(target, topics, this.#readOptions()) };
    }
    return this.#deadLetters.offsets;
  }

  async #existingOffsets(topic: TopicOffsets): Promise<Map<number, number[]>> {
    const existing = new Map<number, Set<number>>();
    await readTopics(
      this.#options.target,
      [topic],
      (_topic, partition, message) => {
        const known = existing.get(partition) ?? new Set();
        existing.set(partition, known.add(Number(message.offset)));
      },
      this.#readOptions(),
    );
    return new Map([...existing].map(([partition, known]) => [partition, ascending(known)]));
  }

  /**
   * Offsets that landed beyond the end of the partition belong to an earlier topic of the same name: comparing
   * would call records landed that never did. They may also have been produced since the broker was asked.
   */
  async #refuseRecreated({ topic, partitions }: TopicOffsets, ledger: ReadonlyMap<number, LedgerCounts>) {
    const beyond = ({ partition, high }: PartitionBounds) => (ledger.get(partition)?.highest ?? -1) >= high;
    if (!partitions.some(beyond)) return;
    const now = (await readTopicOffsets(this.#admin, [topic])).get(topic)?.partitions ?? [];
    const recreated = now.find(beyond);
    if (recreated === undefined) return;
    throw new PipelineError('TOPIC_RECREATED', {
      what: `${topic}/${recreated.partition} ends at offset ${recreated.high}, but offset ${ledger.get(recreated.partition)?.highest ?? ''} landed: the topic was recreated after its records had landed`,
      where: this.#options.target.kafka.brokers.join(', '),
      todo: 'Start both afresh (npm run down -- --purge), or remove the rows of the old topic from the raw table and the ledger.',
    });
  }

  #readOptions() {
    const { signal } = this.#options;
    return { timeoutMs: readTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  }
}

const nothingLanded: LedgerCounts = { landed: 0, span: undefined, duplicates: 0, highest: -1 };
