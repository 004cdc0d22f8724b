import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import { encodeBlocks } from '../../../embedded/clickhouse/compression/compressed-blocks.ts';
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

let tables = 0;
async function createTable(columns = 'id Int32, bytes String'): Promise<string> {
  tables += 1;
  const table = `t${tables}`;
  await ask(endpoint, `CREATE TABLE ${table} (${columns}) ENGINE = MergeTree ORDER BY tuple()`);
  return table;
}

/** Rows of (Int32, String) as RowBinary; strings shorter than 128 bytes. */
function rowBinary(strings: readonly Buffer[]): Buffer {
  return Buffer.concat(
    strings.flatMap((bytes, id) => {
      const head = Buffer.alloc(5);
      head.writeInt32LE(id, 0);
      head.writeUInt8(bytes.length, 4);
      return [head, bytes];
    }),
  );
}

const filesLeft = () =>
  readdirSync(`${endpoint.dataFolder}.requests`).filter((name) => name.startsWith('request-'));

const allFilesGone = () =>
  waitFor(() => filesLeft().length === 0, { what: 'the data to be removed', timeoutMs: 5000 });

/** Bytes that a text protocol would trip over: line breaks, blank lines, white space, quotes, NUL, no UTF-8. */
const awkward = ['\n\n', '\r\n\r\n', ' \t\n', '\0', ';', "'", '\\N', '\n', ''].map((text) =>
  Buffer.from(text),
);
const allBytes = [
  ...awkward,
  Buffer.from(Array.from({ length: 120 }, (_, i) => i)),
  Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
];

describe('any bytes arrive as they were sent', () => {
  test.each([
    ['in the body after a statement in the URL', true],
    ['after a statement in the same body', false],
  ])('%s', async (_, inUrl) => {
    const table = await createTable();
    // The first value begins with bytes that look like white space: 0x0a, 0x20, 0x0d, 0x09.
    const first = Buffer.alloc(4 + 1);
    first.writeInt32LE(0x090d200a, 0);
    const data = Buffer.concat([first, rowBinary(allBytes)]);
    const statement = `INSERT INTO ${table} FORMAT RowBinary`;
    const { status } = inUrl
      ? await send(endpoint, withQuery(statement), data)
      : await send(endpoint, '/', Buffer.concat([Buffer.from(`${statement}\n`), data]));
    expect(status).toBe(200);
    const hex = (await ask(endpoint, `SELECT hex(bytes) FROM ${table} WHERE id < 100 ORDER BY id`)).split(
      '\n',
    );
    expect(hex).toEqual(allBytes.map((bytes) => bytes.toString('hex').toUpperCase()));
    expect(await ask(endpoint, `SELECT count() FROM ${table} WHERE id = 0x090d200a`)).toBe('1');
  });

  test('in a large body that comes in chunks', async () => {
    const table = await createTable();
    const rows = Array.from({ length: 100_000 }, () => randomBytes(60));
    const data = rowBinary(rows);
    const chunks = function* () {
      for (let at = 0; at < data.length; at += 100_003) yield data.subarray(at, at + 100_003);
    };
    const { status, headers } = await send(
      endpoint,
      withQuery(`INSERT INTO ${table} FORMAT RowBinary`),
      Readable.from(chunks(), { objectMode: false }),
      { duplex: 'half' },
    );
    expect(status).toBe(200);
    expect(JSON.parse(headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ written_rows: '100000' });
    const ordered = `SELECT bytes FROM ${table} ORDER BY id`;
    const digest = `SELECT hex(SHA256(arrayStringConcat(groupArray(bytes)))) FROM (${ordered})`;
    expect(await ask(endpoint, digest)).toBe(
      createHash('sha256').update(Buffer.concat(rows)).digest('hex').toUpperCase(),
    );
  });

  test('through Native, which is bytes in and out', async () => {
    const from = await createTable();
    const to = await createTable();
    await send(endpoint, withQuery(`INSERT INTO ${from} FORMAT RowBinary`), rowBinary(allBytes));
    const native = await fetch(`${endpoint.url}${withQuery(`SELECT * FROM ${from} FORMAT Native`)}`);
    await send(
      endpoint,
      withQuery(`INSERT INTO ${to} FORMAT Native`),
      Buffer.from(await native.arrayBuffer()),
    );
    const sum = (table: string) => ask(endpoint, `SELECT sum(cityHash64(id, bytes)) FROM ${table}`);
    expect(await sum(to)).toBe(await sum(from));
  });
});

describe('compressed bodies', () => {
  // What the program zstd makes of the plain text: Node 20 cannot.
  const zstd = Buffer.from('KLUv/QRYYQAAMQlvbmUKMgl0d28KwGgODQ==', 'base64');
  const plain = Buffer.from('1\tone\n2\ttwo\n');
  const encodings: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['lz4', compressFrameSync],
  ];

  test.each(encodings)('%s: data after a statement in the URL', async (encoding, compress) => {
    const table = await createTable();
    const headers = { 'Content-Encoding': encoding };
    const { status } = await send(endpoint, withQuery(`INSERT INTO ${table} FORMAT TSV`), compress(plain), {
      headers,
    });
    expect(status).toBe(200);
    expect(await ask(endpoint, `SELECT * FROM ${table} ORDER BY id`)).toBe('1\tone\n2\ttwo');
  });

  test.each(encodings)('%s: statement and data', async (encoding, compress) => {
    const table = await createTable();
    const headers = { 'Content-Encoding': encoding };
    const body = compress(Buffer.concat([Buffer.from(`INSERT INTO ${table} FORMAT TSV\n`), plain]));
    expect((await send(endpoint, '/', body, { headers })).status).toBe(200);
    expect(await ask(endpoint, `SELECT * FROM ${table} ORDER BY id`)).toBe('1\tone\n2\ttwo');
    expect((await send(endpoint, '/', compress(Buffer.from('SELECT 7')), { headers })).text).toBe('7\n');
  });

  test('zstd', async () => {
    const table = await createTable();
    const headers = { 'Content-Encoding': 'zstd' };
    expect(
      (await send(endpoint, withQuery(`INSERT INTO ${table} FORMAT TSV`), zstd, { headers })).status,
    ).toBe(200);
    expect(await ask(endpoint, `SELECT * FROM ${table} ORDER BY id`)).toBe('1\tone\n2\ttwo');
  });

  test("ClickHouse's own blocks, with decompress=1", async () => {
    const table = await createTable();
    const inUrl = withQuery(`INSERT INTO ${table} FORMAT TSV`, { decompress: '1' });
    expect(
      (await send(endpoint, inUrl, Buffer.concat([encodeBlocks(plain), encodeBlocks(plain)]))).status,
    ).toBe(200);
    const inBody = Buffer.concat([Buffer.from(`INSERT INTO ${table} FORMAT TSV\n`), plain]);
    expect((await send(endpoint, '/?decompress=1', encodeBlocks(inBody))).status).toBe(200);
    expect(await ask(endpoint, `SELECT count() FROM ${table}`)).toBe('6');
  });

  test('that are damaged insert nothing and say so', async () => {
    const table = await createTable();
    const statement = `INSERT INTO ${table} FORMAT TSV`;
    const damagedBlock = encodeBlocks(plain);
    damagedBlock.writeUInt8(damagedBlock.readUInt8(30) ^ 1, 30);
    const answers = [
      await send(endpoint, withQuery(statement, { decompress: '1' }), damagedBlock),
      await send(endpoint, withQuery(statement, { decompress: '1' }), encodeBlocks(plain).subarray(0, 30)),
      await send(endpoint, withQuery(statement), gzipSync(plain).subarray(0, 20), {
        headers: { 'Content-Encoding': 'gzip' },
      }),
      await send(endpoint, '/', Buffer.from('no gzip'), { headers: { 'Content-Encoding': 'gzip' } }),
      await send(endpoint, withQuery(statement), plain, { headers: { 'Content-Encoding': 'rot13' } }),
    ];
    expect(answers.map(({ headers }) => headers.get('x-clickhouse-exception-code'))).toEqual([
      '40',
      '271',
      '354',
      '354',
      '48',
    ]);
    expect(await ask(endpoint, `SELECT count() FROM ${table}`)).toBe('0');
    await allFilesGone();
  });
});

describe('forms of INSERT', () => {
  test.each([
    ['VALUES', "INSERT INTO {t} VALUES (1, 'a'), (2, 'b');"],
    [
      'VALUES after a comment, on several lines',
      "/* dbt */\nINSERT INTO TABLE {t}\n  (id, bytes)\nVALUES\n  (1, 'a'),\n\n  (2, 'b')\n",
    ],
    ['VALUES with expressions', "INSERT INTO {t} VALUES (1 + 0, lower('A')), (toInt32('2'), 'b')"],
    ['SELECT', "INSERT INTO {t} SELECT number + 1, if(number = 0, 'a', 'b') FROM numbers(2)"],
    [
      'SELECT in parentheses',
      "INSERT INTO {t} (SELECT number + 1, if(number = 0, 'a', 'b') FROM numbers(2))",
    ],
    ['WITH', "INSERT INTO {t} WITH 1 AS one SELECT number + one, if(number = 0, 'a', 'b') FROM numbers(2)"],
    [
      'FORMAT with data',
      'INSERT INTO {t} FORMAT JSONEachRow\n{"id": 1, "bytes": "a"}\n{"id": 2, "bytes": "b"}',
    ],
    ['FORMAT with data on the same line', 'INSERT INTO {t} (bytes, id) FORMAT CSV "a",1\n"b",2\n'],
    [
      'SETTINGS before FORMAT',
      'INSERT INTO {t} SETTINGS input_format_skip_unknown_fields = 1 FORMAT JSONEachRow {"id": 1, "bytes": "a", "x": 1} {"id": 2, "bytes": "b"}',
    ],
    [
      'SETTINGS before VALUES',
      "INSERT INTO {t} (id, bytes) SETTINGS async_insert = 1, wait_for_async_insert = 1 VALUES (1, 'a'), (2, 'b')",
    ],
    [
      'quoted names that are keywords',
      "INSERT INTO `default`.{t} (`id`, \"bytes\") VALUES (1, 'a'), (2, 'b')",
    ],
  ])('%s', async (_, statement) => {
    const table = await createTable();
    await ask(endpoint, statement.replace('{t}', table));
    expect(await ask(endpoint, `SELECT * FROM ${table} ORDER BY id`)).toBe('1\ta\n2\tb');
  });

  test('without FORMAT, in the format of the request', async () => {
    const table = await createTable();
    await send(endpoint, withQuery(`INSERT INTO ${table}`, { default_format: 'CSV' }), '1,a\n');
    await send(endpoint, withQuery(`INSERT INTO ${table} VALUES`), "(2, 'b')");
    expect(await ask(endpoint, `SELECT * FROM ${table} ORDER BY id`)).toBe('1\ta\n2\tb');
  });

  test('part of the data in the URL, the rest in the body', async () => {
    const table = await createTable();
    await send(endpoint, withQuery(`INSERT INTO ${table} FORMAT CSV\n1,a`), '2,b\n');
    expect(await ask(endpoint, `SELECT * FROM ${table} ORDER BY id`)).toBe('1\ta\n2\tb');
  });

  test('parameters in the statement and among the values', async () => {
    const table = await createTable();
    await ask(
      endpoint,
      'INSERT INTO {table:Identifier} VALUES (1, {word:String})',
      `/?param_table=${table}&param_word=it%27s`,
    );
    expect(await ask(endpoint, `SELECT * FROM ${table}`)).toBe("1\tit\\'s");
  });

  test('no rows at all', async () => {
    const table = await createTable();
    for (const format of ['RowBinary', 'Native', 'JSONEachRow', 'TSV', 'CSV']) {
      const answer = await send(endpoint, withQuery(`INSERT INTO ${table} FORMAT ${format}`), '');
      expect([format, answer.status]).toEqual([format, 200]);
    }
    expect(await ask(endpoint, `SELECT count() FROM ${table}`)).toBe('0');
  });
});

describe('what goes wrong', () => {
  test('data that does not parse inserts nothing and names the row', async () => {
    const table = await createTable();
    const answer = await send(endpoint, withQuery(`INSERT INTO ${table} FORMAT TSV`), '1\ta\nx\tb\n');
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([400, '27']);
    expect(answer.text).toContain('(at row 2)');
    expect(answer.text).not.toContain('.requests');
    expect(await ask(endpoint, `SELECT count() FROM ${table}`)).toBe('0');
    await allFilesGone();
  });

  test('a table that does not exist', async () => {
    const answer = await send(endpoint, withQuery('INSERT INTO nowhere FORMAT TSV'), '1\n');
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([404, '60']);
    await allFilesGone();
  });

  test('a statement in a compressed body that is refused before the body has been read', async () => {
    const body = compressFrameSync(Buffer.from("INSERT INTO nowhere FROM INFILE 'file'"));
    const answer = await send(endpoint, '/', body, { headers: { 'Content-Encoding': 'lz4' } });
    expect(answer.text).toContain('FROM INFILE is only for clients');
    await allFilesGone();
  });

  test('a client that breaks off in the middle of its data inserts nothing', async () => {
    const table = await createTable();
    await breakOffInsert(table);
    expect(await ask(endpoint, `SELECT count() FROM ${table}`)).toBe('0');
  });

  test('a full disk is an error of ClickHouse, and nothing is left', async () => {
    const table = await createTable();
    // Every write to /dev/full fails as on a full disk; the next request's file is put there.
    const next = Number((await breakOffInsert(table)).split('-')[1]) + 1;
    for (let number = next; number < next + 20; number += 1) {
      symlinkSync('/dev/full', path.join(`${endpoint.dataFolder}.requests`, `request-${number}`));
    }
    const answer = await send(endpoint, withQuery(`INSERT INTO ${table} FORMAT TSV`), '1\ta\n');
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([500, '243']);
    expect(answer.text).toMatch(/No space left.*\(NOT_ENOUGH_SPACE\)/);
    expect(await ask(endpoint, `SELECT count() FROM ${table}`)).toBe('0');
    await waitFor(() => filesLeft().length === 19, { what: 'the data to be removed', timeoutMs: 5000 });
  });
});

/** Returns the name of the file that its data was in. */
async function breakOffInsert(table: string): Promise<string> {
  const outgoing = request(`${endpoint.url}${withQuery(`INSERT INTO ${table} FORMAT TSV`)}`, {
    method: 'POST',
  });
  outgoing.on('error', () => undefined);
  outgoing.write('1\ta\n');
  const name = await waitFor(() => filesLeft()[0], { what: 'the data to arrive', timeoutMs: 5000 });
  outgoing.destroy();
  await allFilesGone();
  return name;
}
