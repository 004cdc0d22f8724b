import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import { resolveHome, type Home } from '../../../core/home.ts';
import type { Catalog } from '../../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../../schemas/register.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import type { Target } from '../../../targets/load-target.ts';
import type { DeliveryOptions } from '../../delivery/publisher.ts';
import { lookUpRoutes, readBounds } from '../../delivery/routes.ts';
import { createScenario, systemClock, type Clock } from '../../scenario/scenario.ts';
import { loadScenarioSettings, type ScenarioSettings } from '../../scenario/settings.ts';
import { estimateParts } from './events.ts';
import { lockBackfill } from './lock.ts';
import {
  BackfillFailedError,
  BackfillInterruptedError,
  sum,
  totalOf,
  type BackfillResult,
} from './outcome.ts';
import { planBackfill, referenceSince, unfinishedBackfill } from './plan.ts';
import { tellParts } from './threads.ts';
import type { BackfillCounts, BackfillWork } from './work.ts';
import { Checkpoints } from './checkpoints.ts';
import { Claims, runsFolder } from '../claims.ts';
import { fingerprintOf } from '../fingerprint.ts';

export interface BackfillOptions {
  target: Target;
  catalog: Catalog;
  /** How far back the history goes from now. */
  years: number;
  customers: number;
  /** Default 1. */
  seed?: number;
  signal?: AbortSignal;
  /** Called a few times per second. */
  onProgress?: (progress: BackfillProgress) => void;
  /** Called once, before anything is sent. */
  onBegin?: (begin: BackfillBegin) => void;
  /** Where it is remembered what was produced; default `PIPELINE_HOME`. */
  home?: Home;
  settings?: ScenarioSettings;
  clock?: Clock;
  /** Threads that generate, encode and send. Default 2; more than there are processors makes it slower. */
  threads?: number;
  /** Distance of two checkpoints of a part. Default 200,000 events or 5 s, whichever comes first. */
  checkpointEvery?: { events: number; ms: number };
  /** How long a run that is stopped waits for what is on its way to be acknowledged. Default 10000. */
  stopTimeoutMs?: number;
  delivery?: DeliveryOptions;
}

export interface BackfillBegin {
  /** It goes on with a backfill that was interrupted. */
  isResumed: boolean;
  /** Records that an earlier run has told; 0 for a new backfill. */
  already: number;
  /** Estimate of all records, mostly within five percent; it gets better on the way. */
  expected: number;
}

export interface BackfillProgress extends Omit<BackfillBegin, 'isResumed'> {
  /** Records that are on the broker, those of earlier runs included. */
  done: number;
  /** Of this run. */
  elapsedMs: number;
}

/**
 * Tells the history of new customers, or goes on with the one that was interrupted: without a duplicate and without
 * a gap, whatever interrupted it.
 *
 * @throws BackfillInterruptedError, BackfillFailedError once sending has begun; before that PipelineError
 *   `BACKFILL_UNFINISHED`, `BACKFILL_RUNS`, `SCENARIO_CHANGED`, `REGISTRY_UNREACHABLE`, `SCHEMA_NOT_REGISTERED`,
 *   `KAFKA_UNREACHABLE`, `TOPIC_MISSING`, `STATE_NOT_WRITABLE`
 */
export async function backfill(options: BackfillOptions): Promise<BackfillResult> {
  const { target, catalog, years, customers, seed = 1, signal, clock = systemClock } = options;
  const settings = options.settings ?? loadScenarioSettings();
  const schemaIds = await lookUpSchemaIds({
    registry: target.schemaRegistry,
    topics: catalog.topics,
    ...(signal && { signal }),
  });
  const routes = await lookUpRoutes({ target, catalog, schemaIds });
  const folder = runsFolder(options.home ?? resolveHome(), target.name, routes.clusterId, seed);
  const unlock = lockBackfill(folder);
  try {
    const claims = new Claims(folder);
    const request = { seed, years, customers };
    const fingerprint = fingerprintOf(settings);
    const claim =
      unfinishedBackfill(claims.list(), request, fingerprint) ??
      claims.add((previous) => planBackfill(previous, request, fingerprint, clock.now()));
    const result = await tell(options, {
      target,
      seed,
      settings,
      routes,
      // Larger requests than a live stream's: nobody waits for a single record.
      delivery: { batchRecords: 6000, ...options.delivery },
      told: { claim, referenceSince: referenceSince(claims.list(), claim.number) },
      folder: claims.folderOf(claim),
      since: (await readBounds(target, [...schemaIds.keys()])).end,
      every: options.checkpointEvery ?? { events: 200_000, ms: 5000 },
    });
    claims.complete(claim);
    return result;
  } finally {
    unlock();
  }
}

/** Whether a finished backfill of at least so many customers is on the target's broker. */
export async function hasBackfill(
  { target, home = resolveHome(), seed = 1 }: Pick<BackfillOptions, 'target' | 'home' | 'seed'>,
  customers: number,
): Promise<boolean> {
  const { clusterId } = await withKafkaAdmin(target, { clientId: 'billing-producer' }, async (admin) =>
    admin.describeCluster(),
  );
  const claims = new Claims(runsFolder(home, target.name, clusterId, seed)).list();
  return claims.some(({ kind, isComplete, count }) => kind === 'history' && isComplete && count >= customers);
}

async function tell(options: BackfillOptions, work: BackfillWork): Promise<BackfillResult> {
  const { onBegin, onProgress, signal, threads = 2, stopTimeoutMs = 10_000 } = options;
  const { claim } = work.told;
  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  const checkpoints = new Checkpoints(work.folder);
  const parts = Array.from({ length: claim.backfill.parts + 1 }, (_, part) => part);
  const begun = new Map(parts.map((part) => [part, checkpoints.read(part)]));
  const already = sum([...begun.values()].map((checkpoint) => checkpoint?.told ?? 0));
  /** Of parts that are told to their end the real number. */
  const sizes = estimateParts(createScenario(work.seed, work.settings), work.told);
  for (const [part, checkpoint] of begun) {
    if (checkpoint?.isComplete === true) sizes.set(part, checkpoint.told);
  }
  const expected = () => sum([...sizes.values()]);
  const waiting = parts.filter((part) => begun.get(part)?.isComplete !== true);
  let counts: readonly BackfillCounts[] = [];
  const sent = () => sum(counts.map(({ total }) => total));
  const isResumed = [...begun.values()].some((checkpoint) => checkpoint !== undefined);
  onBegin?.({ isResumed, already, expected: expected() });
  try {
    await tellParts({
      work,
      threads,
      parts: waiting,
      signal,
      stopTimeoutMs,
      onProgress: (latest) => {
        counts = latest;
        const done = already + sent() + sum(counts.map(({ found }) => found));
        onProgress?.({ already, done, expected: expected(), elapsedMs: elapsedMs() });
      },
      onTold: (part) => {
        sizes.set(part, checkpoints.read(part)?.told ?? 0);
      },
    });
  } catch (error) {
    if (error instanceof InterruptedError) throw new BackfillInterruptedError({ sent: sent() });
    if (error instanceof PipelineError) throw new BackfillFailedError(error, { sent: sent() });
    throw error;
  }
  return {
    ...totalOf(parts.flatMap((part) => checkpoints.read(part) ?? [])),
    sent: sent(),
    resumedFrom: isResumed ? already : undefined,
    elapsedMs: elapsedMs(),
  };
}
