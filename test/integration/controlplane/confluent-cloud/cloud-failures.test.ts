import { expect, onTestFinished, test } from 'vitest';
import { createCloudClient } from '../../../../controlplane/confluent-cloud/cloud-client.ts';
import { PipelineError } from '../../../../core/errors.ts';
import { html, json, scriptedServer, type Script } from '../scripted-server.ts';

const connector = {
  name: 'a',
  config: { 'connector.class': 'ClickHouseSink', password: 'pa55-word', 'kafka.api.secret': 'kafka-s3cret' },
  secretKeys: new Set<string>(),
};
const base = '/connect/v1/environments/env-1/clusters/lkc-1';

/** What the service seldom answers, and what others answer in its place: no document describes it. */
async function serve(script: Script, options: Partial<Parameters<typeof createCloudClient>[0]> = {}) {
  const server = await scriptedServer(script);
  onTestFinished(server.close);
  const client = createCloudClient({
    url: server.url,
    environment: 'env-1',
    cluster: 'lkc-1',
    credentials: { username: 'CLOUDKEY', password: 'cloud+s3cret/' },
    retries: 2,
    pace: { pollIntervalMs: 10, stateTimeoutMs: 200 },
    ...options,
  });
  return { client, received: server.received, url: server.url };
}

async function errorOf(act: Promise<unknown>): Promise<PipelineError> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PipelineError) return error;
  throw new Error(`expected a PipelineError, not ${String(error)}`);
}

test('every request carries the Cloud API key, and no error does', async () => {
  const { client, received } = await serve((_, response) => {
    json(response, 401, { error: { code: 401, message: 'Unauthorized' } });
  });
  const error = await errorOf(client.list());
  expect(error).toMatchObject({
    code: 'CONNECT_FORBIDDEN',
    message: 'Cannot list the connectors: Unauthorized',
  });
  expect(error.todo).toContain('CONFLUENT_CLOUD_API_KEY');
  expect(received[0]).toMatchObject({
    path: `${base}/connectors?expand=info,status,id`,
    authorization: `Basic ${Buffer.from('CLOUDKEY:cloud+s3cret/').toString('base64')}`,
  });
  expect([error.stack, JSON.stringify(error), String(error.cause)].join()).not.toMatch(/s3cret|Y2xvdWQ/i);
});

test('the gateway, which words its refusals in a way of its own, is understood', async () => {
  const { client } = await serve((_, response) => {
    json(response, 403, { errors: [{ id: '1', status: '403', detail: 'Forbidden Access' }] });
  });
  expect(await errorOf(client.plugins())).toMatchObject({
    code: 'CONNECT_FORBIDDEN',
    message: 'Cannot list the managed connectors: Forbidden Access',
  });
});

test('an unknown environment or cluster is not an empty list', async () => {
  const { client } = await serve((_, response) => {
    json(response, 404, { error: { code: 404, message: 'account not found' } });
  });
  for (const reading of [client.list(), client.plugins()]) {
    expect(await errorOf(reading)).toMatchObject({
      code: 'CONNECT_NOT_FOUND',
      message: expect.stringContaining('no cluster lkc-1 in env-1') as string,
    });
  }
});

test('a request that comes too early is made again when the service said, and others wait with it', async () => {
  const times: number[] = [];
  const { client } = await serve(({ path }, response, attempt) => {
    times.push(performance.now());
    // A 429 has no body.
    if (attempt === 1) response.writeHead(429, { 'retry-after': '1' }).end();
    else json(response, 200, path.endsWith('plugins') ? [] : {});
  });
  const first = client.list();
  await expect.poll(() => times.length).toBe(1);
  await Promise.all([first, client.plugins()]);
  expect(times).toHaveLength(3);
  for (const time of times.slice(1)) expect(time - times[0]!).toBeGreaterThan(900);
});

test('the service is left alone once it says that nothing remains', async () => {
  const times: number[] = [];
  const { client } = await serve((_, response) => {
    times.push(performance.now());
    response.setHeader('x-ratelimit-remaining', '0').setHeader('x-ratelimit-reset', '1');
    json(response, 200, []);
  });
  await client.plugins();
  await client.plugins();
  expect(times[1]! - times[0]!).toBeGreaterThan(900);
});

test('a pause that nobody would sit through is reported at once, again and again', async () => {
  const { client, received } = await serve((_, response) => {
    response.writeHead(429, { 'retry-after': '3600' }).end();
  });
  for (const attempt of [1, 2]) {
    expect(await errorOf(client.list())).toMatchObject({
      code: 'CONNECT_RATE_LIMITED',
      message: expect.stringMatching(/takes no more requests for 3(600|599) s/) as string,
    });
    expect(received, `attempt ${String(attempt)}`).toHaveLength(1);
  }
});

test('a pause between requests can be interrupted', async () => {
  const abort = new AbortController();
  const { client } = await serve((_, response) => {
    response.writeHead(429, { 'retry-after': '30' }).end();
    setTimeout(() => {
      abort.abort();
    }, 50);
  });
  expect(await errorOf(client.list(abort.signal))).toMatchObject({ code: 'INTERRUPTED' });
});

test('an outage of the gateway, in HTML, is waited out', async () => {
  const { client } = await serve((_, response, attempt) => {
    if (attempt < 3) html(response, 502);
    else json(response, 200, []);
  });
  expect(await client.plugins()).toEqual([]);
});

test('an outage that lasts is an error in two lines', async () => {
  const { client } = await serve((_, response) => {
    response.writeHead(503).end();
  });
  expect(await errorOf(client.plugins())).toMatchObject({
    code: 'CONNECT_FAILED',
    message: 'Cannot list the managed connectors: HTTP 503',
  });
});

test('a write whose connection breaks is made again', async () => {
  const { client, received } = await serve((_, response, attempt) => {
    if (attempt === 1) response.destroy();
    else json(response, 200, {});
  });
  await client.put(connector);
  expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual(
    Array(2).fill(`PUT ${base}/connectors/a/config`),
  );
  expect(JSON.parse(received[1]?.body ?? '')).toEqual({ ...connector.config, name: 'a' });
});

test('a page of HTML, a redirect and a file of text are not the service', async () => {
  const answers: Script[] = [
    (_, response) => {
      html(response, 200);
    },
    (_, response) => {
      response.writeHead(302, { location: 'https://login.example' }).end();
    },
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('{"a": ');
    },
  ];
  for (const answer of answers) {
    const { client, received, url } = await serve(answer);
    expect(await errorOf(client.list())).toMatchObject({ code: 'CONNECT_NOT_THERE', where: url });
    expect(received).toHaveLength(1);
  }
});

test('JSON of another form lists what is wrong with it', async () => {
  const { client } = await serve((_, response) => {
    json(response, 200, { a: { info: { config: {} }, status: { connector: { state: 'ASLEEP' } } } });
  });
  expect(await errorOf(client.list())).toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ path: 'a.status.connector.state' }],
  });
});

test('a service that repeats the secrets it was sent does not get them shown', async () => {
  const echo = 'kafka.api.secret kafka-s3cret and password pa55-word are wrong';
  const { client } = await serve(({ path }, response) => {
    if (path.endsWith('/validate')) {
      json(response, 200, { error_count: 1, configs: [{ value: { name: 'password', errors: [echo] } }] });
    } else json(response, 400, { error: { code: 400, message: echo } });
  });
  const error = await errorOf(client.put(connector));
  const problems = await client.validate(connector);
  expect(error).toMatchObject({
    code: 'CONNECT_REJECTED',
    message: 'Cannot write the connector a: kafka.api.secret (secret) and password (secret) are wrong',
  });
  expect(problems[0]?.path).toBe('a.config.password');
  expect([error.stack, JSON.stringify(error), JSON.stringify(problems)].join()).not.toMatch(/pa55|s3cret/);
});

test('a pause that never comes about ends with what to do', async () => {
  const { client } = await serve(({ method, path }, response) => {
    if (method === 'PUT') response.writeHead(202).end();
    else if (path.endsWith('/config')) json(response, 200, {});
    else json(response, 200, { connector: { state: 'RUNNING', worker_id: 'w' }, tasks: [] });
  });
  expect(await errorOf(client.pause('a'))).toMatchObject({
    code: 'TIMED_OUT',
    message: expect.stringContaining('the connector a to pause') as string,
  });
});

test('a connector that goes while it is awaited is not awaited to the end', async () => {
  const { client } = await serve(({ method }, response) => {
    if (method === 'PUT') response.writeHead(202).end();
    else json(response, 404, { error: { code: 404, message: 'connector a not found' } });
  });
  expect(await errorOf(client.resume('a'))).toMatchObject({ code: 'CONNECT_NOT_FOUND' });
});

test('a deletion that the service takes back is an error, one of what has gone is none', async () => {
  const { client } = await serve((_, response, attempt) => {
    if (attempt === 1) json(response, 200, { error: { code: 500, message: 'it is being used' } });
    else json(response, 404, { error: { code: 404, message: 'connector a not found' } });
  });
  expect(await errorOf(client.delete('a'))).toMatchObject({
    code: 'CONNECT_FAILED',
    message: 'Cannot delete the connector a: it is being used',
  });
  await client.delete('a');
});

test('a connector on its way out is absent, one without a status yet is there', async () => {
  const { client } = await serve((_, response) => {
    json(response, 200, {
      leaving: { info: { config: {} }, status: { connector: { state: 'DELETED', worker_id: 'w' } } },
      coming: { id: { id: 'lcc-1' }, info: { config: { topics: 't', 'kafka.region': 'r' } } },
    });
  });
  expect([...(await client.list())]).toEqual([
    [
      'coming',
      {
        name: 'coming',
        config: { topics: 't' },
        state: null,
        trace: null,
        tasks: [],
        consumerGroup: 'connect-lcc-1',
      },
    ],
  ]);
});

test('the restart that the service has beyond its document is used where it is there', async () => {
  const { client, received } = await serve((_, response) => {
    response.writeHead(202).end();
  });
  await client.restartFailed('a');
  expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `POST ${base}/connectors/a/restart`,
  ]);
});
