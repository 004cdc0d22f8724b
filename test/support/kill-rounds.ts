import { setTimeout as delay } from 'node:timers/promises';
import { reconcile, waitUntilReconciled, isClean, total } from '../../controlplane/reconcile.ts';
import { applyFleet, planFleet } from '../../controlplane/fleet.ts';
import { PipelineError } from '../../core/errors.ts';
import { waitFor } from '../../core/wait.ts';
import { runningProcess } from '../../embedded/process/process-record.ts';
import { startStack, type StackSettings } from '../../embedded/stack.ts';
import { connectPublisher } from '../../producers/delivery/publisher.ts';
import { historyEvents } from '../../producers/lives/history.ts';
import { Random } from '../../producers/scenario/random.ts';
import { createScenario } from '../../producers/scenario/scenario.ts';
import { loadScenarioSettings } from '../../producers/scenario/settings.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import type { Target } from '../../targets/load-target.ts';
import { countIndependently } from './independent-count.ts';

/** Always the same, so that a round that fails can be run again. */
export const killSeeds = [
  11, 23, 37, 41, 59, 67, 73, 89, 97, 101, 113, 127, 139, 149, 151, 163, 179, 181, 193, 199,
] as const;

export interface KillRound {
  seed: number;
  /** From the first record on. */
  killedAfterMs: number;
  records: number;
  /** Rows that the sink wrote again after its end. */
  redelivered: number;
  /** What does not agree; empty where all does. */
  disagreements: string[];
}

/**
 * The broker waits so long for a dead worker's consumers before it gives their partitions away. Kafka's default of 45 s
 * would be most of a round.
 */
const sessionTimeoutMs = 6000;

/** Lets the connectors of a stack be missed sooner while `work` runs. */
export async function withShortSessions<T>(
  { target, catalog, env }: { target: Target; catalog: Catalog; env: NodeJS.ProcessEnv },
  work: () => Promise<T>,
): Promise<T> {
  const { overrides } = target.connectors;
  const shorter = { ...overrides, 'consumer.override.session.timeout.ms': String(sessionTimeoutMs) };
  const apply = async (one: Target) => {
    const fleet = { target: one, contracts: catalog, env };
    await applyFleet(fleet, await planFleet(fleet));
  };
  await apply({ ...target, connectors: { ...target.connectors, overrides: shorter } });
  try {
    const result = await work();
    await apply(target);
    return result;
  } catch (error) {
    // What failed first says more than that the worker is not there to be told.
    await apply(target).catch(() => undefined);
    throw error;
  }
}

const longestMs = 3000;
const landTimeoutMs = 90_000;

/**
 * Produces half a year of some customers' lives, kills the sink's worker with SIGKILL at a random point of its
 * landing, starts it again, and compares what the reconciliation says with what a consumer and a GROUP BY count.
 */
export async function killRound(
  { target, settings, catalog }: { target: Target; settings: StackSettings; catalog: Catalog },
  seed: number,
): Promise<KillRound> {
  const random = new Random(seed);
  const scenario = createScenario(90_000 + seed, loadScenarioSettings(), { now: () => Date.UTC(2025, 9, 1) });
  const range = { first: 0, count: 150, startAt: Date.UTC(2025, 2, 1), endAt: Date.UTC(2025, 8, 1) };
  const events = [...historyEvents(scenario, range)].flat();
  const before = await reconcile({ target, catalog });
  const schemaIds = await lookUpSchemaIds({ registry: target.schemaRegistry, topics: catalog.topics });
  const publisher = await connectPublisher({ target, catalog, schemaIds });
  const killedAfterMs = Math.round(random.float() * longestMs);
  const killed = delay(killedAfterMs).then(() => killWorker(settings));
  try {
    for (const event of events) await publisher.publish(event);
    await publisher.flush();
  } finally {
    await publisher.close();
  }
  await killed;
  await startStack(settings, { services: ['connect'] });
  await waitUntilReconciled({ target, catalog, timeoutMs: landTimeoutMs });
  const after = await reconcile({ target, catalog, tables: { lateAfterMs: 3_600_000 } });
  const disagreements = isClean(after) ? [] : ['the reconciliation is not clean'];
  const count = await countIndependently(target, catalog);
  for (const { topic, partition, produced } of after) {
    const records = count.records.get(`${topic}/${String(partition)}`) ?? 0;
    if (records !== produced) {
      disagreements.push(
        `${topic}/${String(partition)}: ${String(produced)} produced, ${String(records)} read`,
      );
    }
  }
  for (const event of events) {
    const id = String(event.record['event_id']);
    if (count.rows.get(event.topic)?.has(id) !== true) disagreements.push(`${event.topic} lacks ${id}`);
  }
  const grown = (field: 'produced' | 'landed' | 'duplicates') => total(after, field) - total(before, field);
  if (grown('produced') !== events.length || grown('landed') !== events.length) {
    disagreements.push(
      `${String(grown('produced'))} produced and ${String(grown('landed'))} landed of ${String(events.length)}`,
    );
  }
  return { seed, killedAfterMs, records: events.length, redelivered: grown('duplicates'), disagreements };
}

/** Returns once it is gone: while it dies it still holds its port. */
async function killWorker({ home }: StackSettings): Promise<void> {
  const pid = runningProcess(home, 'connect')?.record.pid;
  if (pid === undefined) throw new PipelineError('NOT_RUNNING', { what: 'There is no worker to kill' });
  process.kill(pid, 'SIGKILL');
  await waitFor(() => runningProcess(home, 'connect') === undefined, {
    what: 'the worker to be gone',
    timeoutMs: 10_000,
    pollIntervalMs: 20,
  });
}
