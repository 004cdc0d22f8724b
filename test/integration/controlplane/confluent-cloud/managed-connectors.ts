/** An answer of the server, before it is checked. */
export interface Reply {
  status: number;
  body?: unknown;
}

export interface Call {
  authorization: string | undefined;
  params: Record<string, string>;
  body: unknown;
}

export type Handler = (call: Call) => Reply;

type Config = Record<string, string>;

/** One connector. Its class may be the sink's, or `MockSink`, which fails as its `mock_mode` says. */
interface Managed {
  id: string;
  config: Config;
  paused: boolean;
  /** When it was written, paused or resumed; that takes effect after a while. */
  changedAt: number;
  change: 'write' | 'pause' | 'resume';
  /** Set by a resume: what failed once does not fail again. */
  resumed: boolean;
  offsets: unknown[];
  request: { body: { type: string; offsets?: unknown[] }; at: number } | undefined;
}

/** How long everything asynchronous takes. */
const slowMs = 60;
const plugins = [
  { class: 'ClickHouseSink', type: 'sink', version: '1.3.4' },
  { class: 'MockSink', type: 'sink', version: '0.1.0' },
];
/** Keys that the service never gives back in clear. */
const withheld = new Set(['password', 'kafka.api.key', 'kafka.api.secret']);
export const mockTrace =
  'org.apache.kafka.connect.errors.RetriableException: the managed mock was told to fail';

/** The service behind the conforming server: its state, and one handler for each operation of the document. */
export function createManagedConnectors(login: {
  environment: string;
  cluster: string;
  apiKey: string;
  apiSecret: string;
}): Record<string, Handler> {
  const connectors = new Map<string, Managed>();
  let created = 0;
  const expected = `Basic ${Buffer.from(`${login.apiKey}:${login.apiSecret}`).toString('base64')}`;

  const guarded =
    (handler: Handler): Handler =>
    (call) => {
      if (call.authorization !== expected) return refusal(401, 'Unauthorized');
      const { environment_id: environment, kafka_cluster_id: cluster } = call.params;
      if (environment !== login.environment || cluster !== login.cluster)
        return refusal(404, 'account not found');
      return handler(call);
    };
  const ofConnector = (handler: (connector: Managed, name: string, call: Call) => Reply): Handler =>
    guarded((call) => {
      const name = call.params['connector_name'] ?? '';
      const connector = connectors.get(name);
      return connector === undefined
        ? refusal(404, `connector ${name} not found`)
        : handler(connector, name, call);
    });

  return {
    listConnectv1ConnectorPlugins: guarded(() => ({ status: 200, body: plugins })),

    listConnectv1ConnectorsWithExpansions: guarded(() => ({
      status: 200,
      body: Object.fromEntries(
        [...connectors].map(([name, connector]) => [
          name,
          {
            id: { id: connector.id, id_type: 'ID' },
            info: { name, config: shown(connector) },
            status: statusOf(name, connector),
          },
        ]),
      ),
    })),

    getConnectv1ConnectorConfig: ofConnector((connector) => ({ status: 200, body: shown(connector) })),

    readConnectv1ConnectorStatus: ofConnector((connector, name) => ({
      status: 200,
      body: statusOf(name, connector),
    })),

    createOrUpdateConnectv1ConnectorConfig: guarded(({ params, body }) => {
      const name = params['connector_name'] ?? '';
      const config = body as Config;
      const [problem] = problemsOf(config);
      if (problem !== undefined) return refusal(400, `${problem.key}: ${problem.message}`);
      const before = connectors.get(name);
      const id = before?.id ?? `lcc-t${String((created += 1))}`;
      const fresh = {
        id,
        config,
        change: 'write' as const,
        changedAt: Date.now(),
        resumed: false,
        request: undefined,
      };
      connectors.set(name, { ...fresh, paused: before?.paused ?? false, offsets: before?.offsets ?? [] });
      return { status: 200, body: { name, config: shown(connectors.get(name)!), tasks: [], type: 'sink' } };
    }),

    deleteConnectv1Connector: ofConnector((_, name) => {
      connectors.delete(name);
      return { status: 200, body: { error: null } };
    }),

    pauseConnectv1Connector: ofConnector((connector) => {
      Object.assign(connector, { paused: true, change: 'pause', changedAt: Date.now() });
      return { status: 202 };
    }),

    resumeConnectv1Connector: ofConnector((connector) => {
      Object.assign(connector, { paused: false, resumed: true, change: 'resume', changedAt: Date.now() });
      return { status: 202 };
    }),

    validateConnectv1ConnectorPlugin: guarded(({ params, body }) => {
      const config = body as Config;
      const problems = problemsOf({ ...config, 'connector.class': params['plugin_name'] ?? '' });
      const configs = Object.entries(config).map(([name, value]) => ({
        definition: { name, type: 'STRING', required: false },
        value: {
          name,
          value,
          errors: problems.filter(({ key }) => key === name).map(({ message }) => message),
        },
      }));
      return { status: 200, body: { name: 'x.Y', groups: [], error_count: problems.length, configs } };
    }),

    getConnectv1ConnectorOffsets: ofConnector(({ id, offsets }, name) => ({
      status: 200,
      body: { id, name, offsets, metadata: { observed_at: new Date().toISOString() } },
    })),

    alterConnectv1ConnectorOffsetsRequest: ofConnector((connector, name, { body }) => {
      const request = { body: body as { type: string; offsets?: unknown[] }, at: Date.now() };
      connector.request = request;
      if (!refusesOffsets(request.body.offsets)) connector.offsets = request.body.offsets ?? [];
      return { status: 202, body: infoOf(connector, name) };
    }),

    getConnectv1ConnectorOffsetsRequestStatus: ofConnector((connector, name) => {
      if (connector.request === undefined) return refusal(404, 'no request was made');
      const done = Date.now() - connector.request.at > slowMs;
      const refused = refusesOffsets(connector.request.body.offsets);
      const phase = !done ? 'PENDING' : refused ? 'FAILED' : 'APPLIED';
      const status = { phase, ...(refused ? { message: 'the offset is out of range' } : {}) };
      const applied = { applied_at: done && !refused ? new Date().toISOString() : null };
      return { status: 200, body: { request: infoOf(connector, name), status, ...applied } };
    }),
  };
}

function refusal(code: number, message: string): Reply {
  return { status: code, body: { error: { code, message } } };
}

function refusesOffsets(offsets: unknown[] = []): boolean {
  return JSON.stringify(offsets).includes(':-');
}

function infoOf({ id, request }: Managed, name: string) {
  const { type = 'DELETE', offsets = [] } = request?.body ?? {};
  return { id, name, type, offsets, requested_at: new Date(request?.at ?? 0).toISOString() };
}

function shown({ config }: Managed): Config {
  const visible = Object.entries(config).map(([key, value]) => [
    key,
    withheld.has(key) ? '*'.repeat(16) : value,
  ]);
  return {
    ...(Object.fromEntries(visible) as Config),
    'cloud.environment': 'prod',
    'cloud.provider': 'aws',
    'config.internal.owner': 'u-1',
    'kafka.endpoint': 'SASL_SSL://pkc-t1.us-west-2.aws.confluent.test:9092',
    'kafka.region': 'us-west-2',
    'schema.context.name': config['schema.context.name'] ?? 'default',
  };
}

function statusOf(name: string, connector: Managed) {
  const { config } = connector;
  const state = stateOf(connector);
  const fails = state === 'FAILED' ? config['mock_mode'] : undefined;
  const taskState = state === 'PAUSED' || state === 'FAILED' ? state : 'RUNNING';
  const tasks = Array.from({ length: Number(config['tasks.max']) }, (_, id) => {
    return { id, state: taskState, worker_id: name, msg: fails === undefined ? '' : mockTrace };
  });
  const trace = 'There were some errors with your configuration:\nmock_mode: RuntimeException';
  return {
    name,
    type: 'sink',
    connector: { state, worker_id: name, trace: fails === 'connector-failure' ? trace : '' },
    tasks: state === 'PROVISIONING' || fails === 'connector-failure' ? [] : tasks,
  };
}

function stateOf({ config, paused, change, changedAt, resumed }: Managed): string {
  const isUnderWay = Date.now() - changedAt <= slowMs;
  if (change === 'write' && isUnderWay && !paused) return 'PROVISIONING';
  if (isUnderWay && change === 'resume') return 'PAUSED';
  if (paused && !(isUnderWay && change === 'pause')) return 'PAUSED';
  return config['mock_mode']?.includes('failure') === true && !resumed ? 'FAILED' : 'RUNNING';
}

function problemsOf(config: Config): { key: string; message: string }[] {
  const problem = (wrong: boolean, key: string, message: string) => (wrong ? [{ key, message }] : []);
  const tasks = config['tasks.max'] ?? '';
  const format = config['input.data.format'] ?? 'AVRO';
  const isSink = config['connector.class'] === 'ClickHouseSink';
  return [
    ...problem(!/^\d+$/.test(tasks), 'tasks.max', `Invalid value ${tasks} for configuration tasks.max`),
    ...problem(
      !/^(AVRO|JSON|JSON_SR)$/.test(format),
      'input.data.format',
      `"${format}" is not a valid choice`,
    ),
    ...['hostname', 'password', 'topics', 'topic2TableMap']
      .filter((key) => isSink && !config[key])
      .map((key) => ({ key, message: `"${key}" is required` })),
  ];
}
