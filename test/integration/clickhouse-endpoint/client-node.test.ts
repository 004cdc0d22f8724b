import { Readable } from 'node:stream';
import { createClient, ClickHouseError, ClickHouseLogLevel, type ClickHouseClient } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;
const clients: ClickHouseClient[] = [];
beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(async () => {
  await endpoint.stop();
});

function connect(options: Parameters<typeof createClient>[0] = {}): ClickHouseClient {
  const client = createClient({ url: endpoint.url, log: { level: ClickHouseLogLevel.OFF }, ...options });
  clients.push(client);
  return client;
}

test('ping, command and query in several formats', async () => {
  const client = connect();
  expect(await client.ping()).toMatchObject({ success: true });
  expect(await client.ping({ select: true })).toMatchObject({ success: true });
  await client.command({
    query: 'CREATE TABLE formats (id UInt32, name String) ENGINE = MergeTree ORDER BY id',
  });
  await client.insert({
    table: 'formats',
    values: [
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
    ],
    format: 'JSONEachRow',
  });
  const query = 'SELECT * FROM formats ORDER BY id';
  const rows = [
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
  ];
  expect(await (await client.query({ query, format: 'JSONEachRow' })).json()).toEqual(rows);
  expect(await (await client.query({ query, format: 'JSON' })).json()).toMatchObject({ rows: 2, data: rows });
  expect(await (await client.query({ query, format: 'CSV' })).text()).toBe('1,"one"\n2,"two"\n');
});

test('an insert from a stream, and a query as a stream, both compressed', async () => {
  const client = connect({ compression: { request: true, response: true } });
  await client.command({
    query: 'CREATE TABLE streamed (n UInt32, text String) ENGINE = MergeTree ORDER BY n',
  });
  const count = 100_000;
  const rows = function* () {
    for (let n = 0; n < count; n += 1) yield { n, text: `line one\n\nline ${n}\t\\` };
  };
  const { summary } = await client.insert({
    table: 'streamed',
    values: Readable.from(rows()),
    format: 'JSONEachRow',
  });
  expect(summary?.written_rows).toBe(String(count));
  const result = await client.query({ query: 'SELECT * FROM streamed ORDER BY n', format: 'JSONEachRow' });
  let seen = 0;
  for await (const chunk of result.stream<{ n: number; text: string }>()) {
    for (const row of chunk) {
      const value = row.json();
      if (value.text !== `line one\n\nline ${value.n}\t\\` || value.n !== seen)
        throw new Error(`Row ${seen} differs`);
      seen += 1;
    }
  }
  expect(seen).toBe(count);
});

test('parameters and settings', async () => {
  const client = connect({ clickhouse_settings: { output_format_json_quote_64bit_integers: 1 } });
  const result = await client.query({
    query:
      "SELECT {n:UInt64} AS n, {text:String} AS text, {list:Array(String)} AS list, {no:Nullable(String)} AS no, getSetting('max_threads') AS threads",
    query_params: { n: '18446744073709551615', text: "it's\ta \\ \n'", list: ["a'b", 'c\\'], no: null },
    clickhouse_settings: { max_threads: 1 },
    format: 'JSONEachRow',
  });
  expect(await result.json()).toEqual([
    { n: '18446744073709551615', text: "it's\ta \\ \n'", list: ["a'b", 'c\\'], no: null, threads: 1 },
  ]);
});

test('long parameters, which the client sends as a form', async () => {
  const text = 'x'.repeat(100_000);
  const result = await connect({ use_multipart_params_auto: true }).query({
    query: 'SELECT length({text:String}) AS length',
    query_params: { text },
    format: 'JSONEachRow',
  });
  expect(await result.json()).toEqual([{ length: 100_000 }]);
});

test('a session with a temporary table', async () => {
  const client = connect({ session_id: 'of-the-node-client', max_open_connections: 1 });
  await client.command({ query: 'CREATE TEMPORARY TABLE held (x Int32)' });
  await client.insert({ table: 'held', values: [[1], [2]], format: 'JSONCompactEachRow' });
  const result = await client.query({ query: 'SELECT sum(x) AS sum FROM held', format: 'JSONEachRow' });
  expect(await result.json()).toEqual([{ sum: 3 }]);
});

test('an error with its code, its name and its message', async () => {
  for (const compression of [{}, { request: true, response: true }]) {
    const failing = connect({ compression }).query({ query: 'SELECT * FROM nowhere' });
    await expect(failing).rejects.toThrow(ClickHouseError);
    await expect(failing).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' });
  }
});

test('an error in the middle of a stream', async () => {
  const result = await connect().query({
    query:
      "SELECT throwIf(number = 3000000, 'late') AS n FROM numbers(4000000) SETTINGS max_block_size = 10000, max_threads = 1",
    format: 'JSONEachRow',
  });
  const reading = (async () => {
    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the rows do not matter here
    for await (const _ of result.stream()) continue;
  })();
  await expect(reading).rejects.toMatchObject({ code: '395' });
});

test('an abort ends the query on the server', async () => {
  const client = connect();
  const controller = new AbortController();
  const running = async () => {
    const query = "SELECT count() AS n FROM system.processes WHERE query LIKE 'SELECT count(sipHash64%'";
    const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ n: string }>();
    return Number(row?.n);
  };
  const aborted = client.query({
    query: 'SELECT count(sipHash64(number)) FROM numbers(1000000000000)',
    abort_signal: controller.signal,
  });
  aborted.catch(() => undefined);
  await waitFor(async () => (await running()) === 1, { what: 'the query to run', timeoutMs: 5000 });
  controller.abort();
  await expect(aborted).rejects.toThrow('aborted');
  await waitFor(async () => (await running()) === 0, { what: 'the query to end', timeoutMs: 5000 });
});
