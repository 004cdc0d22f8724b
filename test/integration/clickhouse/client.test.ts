import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickHouse, quoteIdentifier, quoteString } from '../../../clickhouse/client.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;
const targetOf = (url: string, password = 'secret') => ({
  clickhouse: { url, user: 'reader', password, database: 'default' },
});

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint({
    env: { CLICKHOUSE_USER: 'reader', CLICKHOUSE_PASSWORD: 'secret' },
  });
});
afterAll(async () => {
  await endpoint.stop();
});

describe('createClickHouse', () => {
  it('passes parameters, settings and 64-bit integers through unharmed', async () => {
    const clickhouse = createClickHouse(targetOf(endpoint.url));
    const text = `it's a "test" \\ with\nlines`;
    const rows = await clickhouse.query(
      `SELECT {text:String} AS text, {big:Int64} AS big, getSetting('max_threads') AS threads`,
      { params: { text, big: '9007199254740993' }, settings: { max_threads: 1 } },
    );
    expect(rows).toEqual([{ text, big: '9007199254740993', threads: 1 }]);
    await clickhouse.close();
  });

  it('quotes identifiers and strings so that they stay what they are', async () => {
    const clickhouse = createClickHouse(targetOf(endpoint.url));
    const name = 'a`b\\c';
    expect(await clickhouse.query(`SELECT ${quoteString(`'\\${name}`)} AS ${quoteIdentifier(name)}`)).toEqual(
      [{ [name]: `'\\${name}` }],
    );
    await clickhouse.close();
  });

  it('tells a wrong password from a refused statement', async () => {
    const stranger = createClickHouse(targetOf(endpoint.url, 'wrong'));
    await expect(stranger.query('SELECT 1')).rejects.toMatchObject({
      code: 'CLICKHOUSE_AUTHENTICATION',
      retryable: false,
      where: endpoint.url,
    });
    await stranger.close();

    const clickhouse = createClickHouse(targetOf(endpoint.url));
    await expect(clickhouse.query('SELECT * FROM missing_table')).rejects.toMatchObject({
      code: 'CLICKHOUSE_QUERY',
      clickhouseCode: '60',
      retryable: false,
      message: expect.stringMatching(
        /^ClickHouse refused a statement: .*missing_table.*\(code 60\)$/,
      ) as string,
    });
    await clickhouse.close();
  });

  it('calls an address where nobody answers unreachable, and says that trying again may help', async () => {
    const clickhouse = createClickHouse(targetOf('http://127.0.0.1:1'));
    await expect(clickhouse.query('SELECT 1')).rejects.toMatchObject({
      code: 'CLICKHOUSE_UNREACHABLE',
      retryable: true,
      where: 'http://127.0.0.1:1',
      message: 'ClickHouse does not answer (ECONNREFUSED)',
    });
    await clickhouse.close();
  });

  it('gives up on a server that accepts and says nothing', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const clickhouse = createClickHouse(targetOf(`http://127.0.0.1:${port}`), { requestTimeoutMs: 1000 });
    await expect(clickhouse.query('SELECT 1')).rejects.toMatchObject({
      code: 'CLICKHOUSE_UNREACHABLE',
      message: 'ClickHouse did not answer within 1 s',
    });
    await clickhouse.close();
    silent.close();
  });

  it('stops a running statement when the signal aborts', async () => {
    const clickhouse = createClickHouse(targetOf(endpoint.url));
    const abort = new AbortController();
    const running = clickhouse.query('SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1', {
      signal: abort.signal,
    });
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await clickhouse.close();
  });
});
