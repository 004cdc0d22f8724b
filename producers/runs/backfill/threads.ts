import { Worker } from 'node:worker_threads';
import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import type { BackfillCounts, BackfillWork } from './work.ts';
import type { BackfillOrder, BackfillReport } from './worker.ts';

export interface ThreadsOptions {
  work: BackfillWork;
  /** How many threads work side by side. */
  threads: number;
  /** Parts still to be told, in order. Part 0 is told before any other begins: the others refer to it. */
  parts: readonly number[];
  /** Called several times per second with what each thread has achieved. */
  onProgress: (counts: readonly BackfillCounts[]) => void;
  /** Called when a part has been told to its end. */
  onTold: (part: number) => void;
  signal: AbortSignal | undefined;
  /** How long threads that are stopped may take to flush and to write their checkpoints. */
  stopTimeoutMs: number;
}

/**
 * Has the parts told by threads, each of which takes the next part when it has finished one.
 *
 * Threads and not processes: they die with the process, so that nobody sends on while somebody else resumes.
 *
 * @throws InterruptedError, or the PipelineError of the first thread that failed; the others stop as well
 */
export async function tellParts(options: ThreadsOptions): Promise<void> {
  const { work, parts, onProgress, onTold, signal, stopTimeoutMs } = options;
  const waiting = [...parts];
  let onShared: () => void = () => undefined;
  const shared = parts.includes(0) ? new Promise<void>((resolve) => (onShared = resolve)) : Promise.resolve();
  const takePart = async () => {
    const part = waiting.shift();
    if (part !== undefined && part !== 0) await shared;
    return part;
  };
  const threads = Array.from({ length: Math.min(options.threads, parts.length) }, () => new Thread(work));
  let deadline: NodeJS.Timeout | undefined;
  const stop = () => {
    for (const thread of threads) thread.stop();
    deadline ??= setTimeout(() => {
      for (const thread of threads) thread.terminate();
    }, stopTimeoutMs);
  };
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  let failure: unknown;
  const runs = threads.map(async (thread) =>
    thread
      .run({
        takePart,
        onTold: (part) => {
          if (part === 0) onShared();
          onTold(part);
        },
        onProgress: () => {
          onProgress(threads.flatMap(({ counts }) => counts ?? []));
        },
      })
      .catch((error: unknown) => {
        failure ??= error;
        stop();
      }),
  );
  await Promise.all(runs);
  clearTimeout(deadline);
  signal?.removeEventListener('abort', stop);
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- passed on as a thread threw it
  if (failure !== undefined) throw failure;
  if (signal?.aborted === true) throw new InterruptedError();
}

interface ThreadCallbacks {
  takePart: () => Promise<number | undefined>;
  onTold: (part: number) => void;
  onProgress: () => void;
}

/**
 * V8 takes what the machine has before it collects garbage with any effort, newer ones more than older ones. A part
 * of the default size needs less than half of this.
 */
const heapLimits = { maxOldGenerationSizeMb: 320, maxYoungGenerationSizeMb: 48 } as const;

/** The main thread's side of a thread. */
class Thread {
  counts: BackfillCounts | undefined;
  readonly #worker: Worker;
  #part: number | undefined;

  constructor(work: BackfillWork) {
    this.#worker = new Worker(new URL('./worker-entry.js', import.meta.url), {
      // Flags of the process, such as tsx's, are none of the thread's: its entry brings what it needs.
      execArgv: [],
      resourceLimits: heapLimits,
      workerData: { ...work, module: new URL('./worker.ts', import.meta.url).href },
    });
  }

  /** Gives the thread one part after the other and resolves when it has ended. */
  async run({ takePart, onTold, onProgress }: ThreadCallbacks): Promise<void> {
    let failure: unknown;
    const giveWork = async () => {
      this.#part = await takePart();
      this.#send(this.#part === undefined ? { kind: 'stop' } : { kind: 'tell', part: this.#part });
    };
    this.#worker.on('message', (report: BackfillReport) => {
      if (report.kind === 'failed') failure = new PipelineError(report.code, report.error);
      // A client that gave up may still have timers and sockets: nothing may be sent once this is over.
      if (report.kind === 'failed' || report.kind === 'ended') {
        this.terminate();
        return;
      }
      this.counts = report.counts;
      onProgress();
      if (report.kind !== 'idle') return;
      if (this.#part !== undefined) onTold(this.#part);
      void giveWork();
    });
    // A defect of ours, or a lack of memory.
    this.#worker.on('error', (error) => {
      failure = error;
    });
    await new Promise((resolve) => this.#worker.once('exit', resolve));
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- passed on as the thread threw it
    if (failure !== undefined) throw failure;
  }

  stop(): void {
    this.#send({ kind: 'stop' });
  }

  terminate(): void {
    void this.#worker.terminate();
  }

  #send(order: BackfillOrder): void {
    this.#worker.postMessage(order);
  }
}
