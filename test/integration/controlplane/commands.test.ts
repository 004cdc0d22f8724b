import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { officialSinkClass } from '../../../controlplane/sink-class.ts';
import { runCli, type CliRun } from '../../support/run-cli.ts';
import { html, json, scriptedServer, type Received, type Script } from './scripted-server.ts';

const secret = 'planted-s3cret/+ value';
const oldSecret = 'planted-before';
const hashKey = 'planted-hash-key-of-this-test';
const home = mkdtempSync(path.join(tmpdir(), 'commands-'));
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});
const planFile = path.join(home, 'saved.plan.json');

/** Port 1 answers nothing: what a test does not bring up is down. */
const allDown: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  PIPELINE_HOME: home,
  CONNECTORS_HASH_KEY: hashKey,
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
  saved: ['connectors:plan', '--out', planFile],
  offsets: ['connectors:offsets', 'billing-core-sink', '--verbose'],
  reset: ['connectors:offsets', 'billing-core-sink', '--reset', 'earliest', '--yes', '--verbose'],
  pause: ['connectors:pause', 'billing-core-sink', '--verbose'],
  stop: ['connectors:stop', 'billing-core-sink', '--json'],
  restart: ['connectors:restart', 'billing-core-sink', '--verbose'],
  unknown: ['connectors:resume', 'billing-core-sink', 'no-such', 'nor-this'],
  unasked: ['connectors:delete', 'billing-core-sink'],
  deleted: ['connectors:delete', 'billing-core-sink', '--yes', '--verbose'],
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

/** What every command left in the home: keys, locks, saved plans. */
function writtenFiles(): string[] {
  const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).map((file) => path.join(home, file));
  return files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, 'utf8'));
}

test('no command shows or writes a secret, whatever the worker repeats', () => {
  const runsOutput = [...runs.values()].map(({ stdout, stderr }) => stdout + stderr);
  expect(writtenFiles().length).toBeGreaterThan(0);
  const shown = [...runsOutput, ...writtenFiles()].join('\n');
  expect(shown).toMatch(/password: \(secret [0-9a-f]{12}\) -> \(secret [0-9a-f]{12}\)/);
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
      { operation: 'update', name: 'billing-core-sink', restart: 'all' },
      { operation: 'create', name: 'billing-invoices-sink' },
      { operation: 'create', name: 'billing-payments-sink' },
      { operation: 'create', name: 'billing-transactions-sink' },
    ],
  });
});

test('what is done by hand and refused says so, in the words of the worker', () => {
  for (const key of ['pause', 'stop', 'restart', 'deleted'] as const) {
    const { exitCode, stderr } = runOf(key);
    expect(exitCode, key).toBe(1);
    expect(stderr).toMatch(/refused: \(secret\)/);
    expect(stderr).toContain('billing-core-sink');
  }
  expect(JSON.parse(runOf('stop').stdout)).toMatchObject([
    { name: 'billing-core-sink', action: 'stop', before: 'FAILED', failure: expect.any(String) as string },
  ]);
  expect(runOf('offsets')).toMatchObject({ exitCode: 1 });
  expect(runOf('reset').stderr).toContain('can only be reset while it is STOPPED; it is FAILED');
});

test('a name that is not there is an error with the names there are, and nothing is done', () => {
  const { exitCode, stderr } = runOf('unknown');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('There is no connector no-such, nor-this');
  expect(stderr).toContain('There are: billing-core-sink.');
  expect(received.filter(({ path: at }) => at.endsWith('/resume'))).toEqual([]);
});

test('deleting asks first, and without a terminal needs --yes', () => {
  const { exitCode, stderr } = runOf('unasked');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/Delete billing-core-sink at .*\? There is no terminal to ask on/);
  expect(stderr).toContain('--yes');
  expect(received.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
});

test('apply changes nothing while a configuration is refused', () => {
  expect(runOf('apply').exitCode).toBe(1);
  expect(received.filter(isWrite).filter(({ path: at }) => at.endsWith('/config'))).toEqual([]);
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
