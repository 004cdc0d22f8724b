import { randomUUID } from 'node:crypto';
import type { Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { waitFor } from '../../core/wait.ts';
import { createEncoder } from '../../producers/delivery/wire-format.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';
import { isUnion } from '../../schemas/read-schema.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import { createKafka, withKafkaAdmin } from '../../targets/kafka.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { runCli } from '../support/run-cli.ts';

const env = { ...process.env, ...inject('stackEnv') };
const target = loadTarget('embedded', env);
const catalog = loadCatalog();
/** The suite runs on whichever sink the stack has; the commands must name the same. */
const { kind, version } = inject('sink');
const sinkLine = `Sink: the ${kind === 'official' ? 'official ClickHouse sink' : 'stand-in'} ${version}`;
const landTimeoutMs = 30_000;
/** Of this run: the stack is shared, and its topics hold the records of other tests. */
const customerId = `cus_${randomUUID()}`;

let producer: Producer;
let clickhouse: ClickHouse;
let schemaIds: Map<string, number>;

beforeAll(async () => {
  for (const name of ['schemas:register', 'topics:apply', 'clickhouse:migrate', 'connectors:apply']) {
    const { exitCode, stdout, stderr } = await runCli(env, name);
    expect(exitCode, `${name}: ${stderr}`).toBe(0);
    if (name === 'connectors:apply') expect(stdout).toContain(sinkLine);
  }
  producer = createKafka(target, { clientId: 'ingestion-test' }).producer();
  await producer.connect();
  clickhouse = createClickHouse(target);
  schemaIds = await lookUpSchemaIds({ registryUrl: target.schemaRegistry.url, topics: catalog.topics });
});
afterAll(async () => {
  await producer.disconnect();
  await clickhouse.close();
});

/** A record with every field of its schema, null where that is allowed. Names that end in _at are times. */
function sampleRecord({ fields }: CatalogTopic, eventId: string): Record<string, unknown> {
  const record = fields.map(({ name, type }): [string, unknown] => {
    if (isUnion(type)) return [name, null];
    if (type === 'string') return [name, `${name} ✓`];
    if (name.endsWith('_at')) return [name, Date.now()];
    // A named type that was defined by a field before it, such as the status of previous_status.
    if (typeof type === 'string' && type.includes('.')) return [name, 'unknown'];
    return [name, typeof type === 'string' ? 1 : type.symbols?.[0]];
  });
  return { ...Object.fromEntries(record), event_id: eventId, customer_id: customerId };
}

function encoded(topic: CatalogTopic, eventIds: readonly string[]): Buffer[] {
  const encode = createEncoder(topic.type, schemaIds.get(topic.topic) ?? 0);
  return eventIds.map((eventId) => encode(sampleRecord(topic, eventId)));
}

/** Sends values to one partition; returns the offset of the first. */
async function send(topic: string, partition: number, values: readonly Buffer[]): Promise<number> {
  const [sent] = await producer.send({
    topic,
    messages: values.map((value) => ({ key: customerId, value, partition })),
  });
  return Number(sent?.baseOffset);
}

/** The rows of this run in a raw table, as `partition/offset` by event, once there are `count` of them. */
async function landed(table: string, eventIds: readonly string[]): Promise<Map<string, string>> {
  return waitFor(
    async () => {
      const rows = await clickhouse.query(
        `SELECT toString(event_id) AS id, kafka_topic, kafka_partition, kafka_offset,
                abs(dateDiff('second', kafka_timestamp, now64(3))) < 300 AS is_recent
         FROM ${table} FINAL WHERE customer_id = {customerId:String} AND event_id IN {eventIds:Array(UUID)}`,
        { params: { customerId, eventIds } },
      );
      if (rows.length < eventIds.length) return undefined;
      expect(rows.every((row) => row['is_recent'] === 1)).toBe(true);
      return new Map(
        rows.map((row) => [
          String(row['id']),
          `${String(row['kafka_topic'])}/${String(row['kafka_partition'])}/${String(row['kafka_offset'])}`,
        ]),
      );
    },
    { what: `${String(eventIds.length)} rows in ${table}`, timeoutMs: landTimeoutMs },
  );
}

test.each(catalog.topics.map((topic) => [topic.topic, topic] as const))(
  'every record of %s lands once, with the coordinates Kafka gave it',
  async (name, topic) => {
    const expected = new Map<string, string>();
    for (let partition = 0; partition < topic.partitions; partition++) {
      const eventIds = Array.from({ length: 20 }, () => randomUUID());
      const first = await send(name, partition, encoded(topic, eventIds));
      eventIds.forEach((id, index) => {
        expected.set(id, `${name}/${String(partition)}/${String(first + index)}`);
      });
    }
    expect(await landed(topic.rawTable, [...expected.keys()])).toEqual(expected);
  },
);

test.each(catalog.topics.map((topic) => [topic.topic, topic] as const))(
  'what is no record of %s goes to the dead letter topic, and its neighbours land',
  async (name, topic) => {
    const deadLetterTopic = name === 'billing.payments' ? 'billing.payments.dlq' : 'billing.core.dlq';
    const eventIds = Array.from({ length: 4 }, () => randomUUID());
    const [a, b, c, d] = encoded(topic, eventIds) as [Buffer, Buffer, Buffer, Buffer];
    const garbage = Buffer.from(`not avro at all ${customerId}`);
    const unknownSchema = Buffer.concat([Buffer.from([0, 0, 0xff, 0xff, 0xff]), a.subarray(5)]);
    const truncated = a.subarray(0, 20);
    const before = await sizeOf(deadLetterTopic);

    const first = await send(name, 0, [a, garbage, b, unknownSchema, truncated, c, d]);

    const offsets = [first, first + 2, first + 5, first + 6];
    expect(await landed(topic.rawTable, eventIds)).toEqual(
      new Map(eventIds.map((id, index) => [id, `${name}/0/${String(offsets[index])}`])),
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
  expect(status).toMatchObject([
    {
      name: 'billing-core-sink',
      state: 'RUNNING',
      verdict: 'healthy',
      cause: null,
      lag: 0,
      tasks: [{ id: 0 }],
    },
    { name: 'billing-payments-sink', state: 'RUNNING', verdict: 'healthy', cause: null, lag: 0 },
  ]);
});

test('a second apply has nothing to do, and a plan finds nothing to change', async () => {
  expect(await runCli(env, 'connectors:apply')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Nothing to do: 2 connectors are as declared.') as string,
  });
  expect(await runCli(env, 'connectors:plan')).toMatchObject({ exitCode: 0 });
});
