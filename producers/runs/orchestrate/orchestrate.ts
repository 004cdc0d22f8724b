import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import { parseSchedule, runSchedule, type ScheduleOptions } from '../../../core/schedule.ts';
import { produceLive, type LiveOptions } from '../live/produce.ts';
import { ProduceFailedError, ProduceInterruptedError, type ProduceResult } from '../run.ts';
import { startTriggerServer } from './trigger-server.ts';
import { Batches, type Batch } from './trigger.ts';

/** What the batches have in common. */
export type BatchOptions = Omit<LiveOptions, 'rate' | 'durationMs' | 'graceMs' | 'signal'> & {
  /** Ends a schedule or a server in an orderly way: the running batch is flushed. */
  signal: AbortSignal;
};

/** What all batches achieved together. */
export interface BatchesResult {
  batches: number;
  failed: number;
  /** Acknowledged records by topic. */
  byTopic: Record<string, number>;
  total: number;
}

export interface ScheduledOptions extends BatchOptions, Pick<ScheduleOptions, 'onNext' | 'onSkipped'> {
  /** CRON expression; see {@link parseSchedule}. */
  schedule: string;
  /** Of each batch. */
  rate: number;
  durationMs: number;
  onBatchEnd?: (outcome: ProduceResult | PipelineError) => void;
}

/**
 * Produces a batch at each firing of a schedule until `signal` aborts. A batch that fails does not end the
 * schedule: the next one is tried, and goes on with the same scenario.
 *
 * @throws InvalidInputError for a schedule that is not valid
 */
export async function produceOnSchedule(options: ScheduledOptions): Promise<BatchesResult> {
  const { signal, onNext, onSkipped, onBatchEnd } = options;
  const schedule = parseSchedule(options.schedule);
  const result = noBatches();
  const runBatch = async () => {
    try {
      const outcome = await produceLive(options);
      count(result, outcome);
      onBatchEnd?.(outcome);
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      count(result, error);
      if (error instanceof InterruptedError) throw error;
      onBatchEnd?.(error);
    }
  };
  try {
    await runSchedule({
      schedule,
      run: runBatch,
      signal,
      ...(onNext && { onNext }),
      ...(onSkipped && { onSkipped }),
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
  return result;
}

export interface TriggeredOptions extends BatchOptions {
  /** 0 takes any free port. */
  port: number;
  /** Shared secret of those who may start a batch. */
  token: string;
  /** Events per second of a batch that names no rate. */
  rate: number;
  onListening?: (url: string) => void;
  onBatchEnd?: (batch: Batch) => void;
}

/**
 * Produces the batches that somebody asks for over HTTP until `signal` aborts.
 *
 * @throws PipelineError `PORT_TAKEN`, `CANNOT_LISTEN`
 */
export async function produceOnTrigger(options: TriggeredOptions): Promise<BatchesResult> {
  const { port, token, rate, signal, onListening, onBatchEnd } = options;
  const result = noBatches();
  const batches = new Batches(
    async (request, onProgress) => {
      const { events } = request;
      const durationMs = (events * 1000) / request.rate;
      // Whoever asked for a number of events gets that number, however long it takes.
      const graceMs = Number.POSITIVE_INFINITY;
      return produceLive({
        ...options,
        rate: request.rate,
        durationMs,
        graceMs,
        onProgress: ({ byTopic, acknowledged }) => {
          onProgress({ byTopic, total: acknowledged });
        },
      });
    },
    (batch) => {
      add(result, batch.acknowledged, batch.state === 'failed');
      onBatchEnd?.(batch);
    },
  );
  const server = await startTriggerServer({ batches, port, token, rate });
  onListening?.(server.url);
  if (!signal.aborted) {
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
  }
  await server.close();
  return result;
}

function noBatches(): BatchesResult {
  return { batches: 0, failed: 0, byTopic: {}, total: 0 };
}

function count(result: BatchesResult, outcome: ProduceResult | PipelineError): void {
  const hasResult = outcome instanceof ProduceFailedError || outcome instanceof ProduceInterruptedError;
  const isFailure = outcome instanceof PipelineError && !(outcome instanceof InterruptedError);
  if (!(outcome instanceof PipelineError)) add(result, outcome.byTopic, false);
  else add(result, hasResult ? outcome.result.byTopic : {}, isFailure);
}

function add(result: BatchesResult, byTopic: Readonly<Record<string, number>>, isFailure: boolean): void {
  result.batches += 1;
  if (isFailure) result.failed += 1;
  for (const [topic, records] of Object.entries(byTopic)) {
    result.byTopic[topic] = (result.byTopic[topic] ?? 0) + records;
    result.total += records;
  }
}
