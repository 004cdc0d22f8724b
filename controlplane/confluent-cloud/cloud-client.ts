import type { z } from 'zod';
import { PipelineError, type Problem } from '../../core/errors.ts';
import { parseWith } from '../../core/parse.ts';
import { awaitState, noSuchConnector } from '../await-state.ts';
import type { ConnectorPlugin, ConnectorService, Pace } from '../connector-service.ts';
import { secretValues } from '../secrets.ts';
import { createSender, type SenderOptions } from '../send-request.ts';
import { fromWire } from '../sink-offsets.ts';
import {
  configSchema,
  deletedSchema,
  expansionsSchema,
  offsetsSchema,
  pluginsSchema,
  statusSchema,
  toLive,
  validationSchema,
} from './cloud-answers.ts';
import { cloudDialect } from './cloud-dialect.ts';
import { requestOffsets } from './offset-requests.ts';

export interface CloudOptions extends Omit<SenderOptions, 'credentials'> {
  /** `env-...` */
  environment: string;
  /** Of the Kafka cluster: `lkc-...` */
  cluster: string;
  /** A Cloud API key, which is not a key of the Kafka cluster. */
  credentials: { username: string; password: string };
  /** For tests: a service that is faster than the real one. */
  pace?: Partial<CloudPace>;
}

interface CloudPace extends Pace {
  /** How long a pause, a resume or a change of offsets may take. */
  stateTimeoutMs: number;
}

/** Requests are limited per account, and a connector takes minutes to be provisioned. */
const usualPace: CloudPace = {
  pollIntervalMs: 3000,
  readBackTimeoutMs: 60_000,
  startTimeoutMs: 600_000,
  settleMs: 5000,
  stateTimeoutMs: 300_000,
};

const unexpected = 'Confluent Cloud answered in a form this client does not know';

/**
 * The client for the managed connectors of one Kafka cluster in Confluent Cloud (connect/v1). Differences to Kafka
 * Connect that are settled here: secrets come back as asterisks, a task's error is its `msg`, there is no
 * stop, and changes of offsets are requests whose end has to be awaited.
 */
export function createCloudClient(options: CloudOptions): ConnectorService {
  const { environment, cluster } = options;
  const { stateTimeoutMs, ...pace }: CloudPace = { ...usualPace, ...options.pace };
  const { send, address, learn, mask } = createSender(options, cloudDialect);
  const base = `/connect/v1/environments/${encodeURIComponent(environment)}/clusters/${encodeURIComponent(cluster)}`;
  const pathOf = (name: string) => `${base}/connectors/${encodeURIComponent(name)}`;

  /** `undefined` where the service says that there is no such connector. */
  const get = async <S extends z.ZodType>(
    path: string,
    schema: S,
    purpose: string,
    signal: AbortSignal | undefined,
  ): Promise<z.infer<S> | undefined> => {
    const { status, body } = await send({ method: 'GET', path, purpose }, { signal });
    return status === 404 ? undefined : parseWith(schema, body, unexpected, address + path);
  };

  /** Reads what every cluster has. */
  const getOfCluster = async <S extends z.ZodType>(
    path: string,
    schema: S,
    purpose: string,
    signal: AbortSignal | undefined,
  ): Promise<z.infer<S>> => {
    const found = await get(base + path, schema, purpose, signal);
    if (found !== undefined) return found;
    throw new PipelineError('CONNECT_NOT_FOUND', {
      what: `Cannot ${purpose}: there is no cluster ${cluster} in ${environment}, or the key may not see it`,
      where: address,
      todo: 'Check CONFLUENT_ENVIRONMENT_ID, CONFLUENT_KAFKA_CLUSTER_ID and CONFLUENT_CLOUD_API_KEY.',
    });
  };

  const read: ConnectorService['read'] = async (name, signal) => {
    const purpose = `read the connector ${name}`;
    const config = await get(`${pathOf(name)}/config`, configSchema, purpose, signal);
    if (config === undefined) return undefined;
    return toLive(name, config, await get(`${pathOf(name)}/status`, statusSchema, purpose, signal));
  };

  const change = async (name: string, verb: 'pause' | 'resume', signal: AbortSignal | undefined) => {
    const purpose = `${verb} the connector ${name}`;
    await send({ method: 'PUT', path: `${pathOf(name)}/${verb}`, purpose }, { signal });
    const { pollIntervalMs } = pace;
    await awaitState(verb, name, { address, read }, { timeoutMs: stateTimeoutMs, pollIntervalMs, signal });
  };

  /** The service restarts whole connectors only. */
  const restart = async (name: string, signal: AbortSignal | undefined) => {
    const purpose = `restart the connector ${name}`;
    try {
      await send({ method: 'POST', path: `${pathOf(name)}/restart`, purpose }, { signal });
    } catch (error) {
      // The service restarts that way, but the published document does not know it.
      if (!(error instanceof PipelineError) || !restartIsUnknown.has(error.code)) throw error;
      await change(name, 'pause', signal);
      await change(name, 'resume', signal);
    }
  };

  const offsetOptions = { send, pathOf, timeoutMs: stateTimeoutMs, pollIntervalMs: pace.pollIntervalMs };

  return {
    address: `${address} (${environment}, ${cluster})`,
    pace,
    read,
    pause: (name, signal) => change(name, 'pause', signal),
    resume: (name, signal) => change(name, 'resume', signal),
    restartFailed: restart,
    restartAll: restart,

    async plugins(signal) {
      const purpose = 'list the managed connectors';
      const plugins = await getOfCluster('/connector-plugins', pluginsSchema, purpose, signal);
      return plugins.map((plugin): ConnectorPlugin => {
        return { class: plugin.class, version: plugin.version ?? null };
      });
    },

    async list(signal) {
      const path = '/connectors?expand=info,status,id';
      const all = await getOfCluster(path, expansionsSchema, 'list the connectors', signal);
      const live = Object.entries(all)
        .map(([name, { id, info, status }]) => toLive(name, info.config, status, id?.id))
        .filter((connector) => connector !== undefined);
      return new Map(live.map((connector) => [connector.name, connector]));
    },

    async validate({ name, config, secretKeys }, signal) {
      const plugin = encodeURIComponent(config['connector.class'] ?? '');
      const path = `${base}/connector-plugins/${plugin}/config/validate`;
      const purpose = `validate the connector ${name}`;
      learn(secretValues(config, secretKeys));
      const { body } = await send({ method: 'PUT', path, body: { ...config, name }, purpose }, { signal });
      return parseWith(validationSchema, body, unexpected, address + path).configs.flatMap(({ value }) =>
        value.errors.map((message): Problem => {
          return { path: `${name}.config.${value.name}`, message: mask(message) };
        }),
      );
    },

    async put({ name, config, secretKeys }, signal) {
      const path = `${pathOf(name)}/config`;
      learn(secretValues(config, secretKeys));
      // What broke is repeated: whether a secret took effect cannot be read back, and writing twice does no harm.
      await send(
        { method: 'PUT', path, body: { ...config, name }, purpose: `write the connector ${name}` },
        { signal },
      );
    },

    async offsets(name, signal) {
      const purpose = `read the offsets of the connector ${name}`;
      const answer = await get(`${pathOf(name)}/offsets`, offsetsSchema, purpose, signal);
      if (answer === undefined) throw noSuchConnector(purpose, address);
      return fromWire(answer.offsets);
    },

    alterOffsets: (name, offsets, signal) => requestOffsets(name, offsets, { ...offsetOptions, signal }),
    resetOffsets: (name, signal) => requestOffsets(name, undefined, { ...offsetOptions, signal }),

    async delete(name, signal) {
      const path = pathOf(name);
      const purpose = `delete the connector ${name}`;
      const { status, body } = await send({ method: 'DELETE', path, purpose }, { signal });
      if (status === 404) return;
      const { error } = parseWith(deletedSchema, body ?? {}, unexpected, address + path);
      if (error === undefined || error === null) return;
      throw new PipelineError('CONNECT_FAILED', {
        what: `Cannot ${purpose}: ${cloudDialect.messageOf({ error }) ?? 'no reason was given'}`,
        where: address,
        todo: cloudDialect.advice.repeat,
      });
    },
  };
}

/** An address that does not exist is answered with 404, or with 405 by what serves other methods there. */
const restartIsUnknown: ReadonlySet<string> = new Set([
  'CONNECT_NOT_FOUND',
  'CONNECT_NOT_THERE',
  'CONNECT_UNSUPPORTED',
]);
