import type { CompressionTypes, Kafka, Message, Producer, RecordMetadata, RetryOptions } from 'kafkajs';
import { sleep } from '../../core/wait.ts';
import { isUnreachable } from '../../targets/kafka.ts';

export interface LaneOptions {
  batchRecords: number;
  retry: RetryOptions;
  /** How long a request may take, with all its attempts. */
  deliveryTimeoutMs: number;
  compression: CompressionTypes;
  /** Called with the broker's answer to each request. */
  onAcknowledged?: (acknowledged: readonly RecordMetadata[]) => void;
}

const closeTimeoutMs = 2000;
const retryPauseMs = 500;

/** Of one partition in one request, which kafkajs makes one record batch of. */
const maxPartitionBytes = 900 * 1024;
/** Most that a record adds to its key and value: lengths, offset, timestamp. */
const recordOverheadBytes = 24;
/** Of a record batch: its header. */
const batchOverheadBytes = 61;

/** Largest key and value together that a topic takes; the broker measures whole record batches. */
export function maxRecordBytes(maxBatchBytes: number): number {
  return maxBatchBytes - batchOverheadBytes - recordOverheadBytes;
}

/** Records on their way to the broker in one request. */
interface Batch {
  topics: Map<string, TopicBatch>;
  count: number;
  firstAt: number;
  lastAt: number;
}

interface TopicBatch {
  messages: Message[];
  /** By partition. */
  bytes: number[];
}

/** A record that knows its partition. */
export interface RoutedMessage extends Message {
  key: string;
  value: Buffer;
  partition: number;
}

/**
 * One idempotent producer and the batch that is being gathered for it. At most one request is on its way, so
 * that records stay in order whatever is retried; the next batch is gathered meanwhile.
 */
export class Lane {
  readonly acknowledged = new Map<string, number>();
  firstAt: number | undefined;
  lastAt: number | undefined;

  readonly #producer: Producer;
  readonly #options: LaneOptions;
  #gathering: Batch = emptyBatch();
  /** Batches that another record did not fit into, the oldest first. */
  readonly #closed: Batch[] = [];
  #sending: Promise<void> | undefined;
  /** What the latest request failed with. A lane that failed sends nothing more: order would be lost. */
  #failure: unknown;

  constructor(kafka: Kafka, options: LaneOptions) {
    this.#options = options;
    this.#producer = kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: () => partitionOfMessage,
      retry: options.retry,
    });
  }

  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  /**
   * Adds a record; a promise when the lane is full, which resolves when it may be added to again.
   *
   * @param maxBatchBytes what the topic takes at once: one batch above it and the broker refuses the whole request
   * @throws what an earlier request failed with
   */
  add(
    topic: string,
    message: RoutedMessage,
    at: number,
    maxBatchBytes: number = maxPartitionBytes,
  ): Promise<void> | undefined {
    this.#throwFailure();
    const { partition } = message;
    const size = message.value.length + message.key.length + recordOverheadBytes;
    const limit = Math.min(maxPartitionBytes, maxBatchBytes - batchOverheadBytes);
    const gatheredBytes = this.#gathering.topics.get(topic)?.bytes[partition] ?? 0;
    if (gatheredBytes > 0 && gatheredBytes + size > limit) this.#close();
    const batch = this.#gathering;
    let gathered = batch.topics.get(topic);
    if (gathered === undefined) {
      gathered = { messages: [], bytes: [] };
      batch.topics.set(topic, gathered);
    }
    gathered.messages.push(message);
    gathered.bytes[partition] = (gathered.bytes[partition] ?? 0) + size;
    batch.count += 1;
    if (at < batch.firstAt) batch.firstAt = at;
    if (at > batch.lastAt) batch.lastAt = at;
    const isFull = batch.count >= this.#options.batchRecords || this.#closed.length > 0;
    return isFull ? this.#sendWhenIdle() : undefined;
  }

  /** Starts a request with what has been gathered unless one is on its way. */
  push(): void {
    if (this.#sending === undefined && this.#failure === undefined) this.#sendNext();
  }

  /** Resolves when everything added so far is acknowledged. */
  async flush(): Promise<void> {
    this.#close();
    await this.#sendWhenIdle();
    await this.#sending;
    this.#throwFailure();
  }

  /** Disconnects, without waiting long for a broker that is silent: kafkajs would wait for its answers. */
  async close(): Promise<void> {
    await within(closeTimeoutMs, this.#producer.disconnect()).catch(() => undefined);
  }

  /** Nothing more is added to what has been gathered. */
  #close(): void {
    if (this.#gathering.count === 0) return;
    this.#closed.push(this.#gathering);
    this.#gathering = emptyBatch();
  }

  async #sendWhenIdle(): Promise<void> {
    do {
      // More than one caller may have waited for the same request.
      while (this.#sending !== undefined) await this.#sending;
      this.#throwFailure();
      this.#sendNext();
    } while (this.#closed.length > 0);
  }

  #sendNext(): void {
    if (this.#closed.length === 0) this.#close();
    const batch = this.#closed.shift();
    if (batch === undefined) return;
    this.#sending = this.#request(batch)
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#sending = undefined;
      });
  }

  async #request(batch: Batch): Promise<void> {
    const { deliveryTimeoutMs, onAcknowledged } = this.#options;
    onAcknowledged?.(await within(deliveryTimeoutMs, this.#send(batch)));
    for (const [topic, { messages }] of batch.topics) {
      this.acknowledged.set(topic, (this.acknowledged.get(topic) ?? 0) + messages.length);
    }
    this.firstAt = Math.min(this.firstAt ?? batch.firstAt, batch.firstAt);
    this.lastAt = Math.max(this.lastAt ?? batch.lastAt, batch.lastAt);
  }

  /**
   * kafkajs was seen to give up a broker that was starting before its attempts were used up. Sending the same batch
   * again is what it does itself: the sequence numbers are back where they were, and the broker knows what it has.
   */
  async #send({ topics }: Batch): Promise<RecordMetadata[]> {
    const { compression, retry } = this.#options;
    const { retries = 0, maxRetryTime = 0 } = retry;
    const topicMessages = [...topics].map(([topic, { messages }]) => ({ topic, messages }));
    // A little less than kafkajs's own attempts take, the first of which follow each other faster.
    const giveUpAt = performance.now() + (retries - 3) * maxRetryTime;
    for (;;) {
      try {
        return await this.#producer.sendBatch({ acks: -1, topicMessages, compression });
      } catch (error) {
        if (!isUnreachable(error) || performance.now() >= giveUpAt) throw error;
        await sleep(retryPauseMs);
      }
    }
  }

  #throwFailure(): void {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- kafkajs's error, passed on as it came
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** Settles as `promise` does, or rejects when that takes too long. */
async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // The code by which kafkaError knows a broker that does not answer.
      const error = new Error(`no answer within ${Math.round(timeoutMs / 1000)} s`);
      reject(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The partition was computed when the record was encoded. */
function partitionOfMessage({ message }: { message: Message }): number {
  return message.partition ?? 0;
}

function emptyBatch(): Batch {
  return {
    topics: new Map(),
    count: 0,
    firstAt: Number.POSITIVE_INFINITY,
    lastAt: Number.NEGATIVE_INFINITY,
  };
}
