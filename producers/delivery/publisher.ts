import type { CompressionTypes, RecordMetadata, RetryOptions } from 'kafkajs';
import { createType } from '../../schemas/read-schema.ts';
import { createKafka, kafkaError } from '../../targets/kafka.ts';
import { kafkajs } from '../../core/kafkajs/kafkajs.ts';
import type { Target } from '../../targets/load-target.ts';
import type { BillingEvent } from '../events.ts';
import { Lane, maxRecordBytes } from './lane.ts';
import { hashOf } from './partition.ts';
import { keepRefused, type RefusedRecord } from './refused-records.ts';
import { lookUpRoutes, type Positions, type Routes, type RoutesOptions, type TopicRoute } from './routes.ts';
import { createEncoder, type Encode } from './wire-format.ts';

export interface DeliveryOptions {
  /** Producers that work side by side, each on keys of its own. Default 2: one encodes while one waits. */
  lanes?: number;
  /** Records of a lane that make a request. Default 3000. */
  batchRecords?: number;
  /**
   * Default LZ4, which costs no more than it saves: what is not there need not be copied and summed. The broker
   * keeps 43 % of the bytes. See DECISIONS.md for the others.
   */
  compression?: CompressionTypes;
  /** Attempts after the first before a broker that went away is given up. Default 15, about 25 s. */
  retries?: number;
  /**
   * How long a batch may take, with all its attempts, before the broker is given up. Default 60000. It ends the
   * wait for a broker that accepts connections and never answers.
   */
  deliveryTimeoutMs?: number;
}

/** What becomes of records that are larger than their topic allows. */
export interface RefusalOptions {
  /** Where they are kept; without it the first one ends the run. */
  refusedFolder?: string;
  /** Called for each of them, when it is kept. */
  onRefused?: (record: RefusedRecord) => void;
}

export interface PublisherOptions extends DeliveryOptions, RefusalOptions, RoutesOptions {}

/** What the broker has confirmed; nothing else counts as sent. */
export interface Acknowledged {
  /** Records by topic. */
  byTopic: Readonly<Record<string, number>>;
  total: number;
  /** Earliest and latest `occurred_at` among them; undefined when there are none. */
  firstAt: number | undefined;
  lastAt: number | undefined;
}

interface Channel {
  route: TopicRoute;
  encode: Encode;
  maxRecordBytes: number;
}

/** Encodes events and sends them in batches: in order for each key, each one exactly once. */
export class Publisher {
  readonly clusterId: string;
  readonly #target: Target;
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #lanes: readonly Lane[];
  readonly #positions = new Map<string, number[]>();
  readonly #options: RefusalOptions;
  readonly #refused: RefusedRecord[] = [];

  constructor(
    target: Target,
    { clusterId, topics }: Routes,
    createLane: (onAcknowledged: (answers: readonly RecordMetadata[]) => void) => Lane,
    lanes: number,
    options: RefusalOptions,
  ) {
    this.#target = target;
    this.clusterId = clusterId;
    this.#options = options;
    this.#channels = new Map(
      topics.map((route) => [
        route.topic,
        {
          route,
          encode: createEncoder(createType(route.definition), route.schemaId),
          maxRecordBytes: maxRecordBytes(route.maxBatchBytes),
        },
      ]),
    );
    const onAcknowledged = this.#remember.bind(this);
    this.#lanes = Array.from({ length: lanes }, () => createLane(onAcknowledged));
  }

  async connect(): Promise<void> {
    await Promise.all(this.#lanes.map(async (lane) => lane.connect()));
  }

  /**
   * Takes an event over. Returns a promise when its lane is full: the caller waits for it before going on, and
   * so never gets further ahead of the broker than two batches. Events of one key are acknowledged in their
   * order, over all topics, so that no child is there before its parent.
   *
   * A record that is larger than its topic allows is not sent: the broker would refuse the whole batch it is in.
   *
   * @param value bytes that are sent in the place of the event's own
   * @throws PipelineError what an earlier batch failed with; `RECORD_TOO_LARGE` where such records are not kept
   */
  publish(event: BillingEvent, value?: Buffer): Promise<void> | undefined {
    const { route, encode, maxRecordBytes: limit } = this.#channelOf(event.topic);
    const key = String(event.record[route.keyField]);
    const hash = hashOf(key);
    // The same hash for both: with an even number of partitions a lane has only half of them in a request.
    const lane = this.#lanes[hash % this.#lanes.length];
    const message = { key, value: value ?? encode(event.record), partition: hash % route.partitions };
    if (message.value.length + key.length > limit) {
      const refused = keepRefused(this.#options.refusedFolder, route.topic, message, limit);
      this.#refused.push(refused);
      this.#options.onRefused?.(refused);
      return undefined;
    }
    try {
      return lane?.add(route.topic, message, event.at, route.maxBatchBytes)?.catch((error: unknown) => {
        throw kafkaError(this.#target, error);
      });
    } catch (error) {
      throw kafkaError(this.#target, error);
    }
  }

  /** How records of a topic are encoded, and how large they may be. */
  formatOf(topic: string): Pick<Channel, 'encode' | 'maxRecordBytes'> {
    return this.#channelOf(topic);
  }

  /** Starts to send what has been gathered, on every lane that is idle. */
  push(): void {
    for (const lane of this.#lanes) lane.push();
  }

  /** Sends everything and waits until it is acknowledged. */
  async flush(): Promise<void> {
    const results = await Promise.allSettled(this.#lanes.map(async (lane) => lane.flush()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw kafkaError(this.#target, failed.reason);
  }

  /** Records that were not sent because they are larger than their topic allows; each is kept in a file. */
  refused(): readonly RefusedRecord[] {
    return this.#refused;
  }

  acknowledged(): Acknowledged {
    const byTopic: Record<string, number> = {};
    let total = 0;
    const times: number[] = [];
    for (const lane of this.#lanes) {
      for (const [topic, count] of lane.acknowledged) {
        byTopic[topic] = (byTopic[topic] ?? 0) + count;
        total += count;
      }
      if (lane.firstAt !== undefined && lane.lastAt !== undefined) times.push(lane.firstAt, lane.lastAt);
    }
    const hasAny = times.length > 0;
    return {
      byTopic,
      total,
      firstAt: hasAny ? Math.min(...times) : undefined,
      lastAt: hasAny ? Math.max(...times) : undefined,
    };
  }

  /**
   * Where the latest acknowledged batch of each partition begins, or what `since` says of a partition without
   * one. After a flush everything that is sent later comes behind it.
   */
  positions(since: Positions): Positions {
    return Object.fromEntries(
      Object.entries(since).map(([topic, offsets]) => {
        const seen = this.#positions.get(topic) ?? [];
        return [topic, offsets.map((offset, partition) => Math.max(offset, seen[partition] ?? 0))];
      }),
    );
  }

  /** Disconnects; what was not flushed is dropped, and was never counted. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(async (lane) => lane.close()));
  }

  #channelOf(topic: string): Channel {
    const channel = this.#channels.get(topic);
    if (channel === undefined) throw new Error(`no topic ${topic} in the catalog`);
    return channel;
  }

  #remember(answers: readonly RecordMetadata[]): void {
    for (const { topicName, partition, baseOffset } of answers) {
      let offsets = this.#positions.get(topicName);
      if (offsets === undefined) this.#positions.set(topicName, (offsets = []));
      // A batch that the broker had already, of an attempt whose answer was lost, may come without an offset.
      offsets[partition] = Math.max(offsets[partition] ?? 0, Number(baseOffset ?? 0));
    }
  }
}

/**
 * Connects to the broker and asks it who it is and how many partitions each topic has.
 *
 * @throws PipelineError `KAFKA_UNREACHABLE`, `TOPIC_MISSING`
 */
export async function connectPublisher(options: PublisherOptions): Promise<Publisher> {
  return openPublisher(options.target, await lookUpRoutes(options), options);
}

/**
 * Connects to the broker along routes that were looked up before.
 *
 * @throws PipelineError `KAFKA_UNREACHABLE`
 */
export async function openPublisher(
  target: Target,
  routes: Routes,
  options: DeliveryOptions & RefusalOptions,
): Promise<Publisher> {
  const {
    lanes = 2,
    batchRecords = 3000,
    compression = kafkajs.CompressionTypes.LZ4,
    retries = 15,
    deliveryTimeoutMs = 60_000,
  } = options;
  const retry = outageRetry(retries);
  const kafka = createKafka(target, { clientId: 'billing-producer', retry });
  const laneOptions = {
    batchRecords,
    deliveryTimeoutMs,
    retry,
    compression,
  };
  const publisher = new Publisher(
    target,
    routes,
    (onAcknowledged) => new Lane(kafka, { ...laneOptions, onAcknowledged }),
    lanes,
    options,
  );
  try {
    await publisher.connect();
    return publisher;
  } catch (error) {
    await publisher.close();
    throw kafkaError(target, error);
  }
}

/**
 * For requests and for reconnecting alike: kafkajs gives up for good when the one or the other is exhausted.
 * Bounded on purpose, which it warns about: a producer that never gives up never reports either.
 */
function outageRetry(retries: number): RetryOptions {
  return { initialRetryTime: 300, maxRetryTime: 2000, retries };
}
