import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { compareTable, findEvents } from '../../../clickhouse/compare-table.ts';
import { readLedger } from '../../../clickhouse/ledger.ts';
import { migrate } from '../../../clickhouse/migrate.ts';
import { ledgerViewOf } from '../../../clickhouse/scaffold/migration-sql.ts';
import { tablesByTopic } from '../../../controlplane/connector-config.ts';
import { loadDesiredConnectors } from '../../../controlplane/declarations.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { kafkaCoordinates, rawTableOf } from '../../../schemas/raw-table.ts';
import { loadTarget } from '../../../targets/load-target.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';

let endpoint: TestEndpoint;
let clickhouse: ClickHouse;

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
  const target = { clickhouse: { url: endpoint.url, user: 'default', password: '', database: 'billing' } };
  await migrate(target);
  clickhouse = createClickHouse(target);
});
afterAll(async () => {
  await clickhouse.close();
  await endpoint.stop();
});

const catalog = loadCatalog();
const tables = catalog.topics.map((topic) => ({ topic, wanted: rawTableOf(topic).table }));

describe('the raw tables', () => {
  it.each(tables)(
    '$wanted.name has the fields of $topic.topic and its Kafka coordinates',
    async ({ wanted }) => {
      const live = await clickhouse.query(
        `SELECT name, type, comment, compression_codec AS codec FROM system.columns
       WHERE database = currentDatabase() AND table = {table:String} ORDER BY position`,
        { params: { table: wanted.name } },
      );
      // Whether a dictionary is worth it may be decided by hand, table by table.
      const plain = (type: unknown) => String(type).replace(/^LowCardinality\((.*)\)$/, '$1');
      expect(live.map((column) => ({ ...column, type: plain(column['type']) }))).toEqual(
        [...wanted.columns, ...kafkaCoordinates].map(({ name, type, comment, codec }) => ({
          name,
          type: plain(type),
          comment,
          codec: `CODEC(${codec})`,
        })),
      );
    },
  );

  it.each(tables)(
    '$wanted.name is ordered and divided by what never changes, and remembers inserts',
    async ({ topic, wanted }) => {
      const [live] = await clickhouse.query(
        `SELECT engine, sorting_key, partition_key, engine_full FROM system.tables
         WHERE database = currentDatabase() AND name = {table:String}`,
        { params: { table: wanted.name } },
      );
      expect(live).toMatchObject({
        engine: 'ReplacingMergeTree',
        sorting_key: `event_type, toDate(occurred_at), ${topic.key}, event_id`,
        partition_key: 'toYYYYMM(occurred_at)',
        engine_full: expect.stringContaining('non_replicated_deduplication_window = 10000') as string,
      });
    },
  );

  it('are all that the schemas call for, and the connectors fill each of them once', async () => {
    const options = { target: loadTarget('embedded', {}), contracts: catalog, env: {} };
    const mapped = loadDesiredConnectors(options).flatMap((connector) => [...tablesByTopic(connector)]);
    expect(mapped.sort()).toEqual(catalog.topics.map(({ topic, rawTable }) => [topic, rawTable]).sort());
    const live = await clickhouse.query(
      `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine IN ('ReplacingMergeTree', 'MaterializedView')
       AND name != 'schema_migrations' ORDER BY name`,
    );
    expect(live.map(({ name }) => name)).toEqual(
      tables.flatMap(({ wanted: { name } }) => [name, ledgerViewOf(name)]).sort(),
    );
  });
});

describe('the ledger', () => {
  /** Inserts events of one partition; equal numbers are the same event. */
  async function land(table: string, topic: string, offsets: readonly number[], token = '') {
    const event = (offset: number) => String(offset).padStart(12, '0');
    await clickhouse.insert(
      table,
      offsets.map((offset) => ({
        // Two offsets for each event: the second one is a duplicate of the first.
        event_id: `00000000-0000-7000-8000-${event(Math.floor(offset / 2))}`,
        event_type: 'test',
        occurred_at: '2025-01-01 00:00:00',
        kafka_topic: topic,
        kafka_partition: 3,
        kafka_offset: offset,
      })),
      { settings: { insert_deduplication_token: token } },
    );
  }
  const upTo = (end: number) => Array.from({ length: end }, (_, offset) => offset);
  const ledgerOf = async (topic: string, low: number, high: number) =>
    (await readLedger(clickhouse, [{ topic, partitions: [{ partition: 3, low, high }] }])).get(`${topic}/3`)!;

  it.each(catalog.topics.map(({ rawTable }) => rawTable))(
    'counts every offset of %s, although the table collapses duplicates',
    async (table) => {
      const topic = `test.${table}`;
      await land(table, topic, upTo(1000));
      const counts = await ledgerOf(topic, 0, 1000);
      expect(counts).toMatchObject({ landed: 1000, gaps: [], duplicates: 0, highest: 999 });
      expect(Date.now() - Date.parse(counts.newest!.at)).toBeLessThan(60_000);
      const [row] = await clickhouse.query(
        `SELECT count() AS events FROM ${table} FINAL WHERE kafka_topic = {topic:String}`,
        { params: { topic } },
      );
      expect(row).toEqual({ events: '500' });
    },
  );

  it('counts a redelivery as a duplicate, also one that the raw table dropped for its token', async () => {
    const topic = 'test.redelivered';
    await land('raw_payments', topic, upTo(10), 'first-batch');
    await land('raw_payments', topic, upTo(10), 'first-batch');
    await land('raw_payments', topic, [8, 9, 10], 'second-batch');
    expect(await ledgerOf(topic, 0, 11)).toMatchObject({ landed: 11, duplicates: 12 });
  });

  it('receives an insert that failed after the raw table had taken it, when it comes again', async () => {
    const topic = 'test.retried';
    await clickhouse.command(
      `CREATE MATERIALIZED VIEW broken TO ledger AS
       SELECT throwIf(kafka_topic = '${topic}', 'broken') AS partition FROM raw_payments WHERE kafka_topic = '${topic}'`,
    );
    await expect(land('raw_payments', topic, upTo(5), 'retried')).rejects.toMatchObject({
      code: 'CLICKHOUSE_QUERY',
    });
    await clickhouse.command('DROP TABLE broken');
    await land('raw_payments', topic, upTo(5), 'retried');
    expect(await ledgerOf(topic, 0, 5)).toMatchObject({ landed: 5 });
  });

  it('looks only within the bounds, and knows what landed before and beyond them', async () => {
    const topic = 'test.bounded';
    await land('raw_payments', topic, [0, 1, 2, 5, 6, 9]);
    expect(await ledgerOf(topic, 2, 8)).toMatchObject({
      landed: 3,
      landedBefore: 2,
      gaps: [
        { first: 3, last: 4 },
        { first: 7, last: 7 },
      ],
      gapsBeyond: 0,
      duplicates: 0,
      highest: 9,
    });
    expect(await ledgerOf(topic, 3, 5)).toMatchObject({ landed: 0, gaps: [{ first: 3, last: 4 }] });
    expect(await ledgerOf(topic, 5, 5)).toMatchObject({ landed: 0, gaps: [] });
    expect(await ledgerOf('test.unknown', 0, 5)).toEqual({
      landed: 0,
      landedBefore: 0,
      gaps: [{ first: 0, last: 4 }],
      gapsBeyond: 0,
      duplicates: 0,
      highest: -1,
      newest: null,
    });
  });

  it('finds exactly what is missing of millions: before, between and after what landed', async () => {
    const topic = 'test.gaps';
    await clickhouse.command(
      `INSERT INTO ledger (topic, partition, hour, offsets, rows)
       SELECT '${topic}', 3, now(), groupBitmapState(number), count() FROM numbers(2999001)
       WHERE number >= 12 AND number NOT BETWEEN 20 AND 29 AND number NOT IN (77, 1048575, 1048576, 2000000)`,
    );
    expect((await ledgerOf(topic, 10, 3_000_000)).gaps).toEqual([
      { first: 10, last: 11 },
      { first: 20, last: 29 },
      { first: 77, last: 77 },
      { first: 1_048_575, last: 1_048_576 },
      { first: 2_000_000, last: 2_000_000 },
      { first: 2_999_001, last: 2_999_999 },
    ]);
  });

  it.each([
    ['a few', 'number * 3', 'true', 32],
    ['a few more', 'number * 3', 'true', 33],
    ['every second', 'number * 2', 'true', 100_000],
    ['a random half', 'number', 'cityHash64(number) % 2 = 0', 200_000],
    ['long runs', 'number', 'number % 100000 != 5', 1_000_000],
    ['runs to the end of a container', 'number', 'number % 65536 = 65535 OR number < 70000', 300_000],
    ['one of each container', 'number * 70000', 'true', 1000],
    ['offsets beyond 32 bits', 'number + 4294967290', 'number != 50', 100],
    ['offsets far beyond 32 bits', 'number + 9000000000000000', 'number % 3 != 0', 5000],
  ])('reads the bitmap of %s as ClickHouse itself does', async (name, offset, condition, count) => {
    const topic = `test.bitmap.${name.replaceAll(' ', '-')}`;
    const source = `SELECT toUInt64(${offset}) AS offset FROM numbers(${String(count)}) WHERE ${condition}`;
    await clickhouse.command(
      `INSERT INTO ledger (topic, partition, hour, offsets, rows)
       SELECT '${topic}', 3, now(), groupBitmapState(offset), count() FROM (${source})`,
    );
    // What lies between two neighbours that are not consecutive.
    const expected = await clickhouse.query(
      `SELECT toInt64(previous) + 1 AS first, toInt64(offset) - 1 AS last
       FROM (SELECT offset, lagInFrame(offset) OVER (ORDER BY offset) AS previous, row_number() OVER (ORDER BY offset) AS at
             FROM (${source}))
       WHERE at > 1 AND offset != previous + 1 ORDER BY first`,
    );
    const [bounds] = await clickhouse.query(
      `SELECT min(offset) AS low, max(offset) + 1 AS high FROM (${source})`,
    );
    const counts = await ledgerOf(topic, Number(bounds?.['low']), Number(bounds?.['high']));
    expect(counts.gaps).toEqual(
      expected.map(({ first, last }) => ({ first: Number(first), last: Number(last) })),
    );
    expect(counts.duplicates).toBe(0);
  });

  it('is compared with a table as if that were merged already: what has no row, what has no entry, what is late', async () => {
    const topic = 'test.compared';
    const table = 'raw_payments';
    await land(table, topic, upTo(20));
    const bounds = [{ partition: 3, low: 0, high: 20 }];
    const compare = async () =>
      (await compareTable(clickhouse, { table, topic, bounds, lateAfterMs: 1000 })).get(3);
    const even = upTo(20).filter((offset) => offset % 2 === 0);
    const ranges = (offsets: readonly number[]) => offsets.map((offset) => ({ first: offset, last: offset }));
    expect(await compare()).toEqual({ rowless: ranges(even), unrecorded: [], late: 0 });
    await clickhouse.command(`DELETE FROM ${table} WHERE kafka_topic = '${topic}' AND kafka_offset > 17`);
    await clickhouse.command(
      `ALTER TABLE ${table} UPDATE kafka_timestamp = occurred_at + 2 WHERE kafka_topic = '${topic}' AND kafka_offset < 4`,
      { settings: { mutations_sync: '1' } },
    );
    expect(await compare()).toEqual({
      rowless: [...ranges(even.slice(0, -1)), { first: 18, last: 19 }],
      unrecorded: [],
      late: 2,
    });
    await clickhouse.command(`DELETE FROM ledger WHERE topic = '${topic}'`);
    expect(await compare()).toMatchObject({
      rowless: [],
      unrecorded: ranges(even.slice(0, -1).map((one) => one + 1)),
    });
    const event = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
    expect(await findEvents(clickhouse, table, [event(3), event(9999), "' OR 1"])).toEqual(
      new Set([event(3)]),
    );
  });

  it('says so when the database is not migrated', async () => {
    const empty = createClickHouse({
      clickhouse: { url: endpoint.url, user: 'default', password: '', database: 'default' },
    });
    await expect(
      readLedger(empty, [{ topic: 't', partitions: [{ partition: 0, low: 0, high: 1 }] }]),
    ).rejects.toMatchObject({
      code: 'CLICKHOUSE_NOT_MIGRATED',
    });
    await empty.close();
  });
});
