import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { projectRoot } from '../../../core/home.ts';
import { waitFor } from '../../../core/wait.ts';
import { threadPoolSize } from '../../../embedded/clickhouse/thread-pool.ts';
import { ask, send, startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

const started: TestEndpoint[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((endpoint) => endpoint.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function start(options: Parameters<typeof startClickHouseEndpoint>[0] = {}): Promise<TestEndpoint> {
  const endpoint = await startClickHouseEndpoint(options);
  started.push(endpoint);
  return endpoint;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'endpoint-'));
  folders.push(folder);
  return folder;
}

/** Runs the endpoint's process to its end. */
async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ exitCode: number | null; stderr: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'embedded/clickhouse/main.ts', ...args], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, stderr };
}

test('a second process on the same folder fails with two lines that name it, and the first goes on', async () => {
  const endpoint = await start();
  await ask(endpoint, 'CREATE TABLE kept (x Int32) ENGINE = MergeTree ORDER BY x');
  const { exitCode, stderr } = await run(['--port', '0', '--data', endpoint.dataFolder]);
  expect(exitCode).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(2);
  expect(stderr).toContain(endpoint.dataFolder);
  await ask(endpoint, 'INSERT INTO kept VALUES (1)');
  expect(await ask(endpoint, 'SELECT count() FROM kept')).toBe('1');
});

test('a port that is taken is said in two lines', async () => {
  const occupier = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => occupier.once('listening', resolve));
  const { port } = occupier.address() as AddressInfo;
  const { exitCode, stderr } = await run([
    '--port',
    String(port),
    '--data',
    path.join(temporaryFolder(), 'data'),
  ]);
  occupier.close();
  expect(exitCode).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(2);
  expect(stderr).toContain(`Port ${port} is taken`);
});

test('arguments that are missing or wrong are said, without a stack trace', async () => {
  for (const args of [[], ['--port', 'many', '--data', 'x'], ['--nonsense']]) {
    const { exitCode, stderr } = await run(args);
    expect(exitCode).toBe(1);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  }
});

test('it listens on the loopback interface only', async () => {
  const { process: child, port } = await start();
  const listening = readFileSync(`/proc/${child.pid}/net/tcp`, 'utf8').split('\n');
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const addresses = listening
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hexPort}`))
    .map(([, local]) => local);
  expect(addresses).toEqual([`0100007F:${hexPort}`]);
  expect(readFileSync(`/proc/${child.pid}/net/tcp6`, 'utf8')).not.toContain(`:${hexPort} 00000000`);
});

test('what an earlier process left is swept away, and the data is not', async () => {
  const folder = temporaryFolder();
  const dataFolder = path.join(folder, 'data');
  mkdirSync(`${dataFolder}.requests`);
  writeFileSync(path.join(`${dataFolder}.requests`, 'request-1'), 'left over');
  const first = await start({ dataFolder });
  await ask(first, 'CREATE TABLE kept (x Int32) ENGINE = MergeTree ORDER BY x');
  expect(existsSync(path.join(`${dataFolder}.requests`, 'request-1'))).toBe(false);
  await first.stop();
  const second = await start({ dataFolder });
  expect(await ask(second, 'EXISTS TABLE kept')).toBe('1');
});

test('SIGTERM lets running requests finish, takes no new ones, and ends with 0', async () => {
  const endpoint = await start();
  const running = ask(endpoint, 'SELECT sleep(2)');
  await waitFor(
    async () =>
      (await ask(endpoint, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep(2)%'")) ===
      '1',
    { what: 'the query to run', timeoutMs: 5000 },
  );
  const stopped = endpoint.stop();
  expect(await running).toBe('0');
  expect(await stopped).toBe(0);
  await expect(send(endpoint, '/', 'SELECT 1')).rejects.toThrow();
});

test('SIGTERM ends a query that would never end', async () => {
  const endpoint = await start({ stopDeadlineMs: 500 });
  const running = send(endpoint, '/', 'SELECT count(cityHash64(number)) FROM numbers(1000000000000)').catch(
    () => 'broken off',
  );
  await waitFor(
    async () =>
      (await ask(endpoint, "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count(city%'")) ===
      '1',
    { what: 'the query to run', timeoutMs: 5000 },
  );
  expect(await endpoint.stop()).toBe(0);
  expect(await running).toBe('broken off');
});

test('started without a large enough thread pool, it starts itself again with one, and ends as one', async () => {
  const endpoint = await start({ env: { UV_THREADPOOL_SIZE: '4' } });
  const children = readFileSync(`/proc/${endpoint.process.pid}/task/${endpoint.process.pid}/children`, 'utf8')
    .trim()
    .split(' ');
  expect(children).toHaveLength(1);
  expect(readFileSync(`/proc/${children[0]}/environ`, 'utf8')).toContain(
    `UV_THREADPOOL_SIZE=${threadPoolSize}`,
  );
  expect(
    new Set(await Promise.all(Array.from({ length: 10 }, () => ask(endpoint, 'SELECT sleep(0.2)')))),
  ).toEqual(new Set(['0']));
  await endpoint.kill();
  await waitFor(() => !existsSync(`/proc/${children[0]}`), {
    what: 'the endpoint to follow its parent',
    timeoutMs: 15_000,
  });
});

test('with a password, only who knows it is answered; health checks need none', async () => {
  const endpoint = await start({ env: { CLICKHOUSE_USER: 'pipeline', CLICKHOUSE_PASSWORD: 'p:ss wörd' } });
  const basic = (text: string) => ({
    headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` },
  });
  const accepted = [
    await send(endpoint, '/', 'SELECT 1', basic('pipeline:p:ss wörd')),
    await send(
      endpoint,
      `/?${new URLSearchParams({ user: 'pipeline', password: 'p:ss wörd' }).toString()}`,
      'SELECT 1',
    ),
    await send(endpoint, '/', 'SELECT 1', {
      headers: {
        'X-ClickHouse-User': 'pipeline',
        'X-ClickHouse-Key': Buffer.from('p:ss wörd').toString('latin1'),
      },
    }),
    await send(endpoint, '/ping', undefined, { method: 'GET' }),
  ];
  expect(accepted.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const refused = [
    await send(endpoint, '/', 'SELECT 1'),
    await send(endpoint, '/', 'SELECT 1', basic('pipeline:wrong')),
    await send(endpoint, '/', 'SELECT 1', basic('default:p:ss wörd')),
    await send(endpoint, '/?user=pipeline', 'SELECT 1'),
    await send(endpoint, '/?user=pipeline&password=p', 'SELECT 1', basic('pipeline:p:ss wörd')),
  ];
  for (const { status, headers, text } of refused) {
    expect([status, headers.get('x-clickhouse-exception-code')]).toEqual([403, '516']);
    expect(text).toContain('AUTHENTICATION_FAILED');
    expect(text).not.toContain('p:ss');
  }
});
