import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { readLedger, findMissing } from '../../../clickhouse/ledger.ts';
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
    (await readLedger(clickhouse, topic, [{ partition: 3, low, high }])).get(3);

  it.each(catalog.topics.map(({ rawTable }) => rawTable))(
    'counts every offset of %s, although the table collapses duplicates',
    async (table) => {
      const topic = `test.${table}`;
      await land(table, topic, upTo(1000));
      expect(await ledgerOf(topic, 0, 1000)).toEqual({
        landed: 1000,
        span: { first: 0, last: 999 },
        duplicates: 0,
        highest: 999,
      });
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

  it('looks only within the bounds, and knows the highest offset beyond them', async () => {
    const topic = 'test.bounded';
    await land('raw_payments', topic, [0, 1, 2, 5, 6, 9]);
    expect(await ledgerOf(topic, 2, 7)).toEqual({
      landed: 3,
      span: { first: 2, last: 6 },
      duplicates: 0,
      highest: 9,
    });
    expect(await ledgerOf(topic, 3, 5)).toMatchObject({ landed: 0, span: undefined });
    expect(await ledgerOf('test.unknown', 0, 5)).toBeUndefined();
  });

  it('finds exactly what is missing: before, between and after what landed', async () => {
    const topic = 'test.gaps';
    const bounds = { partition: 3, low: 10, high: 3_000_000 };
    const span = { first: 12, last: 2_999_000 };
    await clickhouse.command(
      `INSERT INTO ledger (topic, partition, hour, offsets, rows)
       SELECT '${topic}', 3, now(), groupBitmapState(number), count() FROM numbers(2999001)
       WHERE number >= 12 AND number NOT BETWEEN 20 AND 29 AND number NOT IN (77, 1048575, 1048576, 2000000)`,
    );
    const ledger = (await ledgerOf(topic, bounds.low, bounds.high))!;
    expect(ledger.span).toEqual(span);
    expect(await findMissing(clickhouse, topic, bounds, ledger, { maxRanges: 100 })).toEqual([
      { first: 10, last: 11 },
      { first: 20, last: 29 },
      { first: 77, last: 77 },
      { first: 1_048_575, last: 1_048_576 },
      { first: 2_000_000, last: 2_000_000 },
      { first: 2_999_001, last: 2_999_999 },
    ]);
    expect(await findMissing(clickhouse, topic, bounds, ledger, { maxRanges: 2 })).toEqual([
      { first: 10, last: 11 },
      { first: 20, last: 29 },
    ]);
  });

  it('joins what is missing across the pages it is fetched in', async () => {
    const topic = 'test.pages';
    await clickhouse.command(
      `INSERT INTO ledger (topic, partition, hour, offsets, rows)
       SELECT '${topic}', 3, now(), groupBitmapState(arrayJoin([toUInt64(0), 2500000])), 2`,
    );
    const bounds = { partition: 3, low: 0, high: 2_500_001 };
    const ledger = (await ledgerOf(topic, bounds.low, bounds.high))!;
    expect(await findMissing(clickhouse, topic, bounds, ledger, { maxRanges: 100 })).toEqual([
      { first: 1, last: 2_499_999 },
    ]);
  });

  it('says so when the database is not migrated', async () => {
    const empty = createClickHouse({
      clickhouse: { url: endpoint.url, user: 'default', password: '', database: 'default' },
    });
    await expect(readLedger(empty, 't', [{ partition: 0, low: 0, high: 1 }])).rejects.toMatchObject({
      code: 'CLICKHOUSE_NOT_MIGRATED',
    });
    await empty.close();
  });
});
