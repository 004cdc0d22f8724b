import { runAnswers, type Answer } from '../clickhouse/answers.ts';
import { createClickHouse } from '../clickhouse/client.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { applyFleet, planFleet } from '../controlplane/fleet.ts';
import { total, waitUntilReconciled, type PartitionReconciliation } from '../controlplane/reconcile.ts';
import type { SinkInUse } from '../controlplane/sink-class.ts';
import { PipelineError } from '../core/errors.ts';
import { refreshModels } from '../dbt/refresh.ts';
import { prepareDbt, type DbtOptions } from '../dbt/run-dbt.ts';
import { startStack, stopStack, type StackSettings } from '../embedded/stack.ts';
import type { BackfillResult } from '../producers/runs/backfill/outcome.ts';
import { backfill, hasBackfill } from '../producers/runs/backfill/backfill.ts';
import { produceLive } from '../producers/runs/live/produce.ts';
import type { ProduceResult } from '../producers/runs/run.ts';
import { applyTopics } from '../schemas/apply-topics.ts';
import type { Catalog } from '../schemas/catalog.ts';
import { registerSchemas } from '../schemas/register.ts';
import { withKafkaAdmin } from '../targets/kafka.ts';
import { resolveDashboardSettings } from '../superset/api/access.ts';
import { applyDashboards, type Applied } from '../superset/apply.ts';
import { readAssets } from '../superset/declare/read-assets.ts';
import { resolveServerSettings } from '../superset/server/settings.ts';
import { startSuperset, type StartedSuperset } from '../superset/server/start.ts';
import type { Target } from '../targets/load-target.ts';

/** How long everything produced may take to land; far above what is normal on two cores. */
const landingTimeoutMs = 180_000;

/** Of the questions, those that are worth the first look; `npm run answers` has all of them. */
const mainQuestions = [1, 3, 4, 5, 21, 26];

export interface DemoOptions {
  settings: StackSettings;
  target: Target;
  catalog: Catalog;
  /** Produced only where no history of as many customers is there yet; an interrupted one is continued. */
  history: { customers: number; years: number };
  live: { rate: number; durationMs: number };
  seed: number;
  /** Also brings up Superset with the dashboards. */
  withDashboards: boolean;
  signal: AbortSignal;
  /** Called when a step begins, while it goes on and when it ends. */
  onStep: (step: DemoStep) => void;
}

export interface DemoStep {
  name: string;
  /** Undefined while the step goes on. */
  seconds?: number;
  detail: string;
}

export interface DemoReport {
  sink: SinkInUse;
  /** Null where an earlier run produced it. */
  history: BackfillResult | null;
  /** Acknowledged by the broker during this run. */
  live: ProduceResult;
  partitions: PartitionReconciliation[];
  answers: Answer[];
  /** Null where they were not asked for. */
  dashboards: (Applied & Pick<StartedSuperset, 'admin'>) | null;
}

/**
 * The main job: from nothing to answers, and the proof that nothing was lost on the way. Every step is
 * idempotent; a second run continues the same scenario and generates no history again.
 *
 * An interruption or a failure stops those services that this run started; data stays.
 *
 * @throws PipelineError `NOT_LANDED` when records are missing after the deadline, `COUNTS_DIFFER` when the
 *   producers' own count is not what the broker holds
 */
export async function runDemo(options: DemoOptions): Promise<DemoReport> {
  const { settings, onStep, signal } = options;
  const step = async <T>(
    name: string,
    work: (progress: (detail: string) => void) => Promise<[T, string]>,
  ) => {
    const startedAt = performance.now();
    onStep({ name, detail: '' });
    const [result, detail] = await work((text) => {
      onStep({ name, detail: text });
    });
    onStep({ name, seconds: (performance.now() - startedAt) / 1000, detail });
    return result;
  };

  // On a first run it is installed while the services start.
  const dbt = prepareDbt(dbtOptions(options));
  dbt.catch(() => undefined);
  const stack = await step('Stack', async (progress) => {
    const started = await startStack(settings, { signal, onProgress: progress });
    const names = started.services.filter((service) => service.started).map(({ name }) => name);
    return [started, names.length === 0 ? 'runs already' : `started ${names.join(', ')}`];
  });
  try {
    await dbt;
    return await runPipeline(options, step);
  } catch (error) {
    const services = stack.services.filter((service) => service.started).map(({ name }) => name);
    if (services.length > 0) await stopStack(settings, { services });
    throw error;
  }
}

function dbtOptions({ target, settings, signal }: DemoOptions): DbtOptions {
  return { target, home: settings.home, env: settings.env, signal };
}

type Step = <T>(
  name: string,
  work: (progress: (detail: string) => void) => Promise<[T, string]>,
) => Promise<T>;

async function runPipeline(options: DemoOptions, step: Step): Promise<DemoReport> {
  const { target, catalog, settings, live, seed, signal } = options;
  const { env } = settings;
  await step('Schemas', async () => {
    const registrations = await registerSchemas({
      registry: target.schemaRegistry,
      topics: catalog.topics,
      signal,
    });
    const fresh = registrations.filter(({ result }) => result !== 'unchanged').length;
    return [undefined, `${registrations.length} subjects, ${fresh} new`];
  });
  await step('Topics', async () => {
    const changes = await withKafkaAdmin(target, { clientId: 'demo' }, async (admin) =>
      applyTopics({ admin, catalog, replicationFactor: target.kafka.replicationFactor, signal }),
    );
    const fresh = changes.filter(({ action }) => action === 'create').length;
    return [undefined, `${changes.length} topics, ${fresh} new`];
  });
  await step('ClickHouse', async () => {
    const { applied, total: all } = await migrate(target, { signal });
    return [undefined, `${all} migrations, ${applied.length} applied now`];
  });
  const sink = await step('Connectors', async () => {
    const fleet = { target, contracts: catalog, env, signal };
    const planned = await planFleet(fleet);
    const applied = await applyFleet(fleet, planned);
    const failed = applied.find(({ failure }) => failure !== null);
    if (failed !== undefined) {
      throw new PipelineError('CONNECTOR_FAILED', {
        what: `${failed.change.name}: ${failed.failure ?? ''}`,
        where: target.connect.url,
        todo: 'See "npm run connectors:status".',
      });
    }
    return [planned.sink, `${planned.plan.changes.length} run on the ${nameSink(planned.sink)}`];
  });

  const scenario = { target, catalog, seed, home: settings.home, signal };
  const before = await countProduced(target, catalog);
  const history = await step<BackfillResult | null>('History', async (progress) => {
    const isThere = await hasBackfill(scenario, options.history.customers);
    if (isThere) return [null, `${count(before)} records are there already`];
    const produced = await backfill({
      ...scenario,
      ...options.history,
      onProgress: ({ done, already, expected, elapsedMs }) => {
        progress(`${count(done)} of about ${count(expected)} records, ${rateOf(done - already, elapsedMs)}`);
      },
    });
    return [produced, describeProduced(produced.sent, produced.elapsedMs)];
  });
  const streamed = await step('Live stream', async (progress) => {
    const produced = await produceLive({
      ...scenario,
      ...live,
      onProgress: ({ acknowledged, expected, elapsedMs }) => {
        progress(`${count(acknowledged)} of ${count(expected)} records, ${rateOf(acknowledged, elapsedMs)}`);
      },
    });
    return [produced, describeProduced(produced.total, produced.elapsedMs)];
  });

  const { partitions } = await step('Landed', async (progress) => {
    const landed = await waitUntilReconciled({
      target,
      catalog,
      timeoutMs: landingTimeoutMs,
      signal,
      onProgress: (counts) => {
        progress(`${counts.landed} of ${counts.produced}`);
      },
    });
    return [
      landed,
      `${count(total(landed.partitions, 'landed'))} of ${count(total(landed.partitions, 'produced'))}`,
    ];
  });
  prove({ partitions, before, acknowledged: (history?.sent ?? 0) + streamed.total, target });

  await step('Models', async (progress) => {
    const { models } = await refreshModels({
      ...dbtOptions(options),
      onModel: ({ done, expected }) => {
        progress(`${done} of ${expected}`);
      },
    });
    return [undefined, `${models} are up to date`];
  });
  const answers = await step('Answers', async () => {
    const clickhouse = createClickHouse(target);
    try {
      const found = await runAnswers(clickhouse, { signal, numbers: mainQuestions });
      return [found, `${found.length} questions`];
    } finally {
      await clickhouse.close();
    }
  });
  const dashboards = options.withDashboards
    ? await step('Dashboards', (progress) => bringUpDashboards(options, progress))
    : null;
  return { sink, history, live: streamed, partitions, answers, dashboards };
}

async function bringUpDashboards(
  { settings: { env }, target, signal }: DemoOptions,
  onProgress: (detail: string) => void,
): Promise<[Applied & Pick<StartedSuperset, 'admin'>, string]> {
  const { admin, url } = await startSuperset(resolveServerSettings(env), { signal, onProgress });
  const settings = resolveDashboardSettings({ ...env, SUPERSET_URL: '' }, target);
  const applied = await applyDashboards({ assets: readAssets(), target, settings, signal, onProgress });
  return [{ ...applied, admin }, `${applied.dashboards.length} on ${url}`];
}

/** As in "2 run on the official ClickHouse sink v1.5.0". */
export function nameSink({ kind, version }: SinkInUse): string {
  return `${kind === 'official' ? 'official ClickHouse sink' : "project's stand-in sink"} ${version}`;
}

interface Proof {
  partitions: readonly PartitionReconciliation[];
  /** Records the broker held before this run produced. */
  before: number;
  /** Records acknowledged to this run's producers. */
  acknowledged: number;
  target: Target;
}

/** Three independent counts must agree: the producers' own, the broker's offsets and ClickHouse's ledger. */
function prove({ partitions, before, acknowledged, target }: Proof): void {
  const missing = partitions.filter((partition) => partition.missing.length > 0);
  if (missing.length > 0) {
    throw new PipelineError('NOT_LANDED', {
      what: `${count(total(partitions, 'produced') - total(partitions, 'landed'))} records did not land within ${landingTimeoutMs / 1000} s`,
      where: missing.map(({ topic, partition }) => `${topic}/${partition}`).join(', '),
      todo: 'See "npm run connectors:status" for the cause and "npm run reconcile" for the offsets.',
    });
  }
  const held = total(partitions, 'produced');
  if (held - before !== acknowledged) {
    throw new PipelineError('COUNTS_DIFFER', {
      what: `${count(acknowledged)} records were acknowledged, but the broker holds ${count(held - before)} more than before`,
      where: target.kafka.brokers.join(', '),
      todo: 'Does something else produce to these topics? Run the demo alone.',
    });
  }
}

async function countProduced(target: Target, catalog: Catalog): Promise<number> {
  return withKafkaAdmin(target, { clientId: 'demo' }, async (admin) => {
    const topics = await Promise.all(catalog.topics.map(({ topic }) => admin.fetchTopicOffsets(topic)));
    return topics.flat().reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  });
}

function describeProduced(records: number, elapsedMs: number): string {
  return `${count(records)} records, ${rateOf(records, elapsedMs)}`;
}

function rateOf(records: number, elapsedMs: number): string {
  return `${count(Math.round((records * 1000) / Math.max(elapsedMs, 1)))}/s`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
