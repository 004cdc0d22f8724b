import { randomUUID } from 'node:crypto';
import { PipelineError, isAbort, messageOf } from '../../../core/errors.ts';
import { ProduceFailedError, ProduceInterruptedError, type ProduceResult } from '../run.ts';

/** What a batch is asked for. */
export interface BatchRequest {
  events: number;
  /** Events per second. */
  rate: number;
}

export const batchStates = ['running', 'completed', 'failed', 'interrupted'] as const;

/** A batch as its reader sees it; times are ISO 8601. */
export interface Batch extends BatchRequest {
  id: string;
  state: (typeof batchStates)[number];
  startedAt: string;
  endedAt: string | null;
  /** Records the broker has acknowledged, by topic. */
  acknowledged: Readonly<Record<string, number>>;
  total: number;
  /** Why it failed. */
  failure: { code: string; message: string } | null;
}

/** What runs a batch; `onProgress` is told what has been acknowledged so far. */
export type RunBatch = (
  request: BatchRequest,
  onProgress: (progress: { byTopic: Batch['acknowledged']; total: number }) => void,
) => Promise<ProduceResult>;

/** Ended batches that can still be asked for. */
const remembered = 100;

/** The batches somebody asked for, one at a time: two at once would share the broker and keep no rate. */
export class Batches {
  readonly #runBatch: RunBatch;
  readonly #onEnd: (batch: Batch) => void;
  readonly #batches = new Map<string, Batch>();
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** @param onEnd told of every batch that has ended, however it did */
  constructor(runBatch: RunBatch, onEnd: (batch: Batch) => void = () => undefined) {
    this.#runBatch = runBatch;
    this.#onEnd = onEnd;
  }

  /** @throws PipelineError `BATCH_RUNNING`, `STOPPING` */
  start(request: BatchRequest): Batch {
    if (this.#isClosed) {
      throw new PipelineError('STOPPING', { what: 'The producer is stopping and takes no more batches' });
    }
    if (this.#running !== undefined) {
      throw new PipelineError('BATCH_RUNNING', {
        what: 'A batch is running; one runs at a time',
        retryable: true,
      });
    }
    const batch: Batch = {
      ...request,
      id: randomUUID(),
      state: 'running',
      startedAt: new Date().toISOString(),
      endedAt: null,
      acknowledged: {},
      total: 0,
      failure: null,
    };
    this.#batches.set(batch.id, batch);
    const [oldest] = this.#batches.keys();
    if (this.#batches.size > remembered && oldest !== undefined) this.#batches.delete(oldest);
    this.#running = this.#run(batch).finally(() => {
      this.#running = undefined;
    });
    return batch;
  }

  find(id: string): Batch | undefined {
    return this.#batches.get(id);
  }

  /** Takes no more batches and resolves when the running one has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(batch: Batch): Promise<void> {
    const update = (byTopic: Batch['acknowledged'], total: number) => {
      batch.acknowledged = byTopic;
      batch.total = total;
    };
    try {
      const result = await this.#runBatch(batch, ({ byTopic, total }) => {
        update(byTopic, total);
      });
      update(result.byTopic, result.total);
      batch.state = 'completed';
    } catch (error) {
      if (error instanceof ProduceFailedError || error instanceof ProduceInterruptedError) {
        update(error.result.byTopic, error.result.total);
      }
      batch.state = isAbort(error) ? 'interrupted' : 'failed';
      const code = error instanceof PipelineError ? error.code : 'UNEXPECTED';
      if (batch.state === 'failed') batch.failure = { code, message: messageOf(error) };
    }
    batch.endedAt = new Date().toISOString();
    this.#onEnd(batch);
  }
}
