import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClickHouse } from '../../../clickhouse/client.ts';
import { probeClickHouse, type ClickHouseState } from '../../../controlplane/probe-clickhouse.ts';
import { ask, startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint({
    env: { CLICKHOUSE_USER: 'loader', CLICKHOUSE_PASSWORD: 'right' },
  });
  for (const database of ['empty', 'sound', 'crowded']) await admin(`CREATE DATABASE ${database}`);
  await admin('CREATE TABLE sound.t (n Int32) ENGINE = MergeTree ORDER BY n');
  await admin('INSERT INTO sound.t VALUES (1)');
  // With a limit of its own, far below the server's.
  await admin(
    'CREATE TABLE crowded.t (n Int32) ENGINE = MergeTree ORDER BY n SETTINGS parts_to_delay_insert = 2, parts_to_throw_insert = 2',
  );
  await admin('SYSTEM STOP MERGES crowded.t');
  for (const n of [1, 2]) await admin(`INSERT INTO crowded.t VALUES (${String(n)})`);
});
afterAll(async () => {
  await endpoint.stop();
});

async function admin(statement: string): Promise<void> {
  await ask(endpoint, statement, '/?user=loader&password=right');
}

async function probe(
  database: string,
  { url = endpoint.url, password = 'right' } = {},
): Promise<ClickHouseState> {
  const target = { clickhouse: { url, user: 'loader', password, database } };
  const clickhouse = createClickHouse(target, { database: 'system', requestTimeoutMs: 5000 });
  try {
    return await probeClickHouse(clickhouse, database);
  } finally {
    await clickhouse.close();
  }
}

test('a database with tables and room is ready', async () => {
  expect(await probe('sound')).toEqual({ state: 'ready', reason: null });
});

test('a partition that has reached its limit of parts is named, and inserts are indeed refused', async () => {
  expect(await probe('crowded')).toEqual({
    state: 'overloaded',
    reason: 't has 2 parts in one partition; inserts are refused from 2',
  });
  await expect(admin('INSERT INTO crowded.t VALUES (3)')).rejects.toThrow(/TOO_MANY_PARTS/);
});

test.each(['empty', 'absent'])('a database that is %s is not prepared', async (database) => {
  expect(await probe(database)).toEqual({
    state: 'unprepared',
    reason: `ClickHouse has no tables in the database ${database}`,
  });
});

test('a wrong password is refused, and not repeated in the reason', async () => {
  const state = await probe('sound', { password: 'wrong-s3cret' });
  expect(state).toMatchObject({ state: 'refused', reason: expect.stringContaining('"loader"') as string });
  expect(state.reason).not.toContain('s3cret');
});

test('a server that is not there is unreachable', async () => {
  expect(await probe('sound', { url: 'http://127.0.0.1:1' })).toMatchObject({ state: 'unreachable' });
});
