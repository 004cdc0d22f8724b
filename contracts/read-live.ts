import { createClickHouse } from '../clickhouse/client.ts';
import { describeStatement, toTables } from '../clickhouse/describe-tables.ts';
import { serviceOf } from '../controlplane/fleet.ts';
import type { AvroRecord } from '../schemas/read-schema.ts';
import { createRegistry } from '../schemas/registry.ts';
import type { Target } from '../targets/load-target.ts';
import type { LiveContracts } from './compare-live.ts';
import type { Contracts } from './judge-contracts.ts';

/**
 * Asks registry, worker and ClickHouse at once.
 *
 * @throws PipelineError of whichever does not answer
 */
export async function readLive(
  target: Target,
  topics: Contracts['topics'],
  signal: AbortSignal,
): Promise<LiveContracts> {
  const [schemas, connectors, tables] = await Promise.all([
    readSchemas(target, topics, signal),
    serviceOf({ target }).list(signal),
    readTables(target, signal),
  ]);
  return {
    schemas,
    connectors: new Map([...connectors].map(([name, { config }]) => [name, { name, config }])),
    tables,
  };
}

async function readSchemas(target: Target, topics: Contracts['topics'], signal: AbortSignal) {
  const registry = createRegistry(target.schemaRegistry, signal);
  return new Map(
    await Promise.all(
      topics.map(async ({ topic }) => {
        const [latest] = await registry.versionsOf(`${topic}-value`);
        const schema = latest === undefined ? undefined : (JSON.parse(latest.schema) as AvroRecord);
        return [topic, schema] as const;
      }),
    ),
  );
}

async function readTables(target: Target, signal: AbortSignal) {
  const clickhouse = createClickHouse(target);
  try {
    return toTables(await clickhouse.query(describeStatement, { signal }), clickhouse.url);
  } finally {
    await clickhouse.close();
  }
}
