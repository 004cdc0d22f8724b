import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { topicsOf } from '../../controlplane/connector-config.ts';
import { loadDesiredConnectors } from '../../controlplane/declarations.ts';
import { waitFor } from '../../core/wait.ts';
import { createEncoder } from '../../producers/delivery/wire-format.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import { createKafka, withKafkaAdmin } from '../../targets/kafka.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { asRead, awkwardRecord, readableColumns, type AwkwardRecord } from '../fixtures/awkward-records.ts';
import { runCli } from '../support/run-cli.ts';

const env = { ...process.env, ...inject('stackEnv') };
const target = loadTarget('embedded', env);
const catalog = loadCatalog();
/** The suite runs on whichever sink the stack has; the commands must name the same. */
const { kind, version } = inject('sink');
const sinkLine = `Sink: the ${kind === 'official' ? 'official ClickHouse sink' : 'stand-in'} ${version}`;
const landTimeoutMs = 30_000;
/** All the awkward values of every type, some of them more than once. */
const recordsPerPartition = 20;

let producer: Producer;
let clickhouse: ClickHouse;
let schemaIds: Map<string, number>;

beforeAll(async () => {
  producer = createKafka(target, { clientId: 'ingestion-test' }).producer();
  await producer.connect();
  clickhouse = createClickHouse(target);
  schemaIds = await lookUpSchemaIds({ registry: target.schemaRegistry, topics: catalog.topics });
});
afterAll(async () => {
  await producer.disconnect();
  await clickhouse.close();
});

interface Sent {
  topic: CatalogTopic;
  partition: number;
  records: readonly AwkwardRecord[];
}

/** What is on the wire for each record. */
function encoded({ topic, records }: Pick<Sent, 'topic' | 'records'>): Buffer[] {
  const encode = createEncoder(topic.type, schemaIds.get(topic.topic) ?? 0);
  return records.map(encode);
}

/** Sends values to one partition; returns the offset of the first. */
async function send(topic: string, partition: number, values: readonly Buffer[]): Promise<number> {
  const [sent] = await producer.send({
    topic,
    messages: values.map((value) => ({ key: 'any', value, partition })),
  });
  return Number(sent?.baseOffset);
}

/** The rows of the given events in their raw table, in the order of partitions and offsets, once they are there. */
async function landed(topic: CatalogTopic, eventIds: readonly unknown[]): Promise<Record<string, unknown>[]> {
  return waitFor(
    async () => {
      const rows = await clickhouse.query(
        `SELECT ${readableColumns(topic)}, kafka_topic, kafka_partition, kafka_offset,
                abs(dateDiff('second', kafka_timestamp, now64(3))) < 300 AS is_recent
         FROM ${topic.rawTable} AS t FINAL WHERE t.event_id IN {eventIds:Array(UUID)}
         ORDER BY kafka_partition, kafka_offset`,
        { params: { eventIds } },
      );
      return rows.length >= eventIds.length && rows;
    },
    { what: `${String(eventIds.length)} rows in ${topic.rawTable}`, timeoutMs: landTimeoutMs },
  );
}

/** A row as it has to be, where the record was sent. */
function rowOf(topic: CatalogTopic, partition: number, offset: number, record: AwkwardRecord) {
  const coordinates = { kafka_topic: topic.topic, kafka_partition: partition, kafka_offset: String(offset) };
  return { ...asRead(record), ...coordinates, is_recent: 1 };
}

const byName = catalog.topics.map((topic) => [topic.topic, topic] as const);

test.each(byName)(
  'every record of %s lands once, exactly as it was sent, with the coordinates Kafka gave it',
  async (name, topic) => {
    const expected: Record<string, unknown>[] = [];
    for (let partition = 0; partition < topic.partitions; partition++) {
      const records = Array.from({ length: recordsPerPartition }, (_, index) => awkwardRecord(topic, index));
      const first = await send(name, partition, encoded({ topic, records }));
      expected.push(...records.map((record, index) => rowOf(topic, partition, first + index, record)));
    }
    const eventIds = expected.map((row) => row['event_id']);
    expect(await landed(topic, eventIds)).toEqual(expected);
  },
);

const connectors = loadDesiredConnectors({ target, contracts: catalog, env });

test.each(connectors.map((connector) => [connector.name, connector] as const))(
  'what is no record goes to the dead letter topic of %s, and its neighbours land',
  async (_, connector) => {
    const deadLetterTopic = connector.config['errors.deadletterqueue.topic.name']!;
    const topic = catalog.topics.find((one) => one.topic === topicsOf(connector).at(-1))!;
    const records = Array.from({ length: 4 }, (__, index) => awkwardRecord(topic, index));
    const [a, b, c, d] = encoded({ topic, records }) as [Buffer, Buffer, Buffer, Buffer];
    const garbage = Buffer.from('not avro at all');
    const unknownSchema = Buffer.concat([Buffer.from([0, 0, 0xff, 0xff, 0xff]), a.subarray(5)]);
    const truncated = a.subarray(0, 20);
    const before = await sizeOf(deadLetterTopic);

    const first = await send(topic.topic, 0, [a, garbage, b, unknownSchema, truncated, c, d]);

    const offsets = [0, 2, 5, 6];
    const eventIds = records.map((record) => record['event_id']);
    expect(await landed(topic, eventIds)).toEqual(
      records.map((record, index) => rowOf(topic, 0, first + (offsets[index] ?? 0), record)),
    );
    await waitFor(async () => (await sizeOf(deadLetterTopic)) >= before + 3, {
      what: `three dead letters in ${deadLetterTopic}`,
      timeoutMs: landTimeoutMs,
    });
    expect(await sizeOf(deadLetterTopic)).toBe(before + 3);
  },
);

async function sizeOf(topic: string): Promise<number> {
  return withKafkaAdmin(target, { clientId: 'ingestion-test' }, async (admin) => {
    const partitions = await admin.fetchTopicOffsets(topic);
    return partitions.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  });
}

test('everything is accounted for, and every connector is healthy without lag', async () => {
  const reconciled = await waitFor(
    async () => {
      const { exitCode, stdout } = await runCli(env, 'reconcile', '--json');
      return exitCode === 0 && (JSON.parse(stdout) as { produced: number; missing: unknown }[]);
    },
    { what: 'a clean reconciliation', timeoutMs: landTimeoutMs },
  );
  expect(reconciled.length).toBe(catalog.topics.reduce((sum, { partitions }) => sum + partitions, 0));

  const status = await waitFor(
    async () => {
      const { exitCode, stdout } = await runCli(env, 'connectors:status', '--json');
      const connectors = JSON.parse(stdout) as {
        lag: number;
        verdict: string;
        cause: unknown;
        state: string;
      }[];
      return exitCode === 0 && connectors.every(({ lag }) => lag === 0) && connectors;
    },
    // A worker commits its offsets at intervals, so lag falls a moment after the rows have landed.
    { what: 'no lag', timeoutMs: landTimeoutMs },
  );
  expect(status).toMatchObject(
    connectors.map(({ name }) => ({ name, state: 'RUNNING', verdict: 'healthy', cause: null, lag: 0 })),
  );
});

test('an apply names the sink that the worker has', () => {
  expect(inject('applied')).toContain(sinkLine);
});

test('a second apply has nothing to do, and a plan finds nothing to change', async () => {
  expect(await runCli(env, 'connectors:apply')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining(
      `Nothing to do: ${connectors.length} connectors are as declared.`,
    ) as string,
  });
  expect(await runCli(env, 'connectors:plan')).toMatchObject({ exitCode: 0 });
});
