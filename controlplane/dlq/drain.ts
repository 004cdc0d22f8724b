import type { Admin } from 'kafkajs';
import { toRanges } from '../../clickhouse/offset-ranges.ts';
import { createKafka, kafkaError } from '../../targets/kafka.ts';
import type { Target } from '../../targets/load-target.ts';
import { ascending } from '../dead-letters.ts';
import type { TopicOffsets } from '../topic-offsets.ts';
import { ensureAccount, openAccount } from './account.ts';
import type { AccountEntry, LetterAccount } from './account-entries.ts';
import { readLetters, type DeadLetter } from './letters.ts';

/** What a drain would remove of one partition of a dead letter topic. */
export interface DrainPlan {
  topic: string;
  partition: number;
  /** Everything below goes. */
  before: number;
  replayed: number;
  /** Nobody has replayed these. */
  abandoned: number;
  letters: readonly DeadLetter[];
}

export interface DrainOptions {
  target: Target;
  /** A connected client. */
  admin: Admin;
  letters: TopicOffsets;
  /** Removes everything below it; `end` for all there is now. Default: up to the first letter nobody has replayed. */
  before?: number | 'end';
  /** Of the dead letter topic. Default: all of them. */
  partition?: number;
  signal?: AbortSignal;
}

const readTimeoutMs = 120_000;

/** Finds out what would go; partitions of which nothing goes are left out. */
export async function planDrain(options: DrainOptions): Promise<DrainPlan[]> {
  const { target, admin, letters: topic, signal } = options;
  const reading = { timeoutMs: readTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  const all = await readLetters(target, [topic], reading);
  const account = await openAccount(target, admin, signal).read();
  return topic.partitions
    .filter(({ partition }) => options.partition === undefined || options.partition === partition)
    .map((bounds) => planPartition(topic.topic, bounds, all, account, options.before))
    .filter(({ before, letters }) => letters.length > 0 && before > 0);
}

/** Pure. */
export function planPartition(
  topic: string,
  { partition, high }: { partition: number; high: number },
  all: readonly DeadLetter[],
  account: ReadonlyMap<string, LetterAccount>,
  upTo: number | 'end' | undefined,
): DrainPlan {
  const own = all.filter((letter) => letter.topic === topic && letter.partition === partition);
  const isReplayed = ({ id }: DeadLetter) => account.get(id)?.replayed !== undefined;
  const firstWaiting = own.find((letter) => !isReplayed(letter))?.offset ?? high;
  const before = upTo === undefined ? firstWaiting : upTo === 'end' ? high : Math.min(upTo, high);
  const letters = own.filter(({ offset }) => offset < before);
  const replayed = letters.filter(isReplayed).length;
  return { topic, partition, before, replayed, abandoned: letters.length - replayed, letters };
}

/**
 * Removes the letters of a plan. First the account takes down which records they were: whoever counts them later
 * finds them there. A drain that is interrupted in between has removed nothing, and can be repeated.
 */
export async function executeDrain(
  { target, admin, letters: { topic } }: Pick<DrainOptions, 'target' | 'admin' | 'letters'>,
  plans: readonly DrainPlan[],
): Promise<void> {
  if (plans.length === 0) return;
  await ensureAccount(admin, target.kafka.replicationFactor);
  const producer = createKafka(target, { clientId: 'billing-dlq' }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  try {
    await producer.connect();
    await openAccount(target, admin).append(producer, plans.flatMap(entriesOf));
    await admin.deleteTopicRecords({
      topic,
      partitions: plans.map(({ partition, before }) => ({ partition, offset: String(before) })),
    });
  } catch (error) {
    throw kafkaError(target, error);
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
}

/** So many ranges stay well below the size a broker takes as one record. */
const rangesPerEntry = 10_000;

function entriesOf({ topic, partition, before, letters }: DrainPlan): AccountEntry[] {
  const offsets = new Map<string, { topic: string; partition: number; offsets: Set<number> }>();
  for (const { source } of letters) {
    if (source === undefined) continue;
    const key = `${source.topic}/${source.partition}`;
    const known = offsets.get(key) ?? {
      topic: source.topic,
      partition: source.partition,
      offsets: new Set(),
    };
    known.offsets.add(source.offset);
    offsets.set(key, known);
  }
  return [...offsets.values()].flatMap((source) => {
    const ranges = toRanges(ascending(source.offsets)).map(({ first, last }): [number, number] => [
      first,
      last,
    ]);
    return Array.from({ length: Math.ceil(ranges.length / rangesPerEntry) }, (_, index): AccountEntry => {
      const some = ranges.slice(index * rangesPerEntry, (index + 1) * rangesPerEntry);
      return {
        kind: 'drained',
        letters: { topic, partition, before },
        sources: [{ topic: source.topic, partition: source.partition, ranges: some }],
      };
    });
  });
}
