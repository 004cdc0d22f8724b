import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { officialSinkClass } from '../../../controlplane/sink-class.ts';
import { projectRoot } from '../../../core/home.ts';
import { waitFor } from '../../../core/wait.ts';
import { freePorts } from '../../support/free-ports.ts';
import { runCli } from '../../support/run-cli.ts';
import { html, json, scriptedServer, type Script } from './scripted-server.ts';

const secret = 'planted-s3cret/+ value';
const webhookPath = '/hooks/planted-hook';

/** A home of the test's own; port 1 answers nothing. */
function environment(changes: NodeJS.ProcessEnv): NodeJS.ProcessEnv & { PIPELINE_HOME: string } {
  const home = mkdtempSync(path.join(tmpdir(), 'watch-command-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
  });
  return {
    PATH: process.env['PATH'],
    PIPELINE_HOME: home,
    KAFKA_BROKERS: '127.0.0.1:1',
    CONNECT_URL: 'http://127.0.0.1:1',
    SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1',
    CLICKHOUSE_URL: 'http://127.0.0.1:1',
    CLICKHOUSE_PASSWORD: secret,
    WATCH_INTERVAL_S: '0.2',
    ...changes,
  };
}

async function serve(script: Script) {
  const server = await scriptedServer(script);
  onTestFinished(server.close);
  return server;
}

/** A watcher in a process of its own. */
function start(env: NodeJS.ProcessEnv, ...flags: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', 'connectors:watch', ...flags], {
    cwd: projectRoot,
    env: { ...env, NO_COLOR: '1' },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const closed = once(child, 'close');
  const says = (text: string | RegExp) =>
    waitFor(() => (typeof text === 'string' ? output.includes(text) : text.test(output)), {
      what: `the watcher to say ${String(text)}, after ${output}`,
      timeoutMs: 30_000,
    });
  return {
    output: () => output,
    says,
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      return child.exitCode;
    },
  };
}

/** A worker with the official sink that repeats whatever it knows wherever it can. */
const indiscreetWorker: Script = ({ path: at }, response) => {
  const trace = `org.apache.kafka.common.config.ConfigException: cannot log in with ${secret}\n\tat x.Y(Z.java:1)`;
  const config = { 'connector.class': officialSinkClass, password: secret, 'sasl.jaas.config': secret };
  const task = { id: 0, state: 'FAILED', worker_id: 'w', trace };
  const status = { connector: { state: 'RUNNING', worker_id: 'w' }, tasks: [task] };
  const all = (value: object) =>
    Object.fromEntries(['billing-core-sink', 'billing-payments-sink'].map((name) => [name, value]));
  if (at === '/connector-plugins') json(response, 200, [{ class: officialSinkClass, version: 'v1.5.0' }]);
  else if (at === '/connectors?expand=info') json(response, 200, all({ info: { config } }));
  else if (at === '/connectors?expand=status') json(response, 200, all({ status }));
  else json(response, 400, { message: `refused: ${secret}` });
};

/** A mail server that refuses every login and repeats what it was given; returns its port. */
async function indiscreetMailServer(): Promise<number> {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: ({ username, password }, _session, done) => {
      done(new Error(`not ${username ?? ''} with ${password ?? ''}`));
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  return (server.server.address() as AddressInfo).port;
}

test('no output of the watcher holds a secret, and SIGTERM ends it cleanly', async () => {
  const worker = await serve(indiscreetWorker);
  const hook = await serve((_, response) => {
    response.writeHead(204).end();
  });
  const [port] = await freePorts(1);
  const env = environment({
    CONNECT_URL: worker.url,
    WATCH_PORT: String(port),
    WATCH_TOKEN: 'planted-token',
    ALERT_WEBHOOK_URL: hook.url + webhookPath,
    ALERT_WEBHOOK_SECRET: 'planted-signature',
    ALERT_SMTP_URL: `smtp://planted-user:planted-pass@127.0.0.1:${String(await indiscreetMailServer())}`,
    ALERT_MAIL_FROM: 'watch@example.com',
    ALERT_MAIL_TO: 'ops@example.com',
  });
  const watcher = start(env);
  await watcher.says('alert-lost');
  await waitFor(() => hook.received.length > 0, { what: 'the alert', timeoutMs: 10_000 });
  const headers = { authorization: 'Bearer planted-token' };
  const served = await Promise.all(
    ['/metrics', '/snapshot.json', '/healthz'].map(async (at) =>
      (await fetch(`http://127.0.0.1:${String(port)}${at}`, { headers })).text(),
    ),
  );
  expect(await watcher.stop()).toBe(0);

  expect(watcher.output()).toContain('Stopped watching');
  expect(watcher.output()).toContain('cannot log in with (secret)');
  expect(served[0]).toContain('billing_connector_verdict{connector="billing-core-sink",verdict="failed"} 1');
  expect(JSON.parse(served[1] ?? '')).toMatchObject({ connectors: expect.anything() as unknown });
  expect(hook.received.map(({ body }) => body).join()).toContain('cannot log in with (secret)');
  const folder = path.join(env.PIPELINE_HOME, 'watch');
  const files = readdirSync(folder);
  expect(files).toEqual(['embedded.json']);
  const written = files.map((file) => readFileSync(path.join(folder, file), 'utf8'));
  const bodies = hook.received.map(({ body }) => body);
  expect([watcher.output(), ...served, ...bodies, ...written].join('\n')).not.toMatch(/planted|s3cret/);
  // Everything but the two notes around it is one line of JSON each.
  const lines = watcher.output().trim().split('\n').slice(1, -1);
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toContain('hold');
});

test('once looks, acts, prints and says with its exit code whether all is well', async () => {
  const worker = await serve(indiscreetWorker);
  const env = environment({ CONNECT_URL: worker.url });
  const { exitCode, stdout, stderr } = await runCli(env, 'connectors:watch', '--once', '--json');
  expect(exitCode).toBe(2);
  const snapshot = JSON.parse(stdout) as { connectors: { name: string; cause: string }[] };
  expect(snapshot.connectors).toMatchObject(
    expect.arrayContaining([
      expect.objectContaining({ name: 'billing-core-sink', cause: 'configuration' }),
    ]) as unknown[],
  );
  expect(stderr).toContain('Kafka does not answer');
  expect(stdout + stderr).not.toMatch(/planted|s3cret/);
});

test('a second watcher of the same target refuses to start; the lock of a dead one does not matter', async () => {
  const env = environment({ WATCH_PORT: '0' });
  const first = start(env);
  await first.says('Watching the connectors');
  const { exitCode, stderr } = await runCli(env, 'connectors:watch', '--once');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Another watcher of this target runs');
  expect(await first.stop()).toBe(0);

  writeFileSync(path.join(env.PIPELINE_HOME, 'watch', 'embedded.json.lock'), '999999999');
  expect((await runCli(env, 'connectors:watch', '--once')).exitCode).toBe(2);
});

/** What is not an answer of Kafka Connect. */
const rubbish: ((response: ServerResponse) => void)[] = [
  (response) => {
    html(response, 200);
  },
  (response) => {
    json(response, 200, [1, { a: null }]);
  },
  (response) => response.end('{"a": {'),
  (response) => response.destroy(),
  (response) => {
    json(response, 401, { error_code: 401, message: 'Unauthorized' });
  },
  (response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end();
  },
];

test('a worker that answers with rubbish of any kind is reported and looked at again', async () => {
  let isSound = false;
  const worker = await serve((request, response, attempt) => {
    if (isSound) indiscreetWorker(request, response, attempt);
    else rubbish[attempt % rubbish.length]?.(response);
  });
  const watcher = start(environment({ CONNECT_URL: worker.url, WATCH_PORT: '0' }));
  await watcher.says('Kafka Connect is not usable');
  await waitFor(() => worker.received.length > 12, { what: 'more looks', timeoutMs: 30_000 });
  isSound = true;
  await watcher.says('Kafka Connect is back');
  expect(watcher.output()).not.toContain('look-failed');
  expect(await watcher.stop()).toBe(0);
});

test('settings that are wrong are reported before anything is watched', async () => {
  const env = environment({ WATCH_HOST: '0.0.0.0', WATCH_INTERVAL_S: 'often' });
  const { exitCode, stderr } = await runCli(env, 'connectors:watch');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('WATCH_TOKEN: must be set');
  expect(stderr).toContain('WATCH_INTERVAL_S: expected a number');
});
