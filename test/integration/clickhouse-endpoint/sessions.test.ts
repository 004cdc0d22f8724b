import { afterAll, beforeAll, expect, test } from 'vitest';
import { maxRunningStatements } from '../../../embedded/clickhouse/thread-pool.ts';
import {
  ask,
  send,
  startClickHouseEndpoint,
  withQuery,
  type TestEndpoint,
} from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;
beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
});
afterAll(async () => {
  await endpoint.stop();
});

const setting = "SELECT getSetting('max_block_size')";

test('a session keeps SET, USE and temporary tables from request to request', async () => {
  const path = '/?session_id=keeps';
  await ask(endpoint, 'CREATE DATABASE IF NOT EXISTS of_session');
  await ask(endpoint, 'SET max_block_size = 1111', path);
  await ask(endpoint, 'USE of_session', path);
  await ask(endpoint, 'CREATE TEMPORARY TABLE held (x Int32)', path);
  await ask(endpoint, 'INSERT INTO held VALUES (1), (2)', path);
  expect(await ask(endpoint, setting, path)).toBe('1111');
  expect(await ask(endpoint, 'SELECT currentDatabase(), sum(x) FROM held', path)).toBe('of_session\t3');
});

test('nothing of a session is seen outside of it', async () => {
  await ask(endpoint, 'SET max_block_size = 2222', '/?session_id=private');
  await ask(endpoint, 'CREATE TEMPORARY TABLE mine (x Int32)', '/?session_id=private');
  expect(await ask(endpoint, setting)).not.toBe('2222');
  expect(await ask(endpoint, setting, '/?session_id=other')).not.toBe('2222');
  expect((await send(endpoint, '/', 'SELECT * FROM mine')).headers.get('x-clickhouse-exception-code')).toBe(
    '60',
  );
});

test('SET without a session ends with its request', async () => {
  for (let round = 0; round < 5; round += 1) await ask(endpoint, 'SET max_block_size = 3333');
  for (let round = 0; round < 10; round += 1) expect(await ask(endpoint, setting)).not.toBe('3333');
});

/** Settings that a client may send with a request, some of which forbid their own undoing. */
const settings: Record<string, string>[] = [
  { max_memory_usage: '1000', max_untracked_memory: '0' },
  { max_query_size: '10' },
  { max_parser_depth: '1' },
  { max_ast_elements: '1' },
  { max_execution_time: '0.001', timeout_before_checking_execution_speed: '0' },
  { max_rows_to_read: '1' },
  { readonly: '1' },
  { readonly: '2', max_result_rows: '1' },
  { allow_ddl: '0' },
  { dialect: 'prql', allow_experimental_prql_dialect: '1' },
  { session_timezone: 'Asia/Tokyo' },
  { format_csv_delimiter: ';', output_format_json_quote_64bit_integers: '1' },
  { compatibility: '22.3' },
  // The engine starts with another value than the default.
  { implicit_select: '0', storage_file_read_method: 'pread' },
  // The second is refused, after the first has been set.
  { max_block_size: '7', session_timezone: 'nowhere' },
];

test.each(settings)("settings of a request are nobody else's: %o", async (parameters) => {
  const all = 'SELECT name, value FROM system.settings WHERE changed ORDER BY name';
  const untouched = await ask(endpoint, all);
  await ask(endpoint, 'CREATE TABLE IF NOT EXISTS taken (x Int32) ENGINE = MergeTree ORDER BY x');
  for (const query of ['SELECT 1', 'INSERT INTO taken FORMAT TSV']) {
    // Whether it succeeds does not matter.
    await send(endpoint, withQuery(query, parameters), '');
    const after = await Promise.all([ask(endpoint, all), ask(endpoint, all)]);
    expect(new Set(after)).toEqual(new Set([untouched]));
    await ask(endpoint, 'INSERT INTO taken VALUES (1)');
  }
});

test('a session whose settings cannot be undone ends, and its name is free for a new one', async () => {
  const path = '/?session_id=choked';
  await ask(endpoint, 'SET max_block_size = 7777', path);
  expect(
    (await send(endpoint, `${path}&max_memory_usage=1000&max_untracked_memory=0`, 'SELECT 1')).status,
  ).toBe(500);
  expect((await send(endpoint, `${path}&session_check=1`, 'SELECT 1')).text).toContain('(SESSION_NOT_FOUND)');
  expect(await ask(endpoint, setting, path)).not.toBe('7777');
});

test('a setting that is refused does not end a session, nor does the one in front of it stay', async () => {
  const path = '/?session_id=survives';
  await ask(endpoint, 'SET max_block_size = 8888', path);
  const refused = await send(endpoint, `${path}&max_block_size=7&session_timezone=nowhere`, 'SELECT 1');
  expect(refused.status).not.toBe(200);
  expect(await ask(endpoint, setting, path)).toBe('8888');
});

test("settings of the URL are undone on a session, down to the client's own SET", async () => {
  const path = '/?session_id=restores';
  expect(await ask(endpoint, setting, `${path}&max_block_size=10`)).toBe('10');
  expect(await ask(endpoint, setting, path)).not.toBe('10');
  await ask(endpoint, 'SET max_block_size = 4444', path);
  expect(await ask(endpoint, setting, `${path}&max_block_size=20`)).toBe('20');
  expect(await ask(endpoint, setting, path)).toBe('4444');
  // SET itself with a setting in the URL: what SET says stays.
  await ask(endpoint, 'SET max_block_size = 5555', `${path}&max_block_size=30`);
  expect(await ask(endpoint, setting, path)).toBe('5555');
});

test('the database of one request does not move the session', async () => {
  const path = '/?session_id=moves';
  expect(await ask(endpoint, 'SELECT currentDatabase()', `${path}&database=system`)).toBe('system');
  expect(await ask(endpoint, 'SELECT currentDatabase()', path)).toBe('default');
  await ask(endpoint, 'SET max_threads = 1', `${path}&database=system`);
  expect(await ask(endpoint, 'SELECT currentDatabase()', path)).toBe('default');
});

test('requests of one session wait for each other', async () => {
  const path = '/?session_id=queues';
  await ask(endpoint, 'CREATE TEMPORARY TABLE log (n Int32)', path);
  const inserts = Array.from({ length: 10 }, (_, n) => ask(endpoint, `INSERT INTO log VALUES (${n})`, path));
  await Promise.all(inserts);
  expect(await ask(endpoint, 'SELECT count() FROM log', path)).toBe('10');
});

test('session_check asks for a session that exists', async () => {
  const missing = await send(endpoint, '/?session_id=nobody&session_check=1', 'SELECT 1');
  expect(missing.headers.get('x-clickhouse-exception-code')).toBe('372');
});

test('an idle session ends after its timeout, which may not be endless', async () => {
  const path = '/?session_id=idle&session_timeout=1';
  await ask(endpoint, 'SET max_block_size = 6666', path);
  const check = async () => (await send(endpoint, `${path}&session_check=1`, 'SELECT 1')).text;
  expect(await check()).toBe('1\n');
  // Asking renews the session, so it is asked once, after the time has passed.
  await ask(endpoint, 'SELECT sleep(1.5)');
  expect(await check()).toContain('(SESSION_NOT_FOUND)');
  const endless = await send(endpoint, '/?session_id=idle&session_timeout=100000', 'SELECT 1');
  expect(endless.headers.get('x-clickhouse-exception-code')).toBe('374');
});

test('a long query keeps neither inserts nor other queries waiting', async () => {
  await ask(endpoint, 'CREATE TABLE beside (x Int32) ENGINE = MergeTree ORDER BY x');
  const long = ask(endpoint, 'SELECT sleep(2)');
  const started = performance.now();
  await ask(endpoint, 'INSERT INTO beside VALUES (1)');
  expect(await ask(endpoint, 'SELECT count() FROM beside')).toBe('1');
  expect(performance.now() - started).toBeLessThan(1500);
  await long;
});

test('more requests than may run at once all get their answer, and health checks do not wait', async () => {
  const many = Array.from({ length: maxRunningStatements * 2 }, () => ask(endpoint, 'SELECT sleep(0.3)'));
  const started = performance.now();
  expect((await send(endpoint, '/ping', undefined, { method: 'GET' })).text).toBe('Ok.\n');
  expect(performance.now() - started).toBeLessThan(1000);
  expect(new Set(await Promise.all(many))).toEqual(new Set(['0']));
});
