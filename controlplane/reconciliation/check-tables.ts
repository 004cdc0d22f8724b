import type { ClickHouse } from '../../clickhouse/client.ts';
import { compareTable, findEvents, type TableComparison } from '../../clickhouse/compare-table.ts';
import {
  commonRanges,
  countOffsets,
  lowestOffsets,
  offsetsIn,
  toRanges,
  withoutRanges,
  type OffsetRange,
} from '../../clickhouse/offset-ranges.ts';
import { PipelineError } from '../../core/errors.ts';
import { sleep } from '../../core/wait.ts';
import type { CatalogTopic } from '../../schemas/catalog.ts';
import { createRegistry } from '../../schemas/registry.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { ascending } from '../dead-letters.ts';
import { createDecoder, type Decoded } from '../dlq/decode.ts';
import type { TopicOffsets } from '../topic-offsets.ts';
import { toTopicRanges } from './examine-offsets.ts';

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

export interface CheckTableOptions {
  target: Target;
  clickhouse: ClickHouse;
  topic: CatalogTopic;
  offsets: TopicOffsets;
  lateAfterMs: number;
  signal?: AbortSignal;
}

/** So many landed offsets without a row are looked up on the broker, of one topic: some 60 MB of records. */
const maxLookedUp = 200_000;
const readTimeoutMs = 120_000;
/** A sink's insert reaches table and ledger one after the other. */
const insertMs = 1000;

/**
 * Compares a raw table with the ledger, and asks the broker which events the offsets without a row held: where the
 * table has the event the record was a repetition, where it has not the row was removed.
 *
 * @returns by partition; those where nothing landed are not in it
 */
export async function checkTable(options: CheckTableOptions): Promise<Map<number, TableFindings>> {
  const compared = await compare(options);
  const repeated = new Map<number, OffsetRange[]>();
  const unknown = new Map<number, OffsetRange[]>();
  const suspicious = new Map<number, OffsetRange[]>();
  let left = maxLookedUp;
  for (const [partition, { rowless }] of compared) {
    const lookedUp = lowestOffsets(rowless, left);
    left -= countOffsets(lookedUp);
    suspicious.set(partition, lookedUp);
    unknown.set(partition, withoutRanges(rowless, lookedUp));
  }
  const verdicts = await lookUp(options, suspicious);
  for (const [partition, ranges] of suspicious) {
    const { has = [], lacks = [] } = verdicts.get(partition) ?? {};
    repeated.set(partition, toRanges(ascending(has)));
    suspicious.set(partition, toRanges(ascending(lacks)));
    const rest = withoutRanges(withoutRanges(ranges, toRanges(ascending(has))), toRanges(ascending(lacks)));
    unknown.set(partition, [...(unknown.get(partition) ?? []), ...rest]);
  }
  const again = await confirm(options, compared, suspicious);
  return new Map(
    [...compared].map(([partition, { late, unrecorded }]) => [
      partition,
      {
        repeated: countOffsets(repeated.get(partition) ?? []),
        late,
        removed: commonRanges(suspicious.get(partition) ?? [], again?.get(partition)?.rowless ?? []),
        unrecorded: commonRanges(unrecorded, again?.get(partition)?.unrecorded ?? []),
        unverified: countOffsets(unknown.get(partition) ?? []),
      },
    ]),
  );
}

/** Looks a second time where something seems wrong: an insert may have been under way. */
async function confirm(
  options: CheckTableOptions,
  compared: ReadonlyMap<number, TableComparison>,
  suspicious: ReadonlyMap<number, readonly OffsetRange[]>,
): Promise<Map<number, TableComparison> | undefined> {
  const isSound =
    [...suspicious.values()].every((ranges) => ranges.length === 0) &&
    [...compared.values()].every(({ unrecorded }) => unrecorded.length === 0);
  if (isSound) return undefined;
  await sleep(insertMs, options.signal);
  return compare(options);
}

function compare({ clickhouse, topic, offsets, lateAfterMs, signal }: CheckTableOptions) {
  const { topic: name, partitions: bounds } = offsets;
  return compareTable(clickhouse, { table: topic.rawTable, topic: name, bounds, lateAfterMs }, signal);
}

/** Offsets by whether the table has their event; those of which nobody can say are in neither. */
interface Verdicts {
  has: number[];
  lacks: number[];
}

async function lookUp(
  { target, clickhouse, topic, offsets, signal }: CheckTableOptions,
  suspicious: ReadonlyMap<number, readonly OffsetRange[]>,
): Promise<Map<number, Verdicts>> {
  const values = new Map(
    [...suspicious.keys()].map((key) => [key, new Map<number, Buffer | null>()] as const),
  );
  const abort = signal === undefined ? {} : { signal };
  const suspects = [...suspicious].map(([partition, ranges]) => ({
    topic: offsets.topic,
    partition,
    ranges,
  }));
  await readTopics(
    target,
    toTopicRanges(suspects),
    (_topic, partition, { offset, value }) => values.get(partition)?.set(Number(offset), value),
    { timeoutMs: readTimeoutMs, ...abort },
  );
  const decode = createDecoder(createRegistry(target.schemaRegistry, signal));
  const events: { partition: number; offset: number; id: string }[] = [];
  try {
    for (const { partition, ranges } of suspects) {
      for (const offset of offsetsIn(ranges)) {
        const value = values.get(partition)?.get(offset);
        if (value === undefined || value === null) continue;
        const id = eventIdOf(await decode(value));
        if (id !== undefined) events.push({ partition, offset, id });
      }
    }
  } catch (error) {
    // Without the registry nobody can say which events they were; that is no reason to say nothing of the rest.
    if (!(error instanceof PipelineError) || error.code !== 'REGISTRY_UNREACHABLE') throw error;
    return new Map();
  }
  const found = await findEvents(
    clickhouse,
    topic.rawTable,
    events.map(({ id }) => id),
    signal,
  );
  const verdicts = new Map<number, Verdicts>();
  for (const { partition, offset, id } of events) {
    const own = verdicts.get(partition) ?? { has: [], lacks: [] };
    verdicts.set(partition, own);
    (found.has(id) ? own.has : own.lacks).push(offset);
  }
  return verdicts;
}

function eventIdOf(decoded: Decoded): string | undefined {
  if (decoded.kind !== 'record' || typeof decoded.record !== 'object' || decoded.record === null)
    return undefined;
  const id = 'event_id' in decoded.record ? decoded.record.event_id : undefined;
  return typeof id === 'string' ? id.toLowerCase() : undefined;
}
