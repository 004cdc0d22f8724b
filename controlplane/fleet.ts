import { PipelineError, isAbort, messageOf } from '../core/errors.ts';
import type { Target } from '../targets/load-target.ts';
import { applyPlan, type Applied, type ApplyOptions } from './apply.ts';
import { checkServers, type ServedTopic } from './check-servers.ts';
import { createCloudClient } from './confluent-cloud/cloud-client.ts';
import type { ConnectorService } from './connector-service.ts';
import { readProgressOnce, unknownProgress, type Progress } from './consumer-lag.ts';
import type { Contracts } from './declaration-rules.ts';
import { loadDesiredConnectors, readDeclarations } from './declarations.ts';
import { createConnectClient } from './kafka-connect/connect-client.ts';
import { carriesMark, withMark, withWrittenSecrets } from './marks.ts';
import { planConnectors, type Plan } from './plan.ts';
import { createSecretHash, type SecretHash } from './secret-hash.ts';
import { secretsWithin } from './secrets.ts';
import { findSink, withSink, type SinkInUse, type SinkKind } from './sink-class.ts';
import { describeConnector, progressQuery, type ConnectorStatus } from './status.ts';

/** What every operation on the declared connectors needs. */
export interface FleetOptions {
  target: Target;
  contracts: Contracts & { topics: readonly ServedTopic[] };
  env?: NodeJS.ProcessEnv;
  /** Default: `connectors/`. */
  folder?: string;
  /** Default: the Kafka Connect cluster, or the Confluent Cloud cluster, of the target. */
  service?: ConnectorService;
  /** Plans to write secrets again that the server withholds, whether they changed or not. Default false. */
  rewriteSecrets?: boolean;
  /** Plans to delete what carries this project's mark and is not declared. Default false. */
  prune?: boolean;
  /** Default: one that lasts as long as this process, and so recognises no secret that was written before. */
  secretHash?: SecretHash;
  signal?: AbortSignal;
}

export interface FleetPlan {
  /** Of the server that runs the connectors. */
  address: string;
  sink: SinkInUse;
  plan: Plan;
  /** Names of connectors that carry this project's mark, are not declared, and stay: the plan does not prune. */
  leftOver: readonly string[];
}

/** Compares what is declared with what runs. Changes nothing. */
export async function planFleet(options: FleetOptions): Promise<FleetPlan> {
  const { target, contracts, env, folder, signal, prune = false, rewriteSecrets = false } = options;
  const hash = options.secretHash ?? createSecretHash();
  const desired = loadDesiredConnectors({
    target,
    contracts,
    ...(env === undefined ? {} : { env }),
    ...(folder === undefined ? {} : { folder }),
  });
  const service = serviceOf(options);
  const sink = await findSink(service, sinksOf(target), signal);
  const live = await service.list(signal);
  const withholdsSecrets = target.connect.confluentCloud !== undefined;
  const runnable = desired.map((connector) => {
    const marked = withMark(withSink(connector, sink));
    return withholdsSecrets ? withWrittenSecrets(marked, hash) : marked;
  });
  const declared = new Set(desired.map(({ name }) => name));
  const undeclared = [...live.values()]
    .filter(({ name, config }) => carriesMark(config) && !declared.has(name))
    .map(({ name }) => name);
  return {
    address: service.address,
    sink,
    plan: planConnectors(runnable, live, {
      removable: new Set(prune ? undeclared : []),
      rewriteSecrets,
      hash,
    }),
    leftOver: prune ? [] : undeclared.sort(),
  };
}

/**
 * Makes the changes of a plan that `planFleet` made. Before the first one, the worker validates each
 * configuration, the registry is asked for the schemas, and ClickHouse whether it lets the sink in and has its
 * tables: nothing is changed unless all of it passes.
 */
export async function applyFleet(
  options: FleetOptions,
  { plan }: Pick<FleetPlan, 'plan'>,
  apply: Omit<ApplyOptions, 'signal'> = {},
): Promise<Applied[]> {
  const { target, contracts, signal } = options;
  const service = serviceOf(options);
  const written = plan.changes.flatMap(({ diff, name }) => {
    const connector = diff.length === 0 ? undefined : plan.desired.get(name);
    return connector === undefined ? [] : [connector];
  });
  if (written.length > 0) {
    await checkServers(written, { target, topics: contracts.topics, service, signal });
  }
  return applyPlan(service, plan, { ...apply, ...(signal === undefined ? {} : { signal }) });
}

export interface FleetStatus {
  /** Null where the worker has no sink that the target allows. */
  sink: SinkInUse | null;
  connectors: ConnectorStatus[];
  /** Why lag could not be read; null when it could. */
  lagUnknown: string | null;
}

/** Reads the state of every declared connector. Needs no secret and changes nothing. */
export async function readFleetStatus(options: Omit<FleetOptions, 'contracts'>): Promise<FleetStatus> {
  const { target, folder, signal } = options;
  const declarations = readDeclarations(folder);
  const service = serviceOf(options);
  const sink = await findSink(service, sinksOf(target), signal).catch((error: unknown) => {
    if (error instanceof PipelineError && error.code === 'SINK_MISSING') return null;
    throw error;
  });
  const live = await service.list(signal);
  const queries = declarations.map((declaration) => progressQuery(declaration, live.get(declaration.name)));
  let lagUnknown: string | null = null;
  const progress = await readProgressOnce(target, { clientId: 'connectors-status' }, queries).catch(
    (error: unknown): Progress[] => {
      if (isAbort(error)) throw error;
      // The worker's own word is worth showing also while the brokers are away.
      lagUnknown = messageOf(error);
      return [];
    },
  );
  return {
    sink,
    connectors: declarations.map((declaration, index) =>
      describeConnector(declaration, live.get(declaration.name), progress[index] ?? unknownProgress),
    ),
    lagUnknown,
  };
}

/** The server that runs the connectors of the target. */
export function serviceOf({ service, target }: Pick<FleetOptions, 'service' | 'target'>): ConnectorService {
  if (service !== undefined) return service;
  const { url, auth, confluentCloud, tls } = target.connect;
  const secrets = secretsWithin(target);
  if (confluentCloud === undefined) return createConnectClient({ url, credentials: auth, tls, secrets });
  const { environment, cluster, apiKey, apiSecret } = confluentCloud;
  return createCloudClient({
    url,
    environment,
    cluster,
    credentials: { username: apiKey, password: apiSecret },
    secrets,
  });
}

/** The sinks that may run our connectors there, the preferred one first. */
function sinksOf({ capabilities, connect }: Target): readonly SinkKind[] {
  if (connect.confluentCloud !== undefined) return ['managed'];
  return capabilities.standInSink ? ['official', 'stand-in'] : ['official'];
}
