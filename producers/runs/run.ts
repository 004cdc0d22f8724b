import path from 'node:path';
import { InterruptedError, PipelineError } from '../../core/errors.ts';
import { resolveHome, type Home } from '../../core/home.ts';
import { sleep } from '../../core/wait.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import type { Target } from '../../targets/load-target.ts';
import { connectPublisher, type Acknowledged, type PublisherOptions } from '../delivery/publisher.ts';
import type { FaultShares } from '../delivery/fault-shares.ts';
import type { FaultCounts } from '../delivery/faults.ts';
import { FaultyPublisher } from '../delivery/faulty-publisher.ts';
import type { RefusedRecord } from '../delivery/refused-records.ts';
import type { BillingEvent } from '../events.ts';
import { createScenario, systemClock, type Clock, type Scenario } from '../scenario/scenario.ts';
import { loadScenarioSettings, type ScenarioSettings } from '../scenario/settings.ts';
import { Claims, claimsFolder } from './claims.ts';

const progressIntervalMs = 250;

export interface RunProgress {
  acknowledged: number;
  /** Records the run is going to send. */
  expected: number;
  elapsedMs: number;
  byTopic: Acknowledged['byTopic'];
}

/** What every kind of run takes. */
export interface RunOptions {
  target: Target;
  catalog: Catalog;
  /** Default 1. The same seed goes on where it stopped; another seed is another business. */
  seed?: number;
  signal?: AbortSignal;
  /** Called a few times per second. */
  onProgress?: (progress: RunProgress) => void;
  /** Told of each record that is larger than its topic allows: it is kept in a file, and the run goes on. */
  onRefused?: (record: RefusedRecord) => void;
  /** Where it is remembered what was produced; default `PIPELINE_HOME`. */
  home?: Home;
  settings?: ScenarioSettings;
  clock?: Clock;
  /** How long a run that is stopped waits for what is on its way to be acknowledged. Default 10000. */
  stopTimeoutMs?: number;
  /** Faults to inject on the way to the broker. Default none. */
  faults?: FaultShares;
  publisher?: Partial<
    Pick<PublisherOptions, 'lanes' | 'batchRecords' | 'compression' | 'retries' | 'deliveryTimeoutMs'>
  >;
}

/** What a run achieved, in records the broker has acknowledged. */
export interface ProduceResult extends Acknowledged {
  elapsedMs: number;
  /** How often each fault was injected; null where none was asked for. */
  faults: FaultCounts | null;
  /** Records that were not sent because they are larger than their topic allows. */
  refused: readonly RefusedRecord[];
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

/** A promise when the caller has to wait; see {@link Publisher.publish}. */
export type Publish = (event: BillingEvent) => Promise<void> | undefined;

/** What a run works with. */
export interface RunTools {
  scenario: Scenario;
  claims: Claims;
  /** Where the seed's claims are; a run may keep files of its own beside them. */
  folder: string;
  /** Runs `produce` and waits until everything it published is acknowledged. */
  send: (expected: number, produce: (publish: Publish) => Promise<void>) => Promise<void>;
  /** Sends what has been gathered without waiting for a full batch. */
  push: () => void;
  /** Waits until everything published so far is acknowledged. */
  flush: () => Promise<void>;
  /**
   * Registers what to do at the end, if everything that was published has been acknowledged by then: after a
   * complete run, and after an interrupted one whose last records still arrived. Never after a failure.
   */
  whenSettled: (keep: () => void) => void;
}

/**
 * What all kinds of runs have in common: connecting, progress, counting, and an orderly end.
 *
 * @throws ProduceInterruptedError, ProduceFailedError once producing has begun; PipelineError
 *   `REGISTRY_UNREACHABLE`, `SCHEMA_NOT_REGISTERED`, `KAFKA_UNREACHABLE`, `TOPIC_MISSING` before that
 */
export async function run(
  options: RunOptions,
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
    registry: target.schemaRegistry,
    topics: catalog.topics,
    ...(signal === undefined ? {} : { signal }),
  });
  const publisher = await connectPublisher({
    target,
    catalog,
    schemaIds,
    refusedFolder: path.join(claimsFolder(home, target.name), 'refused'),
    ...(options.onRefused && { onRefused: options.onRefused }),
    ...options.publisher,
  });
  // By cluster: what was produced to a broker that has been purged since is no reason to skip anything.
  const folder = path.join(claimsFolder(home, target.name), publisher.clusterId, `seed-${seed}`);
  const claims = new Claims(folder);
  let faulty: FaultyPublisher | undefined;
  let startedAt: number | undefined;
  const result = (): ProduceResult => ({
    ...publisher.acknowledged(),
    elapsedMs: Math.round(performance.now() - (startedAt ?? performance.now())),
    faults: faulty?.counts ?? null,
    refused: publisher.refused(),
  });
  const showProgress = (expected: number) => {
    const { total, byTopic, elapsedMs } = result();
    onProgress?.({ acknowledged: total, byTopic, expected, elapsedMs });
  };
  const unlessInterrupted = interruptible(signal);
  const publish: Publish = (event) => {
    if (signal?.aborted === true) throw new InterruptedError();
    const full = (faulty ?? publisher).publish(event);
    return full === undefined ? undefined : unlessInterrupted(full);
  };
  const send: RunTools['send'] = async (expected, produce) => {
    startedAt = performance.now();
    const timer = setInterval(() => {
      showProgress(expected);
    }, progressIntervalMs);
    try {
      await produce(publish);
      await unlessInterrupted(flush());
      showProgress(expected);
    } finally {
      clearInterval(timer);
    }
  };
  const flush = async () => {
    await faulty?.release();
    await publisher.flush();
  };
  const push = () => {
    publisher.push();
  };
  let keep: () => void = () => undefined;
  const whenSettled: RunTools['whenSettled'] = (given) => {
    keep = given;
  };
  try {
    if (options.faults !== undefined) {
      const number = claims.list().at(-1)?.number ?? 0;
      faulty = new FaultyPublisher(publisher, { shares: options.faults, catalog, seed, run: number });
    }
    await work({
      scenario,
      claims,
      folder,
      send,
      push,
      flush: async () => unlessInterrupted(flush()),
      whenSettled,
    });
    keep();
    return result();
  } catch (error) {
    if (!(error instanceof PipelineError) || startedAt === undefined) throw error;
    const isSettled = await settle(flush, options.stopTimeoutMs ?? 10_000);
    if (!(error instanceof InterruptedError)) throw new ProduceFailedError(error, result());
    if (isSettled) keep();
    throw new ProduceInterruptedError(result());
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

/** Lets what is on its way arrive, so that it is counted; true when all of it did in time. */
async function settle(flush: () => Promise<void>, timeoutMs: number): Promise<boolean> {
  const deadline = new AbortController();
  const isSettled = await Promise.race([
    flush().then(
      () => true,
      () => false,
    ),
    sleep(timeoutMs, deadline.signal).then(
      () => false,
      () => false,
    ),
  ]);
  deadline.abort();
  return isSettled;
}

function count({ total }: Acknowledged): string {
  return total.toLocaleString('en-US');
}
