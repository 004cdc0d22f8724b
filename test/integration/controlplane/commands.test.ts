import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { officialSinkClass } from '../../../controlplane/sink-class.ts';
import { runCli, type CliRun } from '../../support/run-cli.ts';
import { html, json, scriptedServer, type Received, type Script } from './scripted-server.ts';

const secret = 'planted-s3cret/+ value';
const oldSecret = 'planted-before';

/** Port 1 answers nothing: what a test does not bring up is down. */
const allDown: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  KAFKA_BROKERS: '127.0.0.1:1',
  CONNECT_URL: 'http://127.0.0.1:1',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
  CLICKHOUSE_URL: 'http://127.0.0.1:1',
  CLICKHOUSE_PASSWORD: secret,
};

/** A worker with the official sink that repeats whatever it knows wherever it can. */
const indiscreetWorker: Script = ({ method, path: at }, response) => {
  const trace = `java.lang.RuntimeException: cannot log in with ${secret}\n\tat x.Y(Z.java:1)\nCaused by: x.E: ${oldSecret}`;
  const config = { 'connector.class': officialSinkClass, password: oldSecret, 'sasl.jaas.config': oldSecret };
  const status = {
    connector: { state: 'FAILED', worker_id: 'w', trace },
    tasks: [{ id: 0, state: 'FAILED', worker_id: 'w', trace }],
  };
  if (at === '/connector-plugins') json(response, 200, [{ class: officialSinkClass, version: 'v1.5.0' }]);
  else if (at === '/connectors?expand=info')
    json(response, 200, { 'billing-core-sink': { info: { config } } });
  else if (at === '/connectors?expand=status') json(response, 200, { 'billing-core-sink': { status } });
  else if (at.endsWith('/validate')) {
    const errors = [`Invalid value ${secret} for configuration password`];
    json(response, 200, { configs: [{ value: { name: 'password', errors } }] });
  } else json(response, 400, { message: `${method} refused: ${secret}` });
};

/** The commands against that worker; run once, because each one is a process of its own. */
const invocations = {
  planText: ['connectors:plan', '--verbose'],
  planJson: ['connectors:plan', '--json'],
  apply: ['connectors:apply', '--verbose'],
  statusText: ['connectors:status', '--verbose'],
  statusJson: ['connectors:status', '--json'],
} as const;

function runOf(key: keyof typeof invocations): CliRun {
  return runs.get(key)!;
}

/** Validation is the only thing that is sent with a body and changes nothing. */
function isWrite({ method, path: at }: Received): boolean {
  return method !== 'GET' && !at.endsWith('/validate');
}

const runs = new Map<string, CliRun>();
let received: Received[] = [];

beforeAll(async () => {
  const server = await scriptedServer(indiscreetWorker);
  received = server.received;
  const env = { ...allDown, CONNECT_URL: server.url };
  await Promise.all(
    Object.entries(invocations).map(async ([key, [name, ...flags]]) => {
      runs.set(key, await runCli(env, name, ...flags));
    }),
  );
  return server.close;
});

test('no command shows a secret, whatever the worker repeats', () => {
  const shown = [...runs.values()].map(({ stdout, stderr }) => stdout + stderr).join('\n');
  expect(shown).toContain('password: (secret) -> (secret)');
  expect(shown).toContain('the connector failed: x.E: (secret)');
  expect(shown).toContain('Invalid value (secret) for configuration password');
  expect(shown).not.toMatch(/planted|s3cret/);
});

test('plan exits 2 where something would change and prints one JSON document', () => {
  const { exitCode, stdout } = runOf('planJson');
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    sink: { kind: 'official', version: '1.5.0' },
    changes: [
      { operation: 'update', name: 'billing-core-sink', restartFailed: true },
      { operation: 'create', name: 'billing-invoices-sink' },
      { operation: 'create', name: 'billing-payments-sink' },
      { operation: 'create', name: 'billing-transactions-sink' },
    ],
  });
});

test('apply changes nothing while a configuration is refused', () => {
  expect(runOf('apply').exitCode).toBe(1);
  expect(received.filter(isWrite)).toEqual([]);
});

test('status exits 2 where a connector is unhealthy, also while Kafka is down', () => {
  const { exitCode, stdout, stderr } = runOf('statusJson');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Lag is unknown: Kafka does not answer');
  expect(JSON.parse(stdout)).toMatchObject([
    { name: 'billing-core-sink', state: 'FAILED', verdict: 'failed', cause: 'unknown', lag: null },
    { name: 'billing-invoices-sink', state: 'MISSING', verdict: 'missing', tasks: [] },
    { name: 'billing-payments-sink', state: 'MISSING', verdict: 'missing', tasks: [] },
    { name: 'billing-transactions-sink', state: 'MISSING', verdict: 'missing', tasks: [] },
  ]);
});

test('the status that people read fits 80 columns', () => {
  const { stdout } = runOf('statusText');
  expect(stdout).toContain('billing-payments-sink');
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

const healthyWorker: Script = ({ path: at }, response) => {
  if (at === '/connector-plugins') json(response, 200, [{ class: officialSinkClass, version: null }]);
  else if (at.endsWith('/validate')) json(response, 200, { configs: [] });
  else json(response, 200, {});
};

const failures: [what: string, env: NodeJS.ProcessEnv, script: Script, says: RegExp][] = [
  [
    'the worker is down',
    { CONNECT_URL: 'http://127.0.0.1:1' },
    () => undefined,
    /does not answer \(ECONNREFUSED\)/,
  ],
  [
    'something else answers',
    {},
    (_, response) => {
      html(response, 200);
    },
    /This is not Kafka Connect's REST API: it answered 200 with text\/html/,
  ],
  [
    'the worker has no sink',
    {},
    (_, response) => {
      json(response, 200, []);
    },
    /The worker does not have the ClickHouse sink/,
  ],
  ['ClickHouse and the registry are down', {}, healthyWorker, /ClickHouse does not answer \(ECONNREFUSED\)/],
];

test.each(failures)('%s: apply exits 1 with two to five lines', async (_, env, script, says) => {
  const { url, received, close } = await scriptedServer(script);
  onTestFinished(close);
  const { exitCode, stderr } = await runCli({ ...allDown, CONNECT_URL: url, ...env }, 'connectors:apply');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(says);
  expect(stderr.trim().split('\n').length).toBeGreaterThanOrEqual(2);
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(5);
  expect(stderr).not.toMatch(/\n\s+at \S+ \(/);
  // Nothing was changed: validation is the only thing sent with a body.
  expect(received.filter(({ method, path: at }) => method !== 'GET' && !at.endsWith('/validate'))).toEqual(
    [],
  );
});
