import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import {
  isClean,
  reconcile,
  total,
  waitUntilReconciled,
  type PartitionReconciliation,
} from '../../controlplane/reconcile.ts';
import { resolveStackSettings } from '../../embedded/stack.ts';
import { createEncoder } from '../../producers/delivery/wire-format.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import { createKafka } from '../../targets/kafka.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { awkwardRecord, readableColumns, type AwkwardRecord } from '../fixtures/awkward-records.ts';
import { countIndependently } from '../support/independent-count.ts';
import { killRound, killSeeds, withShortSessions } from '../support/kill-rounds.ts';
import { runCli } from '../support/run-cli.ts';

/** What reconcile finds on the running stack when somebody interferes, and what its repair brings back. */

const env = { ...process.env, ...inject('stackEnv') };
const target = loadTarget('embedded', env);
const catalog = loadCatalog();
const landTimeoutMs = 60_000;
const tables = { lateAfterMs: 3_600_000 };

let clickhouse: ClickHouse;
let producer: Producer;
let admin: Admin;
let schemaIds: Map<string, number>;

beforeAll(async () => {
  clickhouse = createClickHouse(target);
  const kafka = createKafka(target, { clientId: 'reconcile-test' });
  [producer, admin] = [kafka.producer(), kafka.admin()];
  await Promise.all([producer.connect(), admin.connect()]);
  schemaIds = await lookUpSchemaIds({ registry: target.schemaRegistry, topics: catalog.topics });
});
afterAll(async () => {
  await Promise.all([producer.disconnect(), admin.disconnect(), clickhouse.close()]);
});

async function send(
  topic: CatalogTopic,
  partition: number,
  records: readonly AwkwardRecord[],
): Promise<number> {
  const encode = createEncoder(topic.type, schemaIds.get(topic.topic) ?? 0);
  const messages = records.map((record) => ({ key: 'any', value: encode(record), partition }));
  const [sent] = await producer.send({ topic: topic.topic, messages });
  return Number(sent?.baseOffset);
}

async function landed(): Promise<void> {
  const { clean } = await waitUntilReconciled({ target, catalog, timeoutMs: landTimeoutMs });
  expect(clean, 'everything landed').toBe(true);
}

/** The rows of a partition from an offset on, whole, as the table keeps them. */
async function rowsOf(topic: CatalogTopic, partition: number, from: number) {
  return clickhouse.query(
    `SELECT ${readableColumns(topic)}, kafka_topic, kafka_partition, kafka_offset, kafka_timestamp
     FROM ${topic.rawTable} AS t FINAL WHERE kafka_partition = {partition:Int32} AND kafka_offset >= {from:Int64}
     ORDER BY kafka_offset`,
    { params: { partition, from } },
  );
}

async function removeRows(topic: CatalogTopic, condition: string): Promise<void> {
  await clickhouse.command(`DELETE FROM ${topic.rawTable} WHERE ${condition}`);
}

/** Takes the offsets from `first` to `last` of partition 0 out of the ledger, and nothing else. */
async function removeEntries({ topic }: CatalogTopic, first: number, last: number): Promise<void> {
  const removed = `(SELECT groupBitmapState(toUInt64(number)) FROM numbers(${String(first)}, ${String(last - first + 1)}))`;
  const entries = await clickhouse.query(
    `SELECT hour, base64Encode(CAST(bitmapAndnot(groupBitmapMergeState(offsets), ${removed}), 'String')) AS kept,
            toString(groupBitmapMerge(offsets)) AS delivered, toString(max(last_landed_at)) AS newest
     FROM ledger WHERE topic = '${topic}' AND partition = 0 GROUP BY hour`,
  );
  await clickhouse.command(`DELETE FROM ledger WHERE topic = '${topic}' AND partition = 0`);
  for (const { hour, kept, delivered, newest } of entries) {
    await clickhouse.command(
      `INSERT INTO ledger SELECT '${topic}', 0, '${String(hour)}',
              CAST(base64Decode('${String(kept)}'), 'AggregateFunction(groupBitmap, UInt64)'),
              ${String(delivered)}, '${String(newest)}', '${String(newest)}'`,
    );
  }
}

const topicNamed = (name: string) => catalog.topics.find(({ topic }) => topic === name)!;
const inPartition = (partitions: readonly PartitionReconciliation[], topic: string, partition = 0) =>
  partitions.find((one) => one.topic === topic && one.partition === partition);

test('every row of every topic that was removed with its entry comes back as the sink had written it', async () => {
  const sent: [CatalogTopic, number, Record<string, unknown>[]][] = [];
  for (const topic of catalog.topics) {
    const records = Array.from({ length: 20 }, (_, index) => awkwardRecord(topic, index));
    sent.push([topic, await send(topic, 0, records), []]);
  }
  await landed();
  for (const entry of sent) {
    const [topic, from] = entry;
    entry[2] = await rowsOf(topic, 0, from);
    expect(entry[2].length).toBe(20);
    await removeRows(
      topic,
      `kafka_partition = 0 AND kafka_offset BETWEEN ${String(from + 3)} AND ${String(from + 15)}`,
    );
    await removeEntries(topic, from + 3, from + 15);
  }
  const lacking = await reconcile({ target, catalog });
  for (const [{ topic }, from] of sent) {
    const missing = [{ first: from + 3, last: from + 15 }];
    expect(inPartition(lacking, topic)).toMatchObject({ missing, missingOffsets: 13, lag: 0 });
  }

  const unasked = await runCli(env, 'reconcile', '--repair');
  expect([unasked.exitCode, unasked.stderr]).toEqual([1, expect.stringContaining('--yes')]);
  const dry = await runCli(env, 'reconcile', '--repair', '--dry-run', '--json');
  expect(dry.exitCode, dry.stderr).toBe(2);
  expect((JSON.parse(dry.stdout) as { wouldRepair: unknown }).wouldRepair).toEqual(
    sent.map(([{ topic }, from]) => ({
      topic,
      partition: 0,
      ranges: [{ first: from + 3, last: from + 15 }],
    })),
  );

  const { exitCode, stdout, stderr } = await runCli(env, 'reconcile', '--repair', '--yes');
  expect(exitCode, stderr + stdout).toBe(0);
  expect(stdout).toContain(`Wrote ${String(13 * sent.length)} rows`);
  for (const [topic, from, rows] of sent) expect(await rowsOf(topic, 0, from)).toEqual(rows);
});

test('a row that is gone although the ledger has it, and an entry that is gone although the row is there, are found', async () => {
  const [rows, entries] = [topicNamed('billing.payments'), topicNamed('billing.refunds')];
  const records = (topic: CatalogTopic) =>
    Array.from({ length: 12 }, (_, index) => awkwardRecord(topic, index));
  const [repeatedRow] = records(rows) as [AwkwardRecord];
  const from = await send(rows, 0, [...records(rows), repeatedRow, repeatedRow]);
  const entriesFrom = await send(entries, 0, records(entries));
  await landed();
  const before = await reconcile({ target, catalog, tables });
  expect(isClean(before)).toBe(true);
  expect(inPartition(before, rows.topic)?.repeated).toBeGreaterThanOrEqual(1);

  await removeRows(
    rows,
    `kafka_partition = 0 AND kafka_offset IN (${String(from + 4)}, ${String(from + 5)})`,
  );
  await removeEntries(entries, entriesFrom + 2, entriesFrom + 6);
  expect(inPartition(await reconcile({ target, catalog }), rows.topic)).toMatchObject({
    missing: [],
    removed: null,
  });
  const found = await reconcile({ target, catalog, tables });
  expect(isClean(found)).toBe(false);
  expect(inPartition(found, rows.topic)).toMatchObject({
    missing: [],
    removed: [{ first: from + 4, last: from + 5 }],
    repeated: inPartition(before, rows.topic)?.repeated,
    unverified: 0,
  });
  expect(inPartition(found, entries.topic)).toMatchObject({
    missing: [],
    missingOffsets: 0,
    unrecorded: [{ first: entriesFrom + 2, last: entriesFrom + 6 }],
  });
  const told = await runCli(env, 'reconcile', rows.topic, entries.topic);
  expect(told.exitCode).toBe(2);
  expect(told.stdout).toContain(`${rows.topic}/0: ${String(from + 4)}-${String(from + 5)}`);

  // Records go on coming while it is repaired, and two repairs run at once.
  const traffic = runCli(env, 'produce', '--rate', '400', '--duration', '4', '--seed', '6401');
  await delay(1500);
  const repairs = await Promise.all([1, 2].map(() => runCli(env, 'reconcile', '--repair', '--yes')));
  for (const { exitCode, stderr } of repairs) expect(exitCode, stderr).not.toBe(1);
  expect((await traffic).exitCode).toBe(0);
  await landed();
  const after = await reconcile({ target, catalog, tables });
  expect(isClean(after)).toBe(true);
  expect(inPartition(after, rows.topic)).toMatchObject({ removed: [], unverified: 0 });
  expect((await rowsOf(entries, 0, entriesFrom)).slice(0, 12).length).toBe(12);
});

test('what it counts is what a plain consumer and a GROUP BY count', async () => {
  await landed();
  const partitions = await reconcile({ target, catalog, tables });
  expect(isClean(partitions)).toBe(true);
  const count = await countIndependently(target, catalog);
  for (const { topic, partition, produced, landed: rows, dlq } of partitions) {
    expect([topic, partition, produced]).toEqual([
      topic,
      partition,
      count.records.get(`${topic}/${String(partition)}`) ?? 0,
    ]);
    expect(produced).toBeLessThanOrEqual(rows + dlq);
  }
  for (const { topic } of catalog.topics) {
    const own = partitions.filter((one) => one.topic === topic);
    expect([topic, total(own, 'landed') - total(own, 'repeated')]).toEqual([
      topic,
      count.rows.get(topic)?.size,
    ]);
  }
});

test('a sink that is killed while it lands loses nothing, and every number agrees', async () => {
  const [seed] = killSeeds;
  const round = await withShortSessions({ target, catalog, env }, () =>
    killRound({ target, settings: resolveStackSettings(env), catalog }, seed),
  );
  expect(round.disagreements).toEqual([]);
});
