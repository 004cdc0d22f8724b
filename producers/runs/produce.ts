import path from 'node:path';
import { InterruptedError, PipelineError } from '../../core/errors.ts';
import { resolveHome, type Home } from '../../core/home.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import { sleep } from '../../core/wait.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import type { Target } from '../../targets/load-target.ts';
import { Claims, claimsFolder, firstFreeIndex } from './claims.ts';
import type { BillingEvent } from '../events.ts';
import { customersFor, historyEvents } from '../lives/history.ts';
import { LiveStream } from '../lives/live.ts';
import { pace } from './pace.ts';
import {
  connectPublisher,
  type Acknowledged,
  type Publisher,
  type PublisherOptions,
} from '../delivery/publisher.ts';
import { createScenario, systemClock, type Clock } from '../scenario/scenario.ts';
import { loadScenarioSettings, type ScenarioSettings } from '../scenario/settings.ts';

const yearMs = 365.25 * 86_400_000;
const progressIntervalMs = 250;

export interface ProduceProgress {
  acknowledged: number;
  /** Records the run is going to send. */
  expected: number;
  elapsedMs: number;
}

export interface ProduceOptions {
  target: Target;
  catalog: Catalog;
  /** Default 1. The same seed goes on where it stopped; another seed is another business. */
  seed?: number;
  signal?: AbortSignal;
  /** Called a few times per second. */
  onProgress?: (progress: ProduceProgress) => void;
  /** Where it is remembered what was produced; default `PIPELINE_HOME`. */
  home?: Home;
  settings?: ScenarioSettings;
  clock?: Clock;
  /** How long a run that is stopped waits for what is on its way to be acknowledged. Default 10000. */
  stopTimeoutMs?: number;
  publisher?: Partial<
    Pick<PublisherOptions, 'lanes' | 'batchRecords' | 'compression' | 'retries' | 'deliveryTimeoutMs'>
  >;
}

export interface HistoryOptions extends ProduceOptions {
  /** At least this many events are produced: whole lives, so usually a few more. */
  events: number;
  /** How far back the history goes from now. Default 2. */
  years?: number;
}

export interface LiveOptions extends ProduceOptions {
  /** Events per second. */
  rate: number;
  durationMs: number;
}

/** What a run achieved, in records the broker has acknowledged. */
export interface ProduceResult extends Acknowledged {
  elapsedMs: number;
}

/** A run that was stopped, with what it had achieved. */
export class ProduceInterruptedError extends InterruptedError {
  readonly result: ProduceResult;

  constructor(result: ProduceResult) {
    super(`Interrupted after ${count(result)} acknowledged records`);
    this.result = result;
  }
}

/** A run that failed on the way, with what it had achieved. */
export class ProduceFailedError extends PipelineError {
  readonly result: ProduceResult;

  constructor(cause: PipelineError, result: ProduceResult) {
    super(cause.code, {
      what: `${cause.message}; ${count(result)} records were acknowledged before, the rest is not counted as sent`,
      ...(cause.where === undefined ? {} : { where: cause.where }),
      ...(cause.todo === undefined ? {} : { todo: cause.todo }),
      retryable: cause.retryable,
      cause,
    });
    this.result = result;
  }
}

/**
 * Produces the history of new customers up to now, in the order of time. A second call tells of other customers.
 *
 * @throws ProduceInterruptedError, ProduceFailedError once producing has begun; PipelineError
 *   `REGISTRY_UNREACHABLE`, `SCHEMA_NOT_REGISTERED`, `KAFKA_UNREACHABLE`, `TOPIC_MISSING` before that
 */
export async function produceHistory(options: HistoryOptions): Promise<ProduceResult> {
  const { events, years = 2, clock = systemClock } = options;
  return run(options, async ({ scenario, claims, send }) => {
    const endAt = clock.now();
    const period = { startAt: Math.round(endAt - years * yearMs), endAt };
    const claim = claims.add((previous) => {
      const first = firstFreeIndex(previous);
      return { kind: 'history', first, count: customersFor(scenario, first, period, events), ...period };
    });
    await send(events, async (publish) => {
      for (const day of historyEvents(scenario, claim)) {
        for (const event of day) {
          const full = publish(event);
          // Awaiting what is no promise would cost a turn of the event loop for every record.
          if (full !== undefined) await full;
        }
      }
    });
    claims.complete(claim);
  });
}

/**
 * Produces a stream of events that happen now, at a steady rate: customers of the histories produced so far are
 * billed and pay, and new ones sign up.
 *
 * @throws see {@link produceHistory}
 */
export async function produceLive(options: LiveOptions): Promise<ProduceResult> {
  const { rate, durationMs, signal, clock = systemClock } = options;
  return run(options, async ({ scenario, claims, send, push }) => {
    const now = clock.now();
    const expected = Math.round((rate * durationMs) / 1000);
    const claim = claims.add((previous) => ({
      kind: 'live',
      first: firstFreeIndex(previous),
      // Twice the expected signups, and enough for a run that finds no customers at all.
      count: 100 + Math.ceil(2 * expected * scenario.settings.live.signups),
      startAt: now,
      endAt: now,
    }));
    const stream = new LiveStream(scenario, {
      run: claim.number,
      histories: claims.list().filter(({ kind, isComplete }) => kind === 'history' && isComplete),
      signups: claim,
    });
    await send(expected, async (publish) => {
      for await (const due of pace({ rate, durationMs, ...(signal === undefined ? {} : { signal }) })) {
        for (let sent = 0; sent < due; sent += 1) {
          const full = publish(stream.next(clock.now()));
          if (full !== undefined) await full;
        }
        push();
      }
    });
    claims.complete(claim);
  });
}

interface RunTools {
  scenario: ReturnType<typeof createScenario>;
  claims: Claims;
  /** Runs `produce` and waits until everything it published is acknowledged. */
  send: (expected: number, produce: (publish: Publish) => Promise<void>) => Promise<void>;
  /** Sends what has been gathered without waiting for a full batch. */
  push: () => void;
}

/** A promise when the caller has to wait; see {@link Publisher.publish}. */
type Publish = (event: BillingEvent) => Promise<void> | undefined;

/** What both kinds of runs have in common: connecting, progress, counting, and an orderly end. */
async function run(
  options: ProduceOptions,
  work: (tools: RunTools) => Promise<void>,
): Promise<ProduceResult> {
  const {
    target,
    catalog,
    seed = 1,
    signal,
    onProgress,
    home = resolveHome(),
    clock = systemClock,
  } = options;
  const scenario = createScenario(seed, options.settings ?? loadScenarioSettings(), clock);
  const schemaIds = await lookUpSchemaIds({
    registryUrl: target.schemaRegistry.url,
    topics: catalog.topics,
    ...(signal === undefined ? {} : { signal }),
  });
  const publisher = await connectPublisher({ target, catalog, schemaIds, ...options.publisher });
  // By cluster: what was produced to a broker that has been purged since is no reason to skip anything.
  const folder = path.join(claimsFolder(home, target.name), publisher.clusterId, `seed-${seed}`);
  const claims = new Claims(folder);
  const startedAt = performance.now();
  const result = (): ProduceResult => ({
    ...publisher.acknowledged(),
    elapsedMs: Math.round(performance.now() - startedAt),
  });
  const unlessInterrupted = interruptible(signal);
  const publish: Publish = (event) => {
    if (signal?.aborted === true) throw new InterruptedError();
    const full = publisher.publish(event);
    return full === undefined ? undefined : unlessInterrupted(full);
  };
  const push = () => {
    publisher.push();
  };
  const send: RunTools['send'] = async (expected, produce) => {
    const timer = setInterval(() => {
      const { total, elapsedMs } = result();
      onProgress?.({ acknowledged: total, expected, elapsedMs });
    }, progressIntervalMs);
    try {
      await produce(publish);
      await unlessInterrupted(publisher.flush());
      onProgress?.({ acknowledged: result().total, expected, elapsedMs: result().elapsedMs });
    } finally {
      clearInterval(timer);
    }
  };
  try {
    await work({ scenario, claims, send, push });
    return result();
  } catch (error) {
    if (error instanceof InterruptedError) {
      await settle(publisher, options.stopTimeoutMs ?? 10_000);
      throw new ProduceInterruptedError(result());
    }
    if (error instanceof PipelineError) {
      await settle(publisher, options.stopTimeoutMs ?? 10_000);
      throw new ProduceFailedError(error, result());
    }
    throw error;
  } finally {
    await publisher.close();
  }
}

/** Makes any wait end as soon as `signal` aborts; what was waited for goes on. */
function interruptible(signal: AbortSignal | undefined): <T>(promise: Promise<T>) => Promise<T> {
  if (signal === undefined) return async (promise) => promise;
  const interruption = new Promise<never>((_, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        reject(new InterruptedError());
      },
      { once: true },
    );
  });
  // Where nobody waits, the signal is looked at before the next record.
  interruption.catch(() => undefined);
  return async (promise) => Promise.race([promise, interruption]);
}

/** Lets what is on its way arrive, so that it is counted; the run fails for another reason already. */
async function settle(publisher: Publisher, timeoutMs: number): Promise<void> {
  const deadline = new AbortController();
  await Promise.race([
    publisher.flush().catch(() => undefined),
    sleep(timeoutMs, deadline.signal).catch(() => undefined),
  ]);
  deadline.abort();
}

function count({ total }: Acknowledged): string {
  return total.toLocaleString('en-US');
}
