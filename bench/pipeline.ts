import { migrate } from '../clickhouse/migrate.ts';
import { applyFleet, planFleet } from '../controlplane/fleet.ts';
import { PipelineError } from '../core/errors.ts';
import { applyTopics } from '../schemas/apply-topics.ts';
import { loadCatalog, type Catalog } from '../schemas/catalog.ts';
import { registerSchemas } from '../schemas/register.ts';
import { withKafkaAdmin } from '../targets/kafka.ts';
import type { BenchStack } from './bench-stack.ts';

/** Schemas, topics and tables, but no connector yet: what is produced now waits on the broker. */
export async function preparePipeline({ target }: BenchStack): Promise<Catalog> {
  const catalog = loadCatalog();
  await registerSchemas({ registry: target.schemaRegistry, topics: catalog.topics });
  await withKafkaAdmin(target, { clientId: 'bench' }, async (admin) =>
    applyTopics({ admin, catalog, replicationFactor: target.kafka.replicationFactor }),
  );
  await migrate(target);
  return catalog;
}

/** Returns when every connector and task is RUNNING. */
export async function applyConnectors({ target, env }: BenchStack, catalog: Catalog): Promise<string> {
  const fleet = { target, contracts: catalog, env: { ...process.env, ...env } };
  const planned = await planFleet(fleet);
  const failed = (await applyFleet(fleet, planned)).find(({ failure }) => failure !== null);
  if (failed !== undefined) {
    throw new PipelineError('CONNECTOR_FAILED', { what: `${failed.change.name}: ${failed.failure ?? ''}` });
  }
  return `${planned.sink.kind} ${planned.sink.version}`;
}
