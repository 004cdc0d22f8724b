import { z } from 'zod';
import type { Problem } from '../../core/errors.ts';
import { parseWith } from '../../core/parse.ts';
import { awaitState, noSuchConnector } from '../await-state.ts';
import {
  runStates,
  type ConnectorPlugin,
  type ConnectorService,
  type LiveConnector,
  type Pace,
} from '../connector-service.ts';
import { diffConfig } from '../plan.ts';
import { secretValues } from '../secrets.ts';
import { createSender, type SenderOptions } from '../send-request.ts';
import { fromWire, sinkOffsetsSchema, toWire } from '../sink-offsets.ts';
import { connectDialect } from './connect-dialect.ts';

const state = z.enum(runStates);
const statusSchema = z.object({
  connector: z.object({ state, trace: z.string().nullish() }),
  tasks: z.array(
    z.object({ id: z.int(), state, worker_id: z.string().default(''), trace: z.string().nullish() }),
  ),
});
const configSchema = z.record(z.string(), z.string().nullable());
const infosSchema = z.record(z.string(), z.object({ info: z.object({ config: configSchema }) }));
const statusesSchema = z.record(z.string(), z.object({ status: statusSchema }));
const pluginsSchema = z.array(z.object({ class: z.string(), version: z.string().nullish() }));
const validationSchema = z.object({
  configs: z.array(z.object({ value: z.object({ name: z.string(), errors: z.array(z.string()) }) })),
});

const offsetsSchema = z.object({ offsets: sinkOffsetsSchema });

const unexpected = 'Kafka Connect answered in a form this client does not know';

const pace: Pace = {
  pollIntervalMs: 200,
  readBackTimeoutMs: 5000,
  startTimeoutMs: 60_000,
  // Right after a write the worker still reports the tasks of the configuration before.
  settleMs: 1500,
};
/** The workers answer 202 at once and reach the state within a rebalance. */
const stateTimeoutMs = 30_000;

type Verb = 'pause' | 'resume' | 'stop';

/** The client for Kafka Connect's REST API, of the worker or any worker of the cluster. */
export function createConnectClient(options: SenderOptions): ConnectorService {
  const { send, address, learn, mask } = createSender(options, connectDialect);

  /** Reads what is at `path`; `undefined` where the worker says that there is no such connector. */
  const get = async <S extends z.ZodType>(
    path: string,
    schema: S,
    purpose: string,
    signal: AbortSignal | undefined,
  ): Promise<z.infer<S> | undefined> => {
    const { status, body } = await send({ method: 'GET', path, purpose }, { signal });
    return status === 404 ? undefined : parseWith(schema, body, unexpected, address + path);
  };

  /** Reads what every worker has. */
  const getAlways = async <S extends z.ZodType>(
    path: string,
    schema: S,
    purpose: string,
    signal: AbortSignal | undefined,
  ): Promise<z.infer<S>> =>
    (await get(path, schema, purpose, signal)) ?? parseWith(schema, undefined, unexpected, address + path);

  const read: ConnectorService['read'] = async (name, signal) => {
    const purpose = `read the connector ${name}`;
    const config = await get(`${pathOf(name)}/config`, configSchema, purpose, signal);
    if (config === undefined) return undefined;
    const live = toLive(name, config, await get(`${pathOf(name)}/status`, statusSchema, purpose, signal));
    learn(secretValues(live.config));
    return live;
  };

  const change = async (name: string, verb: Verb, signal: AbortSignal | undefined) => {
    const purpose = `${verb} the connector ${name}`;
    await send({ method: 'PUT', path: `${pathOf(name)}/${verb}`, purpose }, { signal });
    const options = { timeoutMs: stateTimeoutMs, pollIntervalMs: pace.pollIntervalMs, signal };
    await awaitState(verb, name, { address, read }, options);
  };

  return {
    address,
    pace,
    read,
    pause: (name, signal) => change(name, 'pause', signal),
    stop: (name, signal) => change(name, 'stop', signal),
    resume: (name, signal) => change(name, 'resume', signal),

    async plugins(signal) {
      const plugins = await getAlways(
        '/connector-plugins',
        pluginsSchema,
        "list the worker's plugins",
        signal,
      );
      return plugins.map((plugin): ConnectorPlugin => {
        return { class: plugin.class, version: plugin.version ?? null };
      });
    },

    async list(signal) {
      const purpose = 'list the connectors';
      // Asked for both at once, the worker leaves out every connector that has no status yet, and a plan would
      // create it again (ConnectorsResource.listConnectors skips what throws NotFoundException).
      const [infos, statuses] = await Promise.all([
        getAlways('/connectors?expand=info', infosSchema, purpose, signal),
        getAlways('/connectors?expand=status', statusesSchema, purpose, signal),
      ]);
      const live = Object.entries(infos).map(([name, { info }]) =>
        toLive(name, info.config, statuses[name]?.status),
      );
      learn(live.flatMap(({ config }) => secretValues(config)));
      return new Map(live.map((connector) => [connector.name, connector]));
    },

    async validate({ name, config, secretKeys }, signal) {
      const path = `/connector-plugins/${encodeURIComponent(config['connector.class'] ?? '')}/config/validate`;
      const purpose = `validate the connector ${name}`;
      learn(secretValues(config, secretKeys));
      const { body } = await send({ method: 'PUT', path, body: { ...config, name }, purpose }, { signal });
      return parseWith(validationSchema, body, unexpected, address + path).configs.flatMap(({ value }) =>
        // One mistake has a second error in its wake: "null: must be non-null", as nothing could be parsed.
        value.errors.slice(0, 1).map((message): Problem => {
          return { path: `${name}.config.${value.name}`, message: mask(message) };
        }),
      );
    },

    async put(connector, signal) {
      const { name, config, secretKeys, state: declared } = connector;
      const path = `${pathOf(name)}/config`;
      const purpose = `write the connector ${name}`;
      learn(secretValues(config, secretKeys));
      const tookEffect = async () => {
        const live = await read(name, signal);
        return live !== undefined && diffConfig(live.config, connector).length === 0;
      };
      const options = { signal, tookEffect };
      // Only a create can say in which state (KIP-980), so that a task never starts.
      if ((declared === 'paused' || declared === 'stopped') && (await read(name, signal)) === undefined) {
        const body = { name, config, initial_state: declared.toUpperCase() };
        await send({ method: 'POST', path: '/connectors', body, purpose }, options);
        return;
      }
      await send({ method: 'PUT', path, body: config, purpose }, options);
    },

    async restartFailed(name, signal) {
      const path = `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`;
      await send({ method: 'POST', path, purpose: `restart the connector ${name}` }, { signal });
    },

    async restartAll(name, signal) {
      const path = `${pathOf(name)}/restart?includeTasks=true&onlyFailed=false`;
      await send({ method: 'POST', path, purpose: `restart the connector ${name}` }, { signal });
    },

    async restartOne(name, task, signal) {
      const part = task === null ? '' : `/tasks/${String(task)}`;
      const purpose = `restart ${task === null ? '' : `task ${String(task)} of `}the connector ${name}`;
      await send({ method: 'POST', path: `${pathOf(name)}${part}/restart`, purpose }, { signal });
    },

    async offsets(name, signal) {
      const path = `${pathOf(name)}/offsets`;
      const purpose = `read the offsets of the connector ${name}`;
      const answer = await get(path, offsetsSchema, purpose, signal);
      if (answer === undefined) throw noSuchConnector(purpose, address);
      return fromWire(answer.offsets);
    },

    async alterOffsets(name, offsets, signal) {
      const path = `${pathOf(name)}/offsets`;
      const body = { offsets: toWire(offsets) };
      await send(
        { method: 'PATCH', path, body, purpose: `alter the offsets of the connector ${name}` },
        { signal },
      );
    },

    async resetOffsets(name, signal) {
      const purpose = `reset the offsets of the connector ${name}`;
      const path = `${pathOf(name)}/offsets`;
      const { status } = await send({ method: 'DELETE', path, purpose }, { signal });
      if (status === 404) throw noSuchConnector(purpose, address);
    },

    async delete(name, signal) {
      await send(
        { method: 'DELETE', path: pathOf(name), purpose: `delete the connector ${name}` },
        { signal },
      );
    },
  };
}

function pathOf(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

function toLive(
  name: string,
  config: z.infer<typeof configSchema>,
  status: z.infer<typeof statusSchema> | undefined,
): LiveConnector {
  const entries = Object.entries(config).filter(
    // Connect puts the connector's name into the configuration it gives back.
    (entry): entry is [string, string] => entry[0] !== 'name' && entry[1] !== null,
  );
  return {
    name,
    config: Object.fromEntries(entries),
    state: status?.connector.state ?? null,
    trace: status?.connector.trace ?? null,
    tasks: (status?.tasks ?? []).map(({ id, state: taskState, worker_id, trace }) => ({
      id,
      state: taskState,
      workerId: worker_id,
      trace: trace ?? null,
    })),
    consumerGroup: config['consumer.override.group.id'] || `connect-${name}`,
  };
}
