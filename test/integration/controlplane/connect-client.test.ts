import { expect, onTestFinished, test, vi } from 'vitest';
import { createConnectClient } from '../../../controlplane/kafka-connect/connect-client.ts';
import { PipelineError } from '../../../core/errors.ts';
import { html, json, scriptedServer, type Script } from './scripted-server.ts';

const connector = {
  name: 'a',
  config: { topics: 't', password: 'pa55-word', url: 'u?p=other-s3cret' },
  secretKeys: new Set(['url']),
};
const rebalance = {
  error_code: 409,
  message:
    'Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)',
};
const running = { connector: { state: 'RUNNING', worker_id: 'w' }, tasks: [], type: 'sink' };

async function serve(script: Script) {
  const server = await scriptedServer(script);
  onTestFinished(server.close);
  return server;
}

async function errorOf(act: Promise<unknown>): Promise<PipelineError> {
  try {
    await act;
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  throw new Error('expected a PipelineError');
}

test('a write is repeated while the workers rebalance', async () => {
  const { url, received } = await serve((_, response, attempt) => {
    json(response, attempt < 3 ? 409 : 200, attempt < 3 ? rebalance : {});
  });
  await createConnectClient({ url }).put(connector);
  expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual(
    Array(3).fill('PUT /connectors/a/config'),
  );
});

test('a conflict that waiting does not settle is reported at once', async () => {
  const { url, received } = await serve((_, response) => {
    json(response, 409, { error_code: 409, message: 'Connector a already exists' });
  });
  await expect(createConnectClient({ url }).put(connector)).rejects.toThrow('already exists');
  expect(received).toHaveLength(1);
});

test('a 500 that took effect counts as done', async () => {
  const { url, received } = await serve(({ method, path }, response) => {
    if (method === 'PUT') json(response, 500, { error_code: 500, message: 'Request timed out' });
    else json(response, 200, path.endsWith('/status') ? running : { ...connector.config, name: 'a' });
  });
  await createConnectClient({ url }).put(connector);
  expect(received.filter(({ method }) => method === 'PUT')).toHaveLength(1);
});

test('a 500 without effect is repeated and at last reported', async () => {
  const { url, received } = await serve(({ method }, response) => {
    if (method === 'PUT') json(response, 500, { error_code: 500, message: 'Request timed out' });
    else json(response, 404, { error_code: 404, message: 'Connector a not found' });
  });
  const error = await errorOf(createConnectClient({ url, retries: 1 }).put(connector));
  expect(error).toMatchObject({
    code: 'CONNECT_FAILED',
    message: 'Cannot write the connector a: Request timed out',
  });
  expect(received.filter(({ method }) => method === 'PUT')).toHaveLength(2);
});

test('a connection that breaks after the write took effect counts as done', async () => {
  const { url } = await serve(({ method, path }, response) => {
    if (method === 'PUT') response.destroy();
    else json(response, 200, path.endsWith('/status') ? running : connector.config);
  });
  await createConnectClient({ url }).put(connector);
});

test('the 404 page of a starting worker is waited out and is not an absent connector', async () => {
  const { url } = await serve(({ path }, response, attempt) => {
    if (attempt < 3) html(response, 404);
    else json(response, 200, path.endsWith('/status') ? running : connector.config);
  });
  expect(await createConnectClient({ url }).read('a')).toMatchObject({ name: 'a', state: 'RUNNING' });
});

test('a connector that is not there is absent, one without a status yet is there', async () => {
  const { url } = await serve(({ path }, response) => {
    if (path === '/connectors/a/config') json(response, 200, connector.config);
    else json(response, 404, { error_code: 404, message: 'No status found for connector a' });
  });
  const client = createConnectClient({ url });
  expect(await client.read('b')).toBeUndefined();
  expect(await client.read('a')).toMatchObject({ state: null, tasks: [] });
});

test('a page of HTML from something else is named as such', async () => {
  const { url } = await serve((_, response) => {
    html(response, 200);
  });
  expect(await errorOf(createConnectClient({ url }).list())).toMatchObject({
    code: 'CONNECT_NOT_THERE',
    message: "This is not Kafka Connect's REST API: it answered 200 with text/html",
    where: url,
  });
});

test('a redirect is not followed', async () => {
  const { url, received } = await serve((_, response) => {
    response.writeHead(302, { location: '/login' }).end();
  });
  expect(await errorOf(createConnectClient({ url }).list())).toMatchObject({ code: 'CONNECT_NOT_THERE' });
  expect(received).toHaveLength(1);
});

test("a gateway's own 404 is not an absent connector, and an unknown list is not an empty one", async () => {
  const { url } = await serve((_, response) => {
    json(response, 404, { message: 'no Route matched with those values' });
  });
  const client = createConnectClient({ url });
  for (const reading of [client.read('a'), client.list(), client.plugins()]) {
    expect(await errorOf(reading)).toMatchObject({ code: 'CONNECT_NOT_THERE' });
  }
  const { url: absentUrl } = await serve((_, response) => {
    json(response, 404, { error_code: 404, message: 'HTTP 404 Not Found' });
  });
  expect(await errorOf(createConnectClient({ url: absentUrl }).list())).toMatchObject({
    code: 'INVALID_INPUT',
  });
});

test('credentials in the address are sent, and never shown', async () => {
  const { url, received } = await serve((_, response) => {
    json(response, 401, { error_code: 401, message: 'User cannot access the resource.' });
  });
  const { host } = new URL(url);
  const client = createConnectClient({ url: `http://op:s3cr%40t@${host}/connect/` });
  expect(await errorOf(client.plugins())).toMatchObject({
    code: 'CONNECT_FORBIDDEN',
    where: `http://${host}/connect`,
  });
  expect(received[0]).toMatchObject({
    path: '/connect/connector-plugins',
    authorization: `Basic ${Buffer.from('op:s3cr@t').toString('base64')}`,
  });
});

test('a proxy for the world outside is not asked for a worker on this machine', async () => {
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:1');
  vi.stubEnv('NO_PROXY', '');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { url } = await serve((_, response) => {
    json(response, 200, []);
  });
  expect(await createConnectClient({ url }).plugins()).toEqual([]);
});

test('JSON of another form lists what is wrong with it', async () => {
  const { url } = await serve((_, response) => {
    json(response, 200, { a: { info: { config: 'x' } } });
  });
  expect(await errorOf(createConnectClient({ url }).list())).toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ path: 'a.info.config' }],
  });
});

test('a worker that does not answer is reported at once with what to do', async () => {
  const { url } = await serve(() => undefined);
  const closed = url.replace(/\d+$/, '1');
  expect(await errorOf(createConnectClient({ url: closed }).plugins())).toMatchObject({
    code: 'CONNECT_UNREACHABLE',
    where: closed,
    todo: expect.stringContaining('npm run up') as string,
  });
});

test('an answer that does not come in time ends the request', async () => {
  const { url } = await serve(() => undefined);
  expect(await errorOf(createConnectClient({ url, timeoutMs: 100 }).plugins())).toMatchObject({
    code: 'CONNECT_TIMED_OUT',
  });
});

test('an abort ends a request under way and the pauses between attempts', async () => {
  const abort = new AbortController();
  const { url } = await serve((_, response, attempt) => {
    if (attempt === 1) json(response, 409, rebalance);
    else abort.abort();
  });
  await expect(createConnectClient({ url }).put(connector, abort.signal)).rejects.toMatchObject({
    code: 'INTERRUPTED',
  });
});

test('a server that repeats the secrets it was sent does not get them shown', async () => {
  const echo = `Invalid value pa55-word and ${encodeURIComponent('u?p=other-s3cret')} for configuration x`;
  const { url } = await serve(({ path }, response) => {
    if (path.includes('/validate')) {
      json(response, 200, { configs: [{ value: { name: 'password', errors: [echo] } }] });
    } else json(response, 400, { error_code: 400, message: echo });
  });
  const client = createConnectClient({ url });
  const error = await errorOf(client.put(connector));
  const problems = await client.validate({
    ...connector,
    config: { ...connector.config, 'connector.class': 'x.Y' },
  });
  expect(error).toMatchObject({ code: 'CONNECT_REJECTED' });
  expect(problems).toEqual([
    { path: 'a.config.password', message: 'Invalid value (secret) and (secret) for configuration x' },
  ]);
  const shown = [error.message, error.todo, error.stack, JSON.stringify(error), String(error.cause)].join();
  expect(shown + JSON.stringify(problems)).not.toMatch(/pa55|s3cret/);
});

test('deleting a connector that is gone succeeds', async () => {
  const { url } = await serve((_, response) => {
    json(response, 404, { error_code: 404, message: 'Connector a not found' });
  });
  await createConnectClient({ url }).delete('a');
});
