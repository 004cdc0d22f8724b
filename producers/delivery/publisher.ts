import type { Admin, CompressionTypes, Message, RetryOptions } from 'kafkajs';
import { PipelineError } from '../../core/errors.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import { createKafka, kafkaError, withKafkaAdmin } from '../../targets/kafka.ts';
import type { Target } from '../../targets/load-target.ts';
import type { BillingEvent } from '../events.ts';
import { Lane } from './lane.ts';
import { partitionOf } from './partition.ts';
import { createEncoder, type Encode } from './wire-format.ts';

export interface PublisherOptions {
  target: Target;
  catalog: Catalog;
  /** Ids of the registered schemas, by topic. */
  schemaIds: ReadonlyMap<string, number>;
  /** Producers that work side by side, each on partitions of its own. Default 2: one encodes while one waits. */
  lanes?: number;
  /** Records of a lane that make a request. Default 3000. */
  batchRecords?: number;
  /** Default none: on two cores compressing costs more than the bytes it saves; see bench/produce.ts. */
  compression?: CompressionTypes;
  /** Attempts after the first before a broker that went away is given up. Default 15, about 25 s. */
  retries?: number;
  /**
   * How long a batch may take, with all its attempts, before the broker is given up. Default 60000. It ends the
   * wait for a broker that accepts connections and never answers.
   */
  deliveryTimeoutMs?: number;
}

/** What the broker has confirmed; nothing else counts as sent. */
export interface Acknowledged {
  /** Records by topic. */
  byTopic: Readonly<Record<string, number>>;
  total: number;
  /** Earliest and latest `occurred_at` among them; undefined when there are none. */
  firstAt: number | undefined;
  lastAt: number | undefined;
}

interface Route {
  topic: string;
  keyField: string;
  partitions: number;
  encode: Encode;
  firstLane: number;
}

/** Encodes events and sends them in batches: in order within a partition, each one exactly once. */
export class Publisher {
  /** Kafka's own id of the cluster: a broker whose data was removed has another one afterwards. */
  readonly clusterId: string;
  readonly #target: Target;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #lanes: readonly Lane[];

  constructor(target: Target, clusterId: string, routes: ReadonlyMap<string, Route>, lanes: readonly Lane[]) {
    this.#target = target;
    this.clusterId = clusterId;
    this.#routes = routes;
    this.#lanes = lanes;
  }

  /**
   * Takes an event over. Returns a promise when its lane is full: the caller waits for it before going on, and
   * so never gets further ahead of the broker than two batches.
   *
   * @throws PipelineError what an earlier batch failed with
   */
  publish(event: BillingEvent): Promise<void> | undefined {
    const route = this.#routes.get(event.topic);
    if (route === undefined) throw new Error(`no topic ${event.topic} in the catalog`);
    const key = String(event.record[route.keyField]);
    const partition = partitionOf(key, route.partitions);
    const lane = this.#lanes[(route.firstLane + partition) % this.#lanes.length];
    const message: Message = { key, value: route.encode(event.record), partition };
    try {
      return lane?.add(route.topic, message, event.at)?.catch((error: unknown) => {
        throw kafkaError(this.#target, error);
      });
    } catch (error) {
      throw kafkaError(this.#target, error);
    }
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

  /** Disconnects; what was not flushed is dropped, and was never counted. */
  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(async (lane) => lane.close()));
  }
}

/**
 * Connects to the broker and asks it who it is and how many partitions each topic has.
 *
 * @throws PipelineError `KAFKA_UNREACHABLE`, `TOPIC_MISSING`
 */
export async function connectPublisher(options: PublisherOptions): Promise<Publisher> {
  const {
    target,
    catalog,
    schemaIds,
    batchRecords = 3000,
    retries = 15,
    deliveryTimeoutMs = 60_000,
    compression,
  } = options;
  const clientId = 'billing-producer';
  const { clusterId, partitions } = await withKafkaAdmin(target, { clientId }, async (admin) => ({
    partitions: await countPartitions(admin, catalog, target),
    clusterId: (await admin.describeCluster()).clusterId,
  }));
  const kafka = createKafka(target, { clientId, retry: outageRetry(retries) });
  const laneOptions = {
    batchRecords,
    deliveryTimeoutMs,
    retry: outageRetry(retries),
    ...(compression === undefined ? {} : { compression }),
  };
  const lanes = Array.from({ length: options.lanes ?? 2 }, () => new Lane(kafka, laneOptions));
  const routes = catalog.topics.map(({ topic, key, type }, firstLane): [string, Route] => {
    const encode = createEncoder(type, schemaIds.get(topic) ?? 0);
    return [topic, { topic, keyField: key, partitions: partitions.get(topic) ?? 1, encode, firstLane }];
  });
  const publisher = new Publisher(target, clusterId, new Map(routes), lanes);
  try {
    await Promise.all(lanes.map(async (lane) => lane.connect()));
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

/** The broker's count, not the catalog's: consumers expect a key where every other client would put it. */
async function countPartitions(admin: Admin, catalog: Catalog, target: Target): Promise<Map<string, number>> {
  const names = catalog.topics.map(({ topic }) => topic);
  const existing = new Set(await admin.listTopics());
  const missing = names.filter((name) => !existing.has(name));
  if (missing.length > 0) {
    throw new PipelineError('TOPIC_MISSING', {
      what: `There is no topic ${missing.join(', ')}`,
      where: target.kafka.brokers.join(', '),
      todo: 'Run "npm run topics:apply".',
    });
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
}
