import { z } from 'zod';
import { runStates, type LiveConnector, type LiveTask } from '../connector-service.ts';
import { sinkOffsetsSchema } from '../sink-offsets.ts';

/** What the Connect API of Confluent Cloud answers, as far as the client reads it. */

/** NONE is the moment before anything is known, DELETED the one before it is gone. */
const connectorStates = [
  'NONE',
  'PROVISIONING',
  'RUNNING',
  'DEGRADED',
  'FAILED',
  'PAUSED',
  'DELETED',
] as const;

export const configSchema = z.record(z.string(), z.string());
export const statusSchema = z.object({
  connector: z.object({ state: z.enum(connectorStates), trace: z.string().nullish() }),
  tasks: z
    .array(
      z.object({
        id: z.int(),
        state: z.string(),
        worker_id: z.string().default(''),
        msg: z.string().nullish(),
      }),
    )
    .default([]),
});
export const expansionsSchema = z.record(
  z.string(),
  z.object({
    id: z.object({ id: z.string().optional() }).optional(),
    info: z.object({ config: configSchema }),
    status: statusSchema.optional(),
  }),
);
export const pluginsSchema = z.array(z.object({ class: z.string(), version: z.string().nullish() }));
export const validationSchema = z.object({
  configs: z
    .array(z.object({ value: z.object({ name: z.string(), errors: z.array(z.string()).default([]) }) }))
    .default([]),
});
export const offsetsSchema = z.object({ offsets: sinkOffsetsSchema.default([]) });
export const offsetsRequestSchema = z.object({
  status: z.object({ phase: z.string(), message: z.string().optional() }),
});
export const deletedSchema = z.object({ error: z.unknown().optional() });

/** Keys the service puts into every configuration it gives back; nobody can set them. */
const keysOfTheService: ReadonlySet<string> = new Set([
  // Kafka Connect's habit too: the name stands beside the configuration.
  'name',
  'cloud.environment',
  'cloud.provider',
  'confluent.custom.plugin.type',
  'confluent.resource.connector.tier',
  'connector.crn',
  'kafka.dedicated',
  'kafka.endpoint',
  'kafka.max.partition.validation.disable',
  'kafka.region',
  'schema.registry.url',
  'valid.kafka.api.key',
]);

/**
 * @param id `lcc-...`; undefined where it was not asked for
 * @returns undefined for a connector that is on its way out
 */
export function toLive(
  name: string,
  config: z.infer<typeof configSchema>,
  status: z.infer<typeof statusSchema> | undefined,
  id?: string,
): LiveConnector | undefined {
  const state = status?.connector.state ?? 'NONE';
  if (state === 'DELETED') return undefined;
  return {
    name,
    config: Object.fromEntries(
      Object.entries(config).filter(
        ([key]) => !keysOfTheService.has(key) && !key.startsWith('config.internal.'),
      ),
    ),
    state: state === 'NONE' ? null : state,
    trace: oneLine(status?.connector.trace ?? '') || null,
    tasks: (status?.tasks ?? []).map((task): LiveTask => ({
      id: task.id,
      // The document names no states of a task.
      state: runStates.find((known) => known === task.state) ?? 'UNASSIGNED',
      workerId: task.worker_id,
      trace: task.msg || null,
    })),
    // Named by the connector's id, so that a connector of the same name starts a group of its own.
    consumerGroup: id === undefined ? null : `connect-${id}`,
  };
}

/** What is wrong with a configuration comes as a heading and a line for each key, which belong together. */
function oneLine(trace: string): string {
  const lines = trace.trim().split(/\s*\n\s*/);
  return lines[0]?.endsWith(':') ? `${lines[0]} ${lines.slice(1).join('; ')}` : trace;
}
