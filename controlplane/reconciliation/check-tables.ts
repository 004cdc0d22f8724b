import type { ClickHouse } from '../../clickhouse/client.ts';
import { compareTable, findEvents, type TableComparison } from '../../clickhouse/compare-table.ts';
import {
  commonRanges,
  countOffsets,
  lowestOffsets,
  offsetsIn,
  toRanges,
  type OffsetRange,
} from '../../clickhouse/offset-ranges.ts';
import { PipelineError } from '../../core/errors.ts';
import { sleep } from '../../core/wait.ts';
import type { CatalogTopic } from '../../schemas/catalog.ts';
import { createRegistry } from '../../schemas/registry.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { partitionKey } from '../consumer-lag.ts';
import { ascending } from '../dead-letters.ts';
import { createDecoder, type Decoded } from '../dlq/decode.ts';
import type { TopicOffsets } from '../topic-offsets.ts';
import { toTopicRanges, type Suspects } from './examine-offsets.ts';

/** What the rows of a raw table say about one partition, beside what the ledger says. */
export interface TableFindings {
  /** Landed offsets whose event came again, with the same event_id at another offset: the table keeps one row. */
  repeated: number;
  /** Rows whose record reached Kafka later than the limit after what it tells of. */
  late: number;
  /** Landed offsets whose event is in the table at no offset: somebody removed the row. */
  removed: OffsetRange[];
  /** Rows that the ledger does not know: somebody removed its entry. */
  unrecorded: OffsetRange[];
  /** Landed offsets without a row of which nobody could say why. */
  unverified: number;
}

export interface CheckTablesOptions {
  target: Target;
  clickhouse: ClickHouse;
  /** The topics, each with its window. */
  checked: readonly { topic: CatalogTopic; offsets: TopicOffsets }[];
  lateAfterMs: number;
  signal?: AbortSignal;
}

/** So many landed offsets without a row are looked up on the broker at one look: some 100 MB of records. */
const maxLookedUp = 300_000;
const readTimeoutMs = 120_000;
/** A sink's insert reaches table and ledger one after the other. */
const insertMs = 1000;

/**
 * Compares raw tables with the ledger, and asks the broker which events the offsets without a row held: where the
 * table has the event the record was a repetition, where it has not the row was removed.
 *
 * @returns by {@link partitionKey}; partitions where nothing landed are not in it
 */
export async function checkTables(options: CheckTablesOptions): Promise<Map<string, TableFindings>> {
  const compared = await compare(options);
  const suspects: Suspects[] = [];
  let left = maxLookedUp;
  for (const { topic, partition, rowless } of compared.values()) {
    const ranges = lowestOffsets(rowless, left);
    left -= countOffsets(ranges);
    if (ranges.length > 0) suspects.push({ topic, partition, ranges });
  }
  const verdicts = await lookUp(options, suspects);
  const verdictOf = (key: string) => verdicts.get(key) ?? { has: 0, lacks: [] };
  const again = await confirm(
    options,
    [...compared].flatMap(([key, { topic, unrecorded }]) =>
      unrecorded.length > 0 || verdictOf(key).lacks.length > 0 ? [topic] : [],
    ),
  );
  return new Map(
    [...compared].map(([key, { late, rowless, unrecorded }]) => {
      const { has, lacks } = verdictOf(key);
      const findings = {
        repeated: has,
        late,
        removed: commonRanges(toRanges(ascending(lacks)), again.get(key)?.rowless ?? []),
        unrecorded: commonRanges(unrecorded, again.get(key)?.unrecorded ?? []),
        unverified: countOffsets(rowless) - has - lacks.length,
      };
      return [key, findings];
    }),
  );
}

type Compared = TableComparison & { topic: string; partition: number };

async function compare({
  clickhouse,
  checked,
  lateAfterMs,
  signal,
}: CheckTablesOptions): Promise<Map<string, Compared>> {
  const all = new Map<string, Compared>();
  for (const {
    topic: { rawTable: table },
    offsets: { topic, partitions: bounds },
  } of checked) {
    const found = await compareTable(clickhouse, { table, topic, bounds, lateAfterMs }, signal);
    for (const [partition, comparison] of found)
      all.set(partitionKey(topic, partition), { topic, partition, ...comparison });
  }
  return all;
}

/** Looks a second time where something seems wrong: an insert may have been under way. */
async function confirm(
  options: CheckTablesOptions,
  topics: readonly string[],
): Promise<Map<string, Compared>> {
  if (topics.length === 0) return new Map();
  await sleep(insertMs, options.signal);
  const checked = options.checked.filter(({ offsets: { topic } }) => topics.includes(topic));
  return compare({ ...options, checked });
}

/** Of looked-up offsets how many have their event in the table, and which have not; of the rest nobody can say. */
interface Verdict {
  has: number;
  lacks: number[];
}

async function lookUp(
  { target, clickhouse, checked, signal }: CheckTablesOptions,
  suspects: readonly Suspects[],
): Promise<Map<string, Verdict>> {
  const abort = signal === undefined ? {} : { signal };
  const values = new Map<string, Buffer | null>();
  const placeOf = (topic: string, partition: number, offset: number | string) =>
    `${partitionKey(topic, partition)}/${offset}`;
  const asked = new Set(
    suspects.flatMap(({ topic, partition, ranges }) =>
      [...offsetsIn(ranges)].map((offset) => placeOf(topic, partition, offset)),
    ),
  );
  await readTopics(
    target,
    toTopicRanges(suspects),
    (topic, partition, { offset, value }) => {
      const place = placeOf(topic, partition, offset);
      if (asked.has(place)) values.set(place, value);
    },
    { timeoutMs: readTimeoutMs, ...abort },
  );
  const decode = createDecoder(createRegistry(target.schemaRegistry, signal));
  const verdicts = new Map<string, Verdict>();
  for (const { topic, offsets } of checked) {
    const events: { key: string; offset: number; id: string }[] = [];
    for (const { partition, ranges } of suspects.filter((one) => one.topic === offsets.topic)) {
      for (const offset of offsetsIn(ranges)) {
        const id = await idOf(decode, values.get(placeOf(offsets.topic, partition, offset)));
        if (id !== undefined) events.push({ key: partitionKey(offsets.topic, partition), offset, id });
      }
    }
    const ids = events.map(({ id }) => id);
    const found = await findEvents(clickhouse, topic.rawTable, ids, signal);
    for (const { key, offset, id } of events) {
      const own = verdicts.get(key) ?? { has: 0, lacks: [] };
      verdicts.set(key, own);
      if (found.has(id)) own.has += 1;
      else own.lacks.push(offset);
    }
  }
  return verdicts;
}

/** Undefined where the record is gone or cannot be read, or the registry is away. */
async function idOf(
  decode: (value: Buffer | null) => Promise<Decoded>,
  value: Buffer | null | undefined,
): Promise<string | undefined> {
  if (value === undefined || value === null) return undefined;
  let decoded: Decoded;
  try {
    decoded = await decode(value);
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'REGISTRY_UNREACHABLE') throw error;
    return undefined;
  }
  if (decoded.kind !== 'record' || typeof decoded.record !== 'object' || decoded.record === null)
    return undefined;
  const id = 'event_id' in decoded.record ? decoded.record.event_id : undefined;
  return typeof id === 'string' ? id.toLowerCase() : undefined;
}
