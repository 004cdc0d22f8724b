/** A thread of a backfill: tells one part after the other, as the main thread names them. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { InterruptedError, PipelineError, type PipelineErrorInit } from '../../../core/errors.ts';
import { openPublisher } from '../../delivery/publisher.ts';
import { PartTeller, type BackfillCounts, type BackfillWork } from './work.ts';

/** To a thread: tell a part, or come to an end. */
export type BackfillOrder = { kind: 'tell'; part: number } | { kind: 'stop' };

/** From a thread; `idle` when it waits for an order. */
export type BackfillReport =
  | { kind: 'idle' | 'progress'; counts: BackfillCounts }
  | { kind: 'ended' }
  /** An error as plain data: its class would not survive the way. */
  | { kind: 'failed'; code: string; error: PipelineErrorInit };

const progressIntervalMs = 250;

async function runThread(port: MessagePort, work: BackfillWork): Promise<void> {
  const orders = new Orders(port);
  const send = (report: BackfillReport) => {
    port.postMessage(report);
  };
  try {
    const publisher = await openPublisher(work.target, work.routes, work.delivery);
    const teller = new PartTeller(work, publisher, () => orders.isStopped);
    const progress = setInterval(() => {
      send({ kind: 'progress', counts: teller.counts() });
    }, progressIntervalMs);
    try {
      for (let isGoingOn = true; isGoingOn;) {
        const next = orders.next();
        send({ kind: 'idle', counts: teller.counts() });
        const order = await next;
        isGoingOn = order.kind === 'tell' && (await teller.tell(order.part));
      }
    } finally {
      clearInterval(progress);
      send({ kind: 'progress', counts: teller.counts() });
      await publisher.close();
    }
    send({ kind: 'ended' });
  } catch (error) {
    if (error instanceof InterruptedError) {
      send({ kind: 'ended' });
      return;
    }
    if (!(error instanceof PipelineError)) throw error;
    const { code, message, where, todo, retryable } = error;
    const rest = { ...(where !== undefined && { where }), ...(todo !== undefined && { todo }), retryable };
    send({ kind: 'failed', code, error: { what: message, ...rest } });
  }
}

/** Nobody sends an order before the last one was carried out, but for the order to stop. */
class Orders {
  isStopped = false;
  #wake: ((order: BackfillOrder) => void) | undefined;

  constructor(port: MessagePort) {
    port.on('message', (order: BackfillOrder) => {
      if (order.kind === 'stop') this.isStopped = true;
      this.#wake?.(order);
    });
  }

  async next(): Promise<BackfillOrder> {
    if (this.isStopped) return { kind: 'stop' };
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

// At the end: classes are not there before their line.
if (parentPort !== null) await runThread(parentPort, workerData as BackfillWork);
