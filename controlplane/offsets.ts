import { PipelineError, isAbort, messageOf } from '../core/errors.ts';
import { withKafkaAdmin } from '../targets/kafka.ts';
import type { Target } from '../targets/load-target.ts';
import { topicsOf } from './connector-config.ts';
import type { ConnectorService, LiveConnector, PartitionOffset, RunState } from './connector-service.ts';
import { partitionKey } from './consumer-lag.ts';
import { isExactlyOnce, readKeeperState, removeKeeperState, type KeeperState } from './keeper-state.ts';
import { readTopicOffsets, requireTopics, type TopicOffsets } from './topic-offsets.ts';

/** Where a connector stands in one partition. */
export interface PartitionPosition {
  topic: string;
  partition: number;
  /** The next record it reads; null where it has committed nothing. */
  offset: number | null;
  /** The next offset the broker gives out, and how far away that is; null where Kafka could not say. */
  end: number | null;
  lag: number | null;
}

export interface ConnectorOffsets {
  name: string;
  state: RunState | null;
  partitions: PartitionPosition[];
  /** Why ends and lag are unknown; null when they are known. */
  lagUnknown: string | null;
}

interface OffsetOptions {
  service: ConnectorService;
  target: Target;
  signal?: AbortSignal | undefined;
}

/** Reads where the connector stands. The server's word is worth showing also while the brokers are away. */
export async function readOffsets(
  { name, state, config }: LiveConnector,
  { service, target, signal }: OffsetOptions,
): Promise<ConnectorOffsets> {
  const committed = await service.offsets(name, signal);
  const names = [...new Set([...topicsOf({ config }), ...committed.map(({ topic }) => topic)])];
  let lagUnknown: string | null = null;
  const bounds = await readBounds(target, names).catch((error: unknown) => {
    if (isAbort(error) || !(error instanceof PipelineError)) throw error;
    lagUnknown = messageOf(error);
    return new Map<string, TopicOffsets>();
  });
  return { name, state, partitions: positions(committed, [...bounds.values()]), lagUnknown };
}

function readBounds(target: Target, topics: readonly string[]): Promise<Map<string, TopicOffsets>> {
  return withKafkaAdmin(target, { clientId: 'connectors-offsets' }, (admin) =>
    readTopicOffsets(admin, topics),
  );
}

/** One for each partition there is, and each that was committed, in order. */
export function positions(
  committed: readonly PartitionOffset[],
  topics: readonly TopicOffsets[],
): PartitionPosition[] {
  const found = new Map<string, PartitionPosition>();
  for (const { topic, partition, offset } of committed) {
    found.set(partitionKey(topic, partition), { topic, partition, offset, end: null, lag: null });
  }
  for (const { topic, partitions } of topics) {
    for (const { partition, low, high } of partitions) {
      const key = partitionKey(topic, partition);
      const offset = found.get(key)?.offset ?? null;
      const lag = Math.max(0, high - Math.max(offset ?? low, low));
      found.set(key, { topic, partition, offset, end: high, lag });
    }
  }
  return [...found.values()].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
}

export const resetPoints = ['earliest', 'latest'] as const;
export type ResetPoint = (typeof resetPoints)[number];

/** A reset as it is shown before anybody agrees to it. */
export interface OffsetReset {
  connector: LiveConnector;
  to: ResetPoint;
  offsets: readonly PartitionOffset[];
  /** Records that are read a second time, or never. */
  again: number;
  skipped: number;
  /** What goes with it; null where the connector runs without exactlyOnce. */
  keeperState: KeeperState | null;
}

/**
 * What a reset would do. Changes nothing.
 *
 * @throws PipelineError `NOT_STOPPED`, `TOPIC_NOT_FOUND`, `OTHER_CLICKHOUSE`
 */
export async function planReset(
  connector: LiveConnector,
  to: ResetPoint,
  { service, target, signal }: OffsetOptions,
): Promise<OffsetReset> {
  requireAtRest(service, connector);
  const { config, name } = connector;
  const topics = topicsOf({ config });
  const bounds = requireTopics(await readBounds(target, topics), topics, target.kafka.brokers);
  const offsets = bounds.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, low, high }) => ({
      topic,
      partition,
      offset: to === 'earliest' ? low : high,
    })),
  );
  const now = positions(await service.offsets(name, signal), bounds);
  const moves = offsets.map(({ topic, partition, offset }) => {
    const from = now.find((one) => one.topic === topic && one.partition === partition)?.offset;
    const low = bounds
      .find((one) => one.topic === topic)
      ?.partitions.find((one) => one.partition === partition)?.low;
    return offset - Math.max(from ?? 0, low ?? 0);
  });
  return {
    connector,
    to,
    offsets,
    again: sum(moves.map((by) => Math.max(0, -by))),
    skipped: sum(moves.map((by) => Math.max(0, by))),
    keeperState: isExactlyOnce(config) ? await readKeeperState(target, config, signal) : null,
  };
}

/**
 * Makes the reset. The sink's state goes first: with it gone and the offsets where they were, the connector goes on
 * and at worst writes its last block twice, whereas the other way round it would drop what it reads again.
 *
 * @throws PipelineError `NOT_STOPPED` where somebody has started the connector meanwhile, `OFFSETS_NOT_RESET`
 */
export async function executeReset(
  { connector: { name, config }, offsets, keeperState }: OffsetReset,
  { service, target, signal }: OffsetOptions,
): Promise<void> {
  const live = await service.read(name, signal);
  if (live === undefined) {
    throw new PipelineError('OFFSETS_NOT_RESET', { what: `${name} is gone`, where: service.address });
  }
  requireAtRest(service, live);
  if (keeperState !== null) await removeKeeperState(target, config, keeperState, signal);
  try {
    await service.alterOffsets(name, offsets, signal);
    const now = new Map(
      (await service.offsets(name, signal)).map((one) => [
        partitionKey(one.topic, one.partition),
        one.offset,
      ]),
    );
    const wrong = offsets.filter((one) => now.get(partitionKey(one.topic, one.partition)) !== one.offset);
    if (wrong.length === 0) return;
    const names = wrong.map(({ topic, partition }) => partitionKey(topic, partition)).join(', ');
    throw new PipelineError('OFFSETS_NOT_RESET', { what: `${names} read back as before` });
  } catch (error) {
    if (isAbort(error) || !(error instanceof PipelineError)) throw error;
    const gone = keeperState === null ? '' : "; the sink's state in Keeper is removed already";
    throw new PipelineError('OFFSETS_NOT_RESET', {
      what: `The offsets of ${name} were not reset: ${messageOf(error)}${gone}`,
      where: service.address,
      todo: 'Leave the connector as it is and run the command again: it goes on from here.',
    });
  }
}

/** A server that cannot stop a connector stops it for the moment of the change; until then it has to be paused. */
function requireAtRest(service: ConnectorService, { name, state, tasks }: LiveConnector): void {
  const [wanted, verb] =
    service.stop === undefined ? (['PAUSED', 'pause'] as const) : (['STOPPED', 'stop'] as const);
  if (state === wanted && (wanted === 'PAUSED' || tasks.length === 0)) return;
  throw new PipelineError('NOT_STOPPED', {
    what: `The offsets of ${name} can only be reset while it is ${wanted}; it is ${state ?? 'starting'}`,
    where: service.address,
    todo: `Run connectors:${verb} -- ${name} first, and connectors:resume afterwards.`,
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
