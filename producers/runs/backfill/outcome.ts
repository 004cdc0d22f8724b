import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import type { Acknowledged } from '../../delivery/publisher.ts';
import type { Checkpoint } from './checkpoints.ts';

/** The whole backfill as far as it is on the broker, earlier runs of it included. */
export interface BackfillResult extends Acknowledged {
  /** Records that were acknowledged to this run. */
  sent: number;
  /** Records that were there before, when this run went on with an interrupted backfill. */
  resumedFrom: number | undefined;
  /** Of this run. */
  elapsedMs: number;
}

/** What a backfill that stopped on the way had achieved. */
export interface BackfillStop {
  /** Records that were acknowledged to this run. */
  sent: number;
}

/** A backfill that was stopped. */
export class BackfillInterruptedError extends InterruptedError {
  readonly stop: BackfillStop;

  constructor(stop: BackfillStop) {
    super(
      `Interrupted after ${format(stop.sent)} acknowledged records; run the same command again to continue`,
    );
    this.stop = stop;
  }
}

/** A backfill that failed on the way. */
export class BackfillFailedError extends PipelineError {
  readonly stop: BackfillStop;

  constructor(cause: PipelineError, stop: BackfillStop) {
    const cure = cause.todo === undefined ? '' : `${cause.todo} `;
    super(cause.code, {
      what: `${cause.message}; ${format(stop.sent)} records were acknowledged before`,
      ...(cause.where !== undefined && { where: cause.where }),
      todo: `${cure}Run the same command again to continue: nothing is lost or sent twice.`,
      retryable: cause.retryable,
      cause,
    });
    this.stop = stop;
  }
}

/** What the parts of a backfill amount to. */
export function totalOf(checkpoints: readonly Checkpoint[]): Acknowledged {
  const byTopic: Record<string, number> = {};
  for (const checkpoint of checkpoints) {
    for (const [topic, records] of Object.entries(checkpoint.byTopic)) {
      byTopic[topic] = (byTopic[topic] ?? 0) + records;
    }
  }
  const firsts = checkpoints.flatMap(({ firstAt }) => firstAt ?? []);
  const lasts = checkpoints.flatMap(({ lastAt }) => lastAt ?? []);
  return {
    byTopic,
    total: sum(checkpoints.map(({ told }) => told)),
    firstAt: firsts.length > 0 ? Math.min(...firsts) : undefined,
    lastAt: lasts.length > 0 ? Math.max(...lasts) : undefined,
  };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function format(number: number): string {
  return number.toLocaleString('en-US');
}
