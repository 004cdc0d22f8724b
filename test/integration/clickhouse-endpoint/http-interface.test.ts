import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  expect(await endpoint.stop()).toBe(0);
});

const get = { method: 'GET' } as const;

describe('where a statement may be', () => {
  test('in the body, in the URL, or half in each', async () => {
    expect(await ask(endpoint, 'SELECT 1')).toBe('1');
    expect((await send(endpoint, withQuery('SELECT 2'), undefined, get)).text).toBe('2\n');
    expect((await send(endpoint, withQuery('SELECT 1 +'), '2')).text).toBe('3\n');
  });

  test('in the URL with every kind of white space and comment around it', async () => {
    expect(await ask(endpoint, '/* {"app": "dbt"} */\n-- one\n#! two\n SELECT\n\t1 ;  -- three\n;')).toBe(
      '1',
    );
    expect(await ask(endpoint, '/* x */ (SELECT 1) UNION ALL (SELECT 1)')).toBe('1\n1');
    expect(await ask(endpoint, 'WITH 7 AS seven SELECT seven')).toBe('7');
  });

  test('in a multipart form, with its parameters', async () => {
    const form = new FormData();
    form.set('query', 'SELECT {word:String}, {n:UInt8}');
    form.set('param_word', "it's");
    const { text } = await send(endpoint, '/?param_n=7', form);
    expect(text).toBe("it\\'s\t7\n");
  });

  test('parameters of a form serve a statement in the URL', async () => {
    const form = new FormData();
    form.set('param_word', 'form');
    expect((await send(endpoint, withQuery('SELECT {word:String}'), form)).text).toBe('form\n');
  });

  test('one statement a request, as with the server', async () => {
    const { status, text } = await send(endpoint, '/', 'SELECT 1; SELECT 2');
    expect(status).toBe(400);
    expect(text).toContain('Multi-statements are not allowed');
  });

  test('with the no-break spaces and the byte order mark that editors leave', async () => {
    expect(await ask(endpoint, '\ufeffSELECT\u00a01,\u2003\u2018text\u2019\u00a0')).toBe('1\ttext');
  });

  test('longer than usual, where max_query_size allows it', async () => {
    const numbers = Array.from({ length: 100_000 }, (_, n) => n).join(',');
    const statement = `SELECT count() FROM numbers(200000) WHERE number IN (${numbers})`;
    expect(await ask(endpoint, statement, '/?max_query_size=2000000')).toBe('100000');
  });

  test('an empty one is a syntax error', async () => {
    expect((await send(endpoint, '/', '-- nothing')).headers.get('x-clickhouse-exception-code')).toBe('62');
  });
});

describe('health checks', () => {
  test('/ping and a bare GET answer without a statement', async () => {
    expect((await send(endpoint, '/ping', undefined, get)).text).toBe('Ok.\n');
    expect((await send(endpoint, '/', undefined, get)).text).toBe('Ok.\n');
    expect((await send(endpoint, '/nowhere', undefined, get)).status).toBe(404);
  });
});

describe('formats', () => {
  test.each([
    ['the FORMAT clause', '/', 'SELECT 1 AS a FORMAT JSONEachRow', 'JSONEachRow', '{"a":1}\n'],
    ['default_format', '/?default_format=CSV', "SELECT 'x'", 'CSV', '"x"\n'],
    ['the clause over default_format', '/?default_format=CSV', 'SELECT 1 FORMAT TSV', 'TSV', '1\n'],
    [
      'a clause before SETTINGS',
      '/',
      'SELECT 1 AS a FORMAT JSONEachRow SETTINGS max_threads = 1',
      'JSONEachRow',
      '{"a":1}\n',
    ],
    ['no clause but a column of that name', '/', 'SELECT 1 AS format', 'TabSeparated', '1\n'],
  ])('come from %s', async (_, path, statement, format, text) => {
    const answer = await send(endpoint, path, statement);
    expect(answer.text).toBe(text);
    expect(answer.headers.get('x-clickhouse-format')).toBe(format);
  });

  test('come from the header X-ClickHouse-Format', async () => {
    const headers = { 'X-ClickHouse-Format': 'JSONCompactEachRow' };
    expect((await send(endpoint, '/', 'SELECT 1, 2', { headers })).text).toBe('[1, 2]\n');
  });

  test('with a beginning and an end are one whole document, however large', async () => {
    const { text, headers } = await send(
      endpoint,
      '/',
      'SELECT number AS n FROM numbers(300000) FORMAT JSON',
    );
    const document = JSON.parse(text) as { rows: number; data: { n: number }[] };
    expect(document.rows).toBe(300_000);
    expect(document.data.at(-1)).toEqual({ n: 299_999 });
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8');
  });

  test('serve SHOW, DESCRIBE and EXPLAIN as well', async () => {
    expect(await ask(endpoint, "SHOW DATABASES LIKE 'default' FORMAT JSONEachRow")).toBe(
      '{"name":"default"}',
    );
    expect(await ask(endpoint, 'DESCRIBE TABLE system.one', '/?default_format=JSONEachRow')).toContain(
      '"name":"dummy"',
    );
    expect(await ask(endpoint, 'EXPLAIN SELECT 1')).toContain('ReadFromSystemOne');
  });
});

describe('headers of an answer', () => {
  test('name the query, the format, the time zone and what was read', async () => {
    const { headers } = await send(endpoint, '/?query_id=mine', 'SELECT * FROM numbers(10)');
    expect(headers.get('x-clickhouse-query-id')).toBe('mine');
    expect(headers.get('x-clickhouse-timezone')).toBeTruthy();
    expect(headers.get('x-clickhouse-server-display-name')).toBeTruthy();
    const summary = JSON.parse(headers.get('x-clickhouse-summary') ?? '') as Record<string, string>;
    expect(summary).toMatchObject({ read_rows: '10', written_rows: '0' });
  });

  test('give every query an id of its own', async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => (await send(endpoint, '/', 'SELECT 1')).headers.get('x-clickhouse-query-id')),
    );
    expect(new Set(ids).size).toBe(2);
  });
});

describe('errors', () => {
  test.each([
    ['SELEC 1', 400, '62'],
    ['SELECT * FROM nowhere', 404, '60'],
    ['SELECT nothing', 404, '47'],
    ['USE nowhere', 404, '81'],
    ['SELECT throwIf(1)', 500, '395'],
    ['SELECT 1 FORMAT Nonsense', 404, '73'],
    ["INSERT INTO FUNCTION null('x Int8') VALUES ('text')", 400, '6'],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", 500, '113'],
    ["INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", 404, '78'],
  ])('%s -> %i with code %s', async (statement, status, code) => {
    const answer = await send(endpoint, '/', statement);
    expect(answer.text).toContain(`Code: ${code}. DB::Exception: `);
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([status, code]);
    expect(answer.text).not.toContain('.requests');
  });

  test('leave the connection and the session usable', async () => {
    await send(endpoint, '/?max_threads=3', 'SELECT throwIf(1)');
    expect(await ask(endpoint, "SELECT getSetting('max_threads') = 3")).toBe('0');
  });

  test('name an unknown setting, and a setting that is no name at all', async () => {
    expect(
      (await send(endpoint, '/?no_such_setting=1', 'SELECT 1')).headers.get('x-clickhouse-exception-code'),
    ).toBe('115');
    expect(
      (await send(endpoint, '/?max_threads%3D1,x=1', 'SELECT 1')).headers.get('x-clickhouse-exception-code'),
    ).toBe('115');
    expect(
      (await send(endpoint, '/?param_a%20b=1', 'SELECT 1')).headers.get('x-clickhouse-exception-code'),
    ).toBe('36');
  });

  test('refuse a default format that would be more than a format', async () => {
    const { headers } = await send(endpoint, '/?default_format=CSV;DROP%20TABLE%20x', 'SELECT 1');
    expect(headers.get('x-clickhouse-exception-code')).toBe('73');
  });

  test('refuse to write by GET', async () => {
    const answer = await send(
      endpoint,
      withQuery('CREATE TABLE default.by_get (x Int8) ENGINE = Memory'),
      undefined,
      get,
    );
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe('164');
    expect(await ask(endpoint, 'EXISTS TABLE default.by_get')).toBe('0');
  });
});

describe('settings, parameters and database', () => {
  test('settings of the URL hold for their request only', async () => {
    const statement = "SELECT getSetting('max_block_size')";
    expect(await ask(endpoint, statement, '/?max_block_size=1234')).toBe('1234');
    expect(await ask(endpoint, statement)).not.toBe('1234');
  });

  test('a query without its parameter fails, also after one that had it', async () => {
    const statement = 'SELECT {forgotten:String}';
    expect(await ask(endpoint, statement, '/?param_forgotten=here')).toBe('here');
    const answer = await send(endpoint, '/', statement);
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe('456');
  });

  test('parameters are values, never SQL, and may be escaped as ClickHouse has it', async () => {
    const path = `/?${new URLSearchParams({ param_a: "'); DROP TABLE x; --", param_b: 'a\\tb', param_c: '\\N' }).toString()}`;
    expect(await ask(endpoint, 'SELECT {a:String}, {b:String}, {c:Nullable(Int8)}', path)).toBe(
      "\\'); DROP TABLE x; --\ta\\tb\t\\N",
    );
  });

  test('the database comes from the URL or from a header', async () => {
    await ask(endpoint, 'CREATE DATABASE IF NOT EXISTS chosen');
    const headers = { 'X-ClickHouse-Database': 'chosen' };
    expect(await ask(endpoint, 'SELECT currentDatabase()', '/?database=chosen')).toBe('chosen');
    expect((await send(endpoint, '/', 'SELECT currentDatabase()', { headers })).text).toBe('chosen\n');
    expect(await ask(endpoint, 'SELECT currentDatabase()')).toBe('default');
    expect((await send(endpoint, '/?database=nowhere', 'SELECT 1')).status).toBe(404);
  });

  test('readonly of a request does not reach the next one', async () => {
    const refused = await send(
      endpoint,
      '/?readonly=1',
      'CREATE TABLE readonly_table (x Int8) ENGINE = Memory',
    );
    expect(refused.headers.get('x-clickhouse-exception-code')).toBe('164');
    await ask(endpoint, 'CREATE TABLE readonly_table (x Int8) ENGINE = Memory', '/?max_threads=1');
  });
});

test('materialized views, refreshable ones too, work in a created database', async () => {
  await ask(endpoint, 'CREATE DATABASE views');
  const statements = [
    'CREATE TABLE source (x Int32) ENGINE = MergeTree ORDER BY x',
    'CREATE TABLE sums (s Int64) ENGINE = SummingMergeTree ORDER BY tuple()',
    'CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT sum(x) AS s FROM source',
    'CREATE MATERIALIZED VIEW counted REFRESH EVERY 1 HOUR (n UInt64) ENGINE = MergeTree ORDER BY n AS SELECT count() AS n FROM source',
    'INSERT INTO source SELECT number FROM numbers(10)',
    'INSERT INTO source (x) VALUES (100)',
    'ALTER TABLE source ADD COLUMN y String',
    'SYSTEM REFRESH VIEW counted',
    'SYSTEM WAIT VIEW counted',
  ];
  for (const statement of statements) await ask(endpoint, statement, '/?database=views');
  expect(await ask(endpoint, 'SELECT sum(s) FROM views.sums')).toBe('145');
  expect(await ask(endpoint, 'SELECT n FROM views.counted')).toBe('11');
});
