import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { decompressFrameSync } from 'lz4-napi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import { decodeBlocks } from '../../../embedded/clickhouse/compression/compressed-blocks.ts';
import { ask, send, startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;
beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
});
afterAll(async () => {
  await endpoint.stop();
});

/** Sends a statement without decoding the answer and without reading it further than the caller does. */
function open(statement: string, path = '/', headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(`${endpoint.url}${path}`, { method: 'POST', headers }, resolve)
      .on('error', reject)
      .end(statement);
  });
}

/** What a file descriptor is open on; empty when it has been closed meanwhile. */
function linkOf(descriptor: string): string {
  try {
    return readlinkSync(descriptor);
  } catch {
    return '';
  }
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const running = (part: string) =>
  ask(
    endpoint,
    `SELECT count() FROM system.processes WHERE query LIKE '%${part}%' AND query NOT LIKE '%system.processes%'`,
  );

describe('large results', () => {
  test('are streamed: 500 MB pass through without being held', async () => {
    const memory = () =>
      Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${endpoint.process.pid}/status`, 'utf8'))?.[1]);
    const before = memory();
    let highest = 0;
    let bytes = 0;
    let chunks = 0;
    const answer = await open('SELECT repeat(toString(number), 20) FROM numbers(4000000) FORMAT JSONCompact');
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      chunks += 1;
      if (chunks % 100 === 0) highest = Math.max(highest, memory());
    }
    expect(bytes).toBeGreaterThan(500_000_000);
    expect(highest - before).toBeLessThan(400_000);
    expect(answer.complete).toBe(true);
  });

  test('of every format end as they should', async () => {
    for (const format of [
      'RowBinaryWithNamesAndTypes',
      'CSVWithNames',
      'Parquet',
      'Arrow',
      'JSON',
      'Native',
      'XML',
    ]) {
      const all = await readAll(await open(`SELECT number AS n FROM numbers(500000) FORMAT ${format}`));
      const { length } = all;
      expect([format, length > 100_000]).toEqual([format, true]);
      if (format === 'Parquet') expect(all.subarray(-4).toString()).toBe('PAR1');
      if (format === 'XML') expect(all.toString().trimEnd().endsWith('</result>')).toBe(true);
      if (format === 'CSVWithNames') expect(all.toString().split('\n')).toHaveLength(500_002);
    }
  });

  test('are whole and have a summary where the client wants to wait for the end of the query', async () => {
    const answer = await open('SELECT number FROM numbers(2000000)', '/?wait_end_of_query=1');
    expect(JSON.parse(String(answer.headers['x-clickhouse-summary']))).toMatchObject({
      read_rows: '2000000',
    });
    expect((await readAll(answer)).toString().endsWith('\n1999999\n')).toBe(true);
  });

  test('wait for a slow client, and the next ones are not disturbed', async () => {
    const slow = await open('SELECT number, toString(number) FROM numbers(5000000)');
    expect(await ask(endpoint, 'SELECT count() FROM numbers(10)')).toBe('10');
    const text = (await readAll(slow)).toString();
    expect(text.endsWith('4999999\t4999999\n')).toBe(true);
  });
});

describe('the coding of an answer', () => {
  const statement = 'SELECT number FROM numbers(300000)';
  const plain = () => readAllOf(statement, '/');
  const readAllOf = async (sql: string, path: string, headers = {}) =>
    readAll(await open(sql, path, headers));

  test.each([
    ['gzip', gunzipSync],
    ['lz4', decompressFrameSync],
  ] as const)('%s where the client accepts it and asks for it', async (encoding, decode) => {
    const headers = { 'Accept-Encoding': `zstd;q=0, ${encoding}` };
    for (const sql of ['SELECT 1', statement]) {
      const answer = await open(sql, '/?enable_http_compression=1', headers);
      expect(answer.headers['content-encoding']).toBe(encoding);
      expect(decode(await readAll(answer)).equals(await readAllOf(sql, '/'))).toBe(true);
    }
    const unasked = await open('SELECT 1', '/', headers);
    expect(unasked.headers['content-encoding']).toBeUndefined();
    expect((await readAll(unasked)).toString()).toBe('1\n');
  });

  test("ClickHouse's own blocks with compress=1, for errors too", async () => {
    const decode = async (bytes: Buffer) => {
      const blocks: Buffer[] = [];
      for await (const block of decodeBlocks(Readable.from([bytes]))) blocks.push(block);
      return Buffer.concat(blocks);
    };
    expect((await decode(await readAllOf(statement, '/?compress=1'))).equals(await plain())).toBe(true);
    expect((await decode(await readAllOf('SELECT 1', '/?compress=1'))).toString()).toBe('1\n');
    const error = await open('SELECT nothing', '/?compress=1');
    expect(error.statusCode).toBe(404);
    expect((await decode(await readAll(error))).toString()).toContain('UNKNOWN_IDENTIFIER');
  });
});

describe('an error', () => {
  const failsLate =
    "SELECT throwIf(number = 3000000, 'late') FROM numbers(4000000) SETTINGS max_block_size = 10000, max_threads = 1";

  test('in the middle of an answer breaks it off and names itself in the way of the server', async () => {
    const answer = await open(failsLate);
    expect(answer.statusCode).toBe(200);
    const tag = String(answer.headers['x-clickhouse-exception-tag']);
    const chunks: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    })();
    await expect(reading).rejects.toThrow('aborted');
    const end = Buffer.concat(chunks).toString().slice(-2000);
    expect(end).toMatch(
      new RegExp(
        `\\r\\n__exception__\\r\\n${tag}\\r\\nCode: 395\\..*late.*\\n\\d+ ${tag}\\r\\n__exception__\\r\\n$`,
        's',
      ),
    );
    expect(answer.complete).toBe(false);
  });

  test('has its status with wait_end_of_query, or where it comes before the buffer is full', async () => {
    for (const path of ['/?wait_end_of_query=1', '/?buffer_size=20000000']) {
      const { status, headers } = await send(endpoint, path, failsLate);
      expect([status, headers.get('x-clickhouse-exception-code')]).toEqual([500, '395']);
    }
  });

  test('of memory is an answer, not the end of the endpoint', async () => {
    const { headers } = await send(
      endpoint,
      '/',
      'SELECT length(groupArray(number)) FROM numbers(2000000000)',
    );
    expect(headers.get('x-clickhouse-exception-code')).toBe('241');
    expect(await ask(endpoint, 'SELECT 1')).toBe('1');
  });
});

test('a failed query gives back at once what it held', async () => {
  await send(
    endpoint,
    '/?max_memory_usage=100000000',
    'SELECT length(groupArray(number)) FROM numbers(2000000000)',
  );
  expect(await running('groupArray')).toBe('0');
});

describe('a client that goes away', () => {
  test('ends its query, whether that was computing or sending', async () => {
    const computing = new AbortController();
    const statement = 'SELECT count(cityHash64(number)) FROM numbers(1000000000000)';
    const asked = send(endpoint, '/', statement, { signal: computing.signal }).catch(() => undefined);
    await waitFor(async () => (await running('count(cityHash64')) === '1', {
      what: 'the query to run',
      timeoutMs: 5000,
    });
    computing.abort();
    await asked;
    const sending = await open('SELECT number FROM system.numbers');
    sending.on('error', () => undefined);
    sending.destroy();
    await waitFor(async () => (await running('number')) === '0', {
      what: 'the queries to end',
      timeoutMs: 10_000,
    });
  });

  test('leaves no open pipe or file behind', async () => {
    const folder = `/proc/${endpoint.process.pid}/fd`;
    const openPipes = () =>
      readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`).includes('/result-'));
    for (let round = 0; round < 50; round += 1) {
      const answer = await open('SELECT * FROM system.numbers');
      answer.on('error', () => undefined);
      answer.destroy();
    }
    await waitFor(async () => (await running('numbers')) === '0', {
      what: 'the queries to end',
      timeoutMs: 10_000,
    });
    await waitFor(() => openPipes().length === 0, { what: 'the pipes to close', timeoutMs: 5000 });
  });

  test('does not keep a write that has begun from finishing', async () => {
    await ask(endpoint, 'CREATE TABLE finished (x Int32) ENGINE = MergeTree ORDER BY x');
    const gone = new AbortController();
    const asked = send(endpoint, '/', 'INSERT INTO finished SELECT sleepEachRow(0.5) FROM numbers(2)', {
      signal: gone.signal,
    }).catch(() => undefined);
    await waitFor(async () => (await running('INTO finished')) === '1', {
      what: 'the insert to run',
      timeoutMs: 5000,
    });
    gone.abort();
    await asked;
    await waitFor(async () => (await ask(endpoint, 'SELECT count() FROM finished')) === '2', {
      what: 'the rows',
      timeoutMs: 5000,
    });
  });
});
