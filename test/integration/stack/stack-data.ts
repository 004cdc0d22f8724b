import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { awaitTopics } from '../../../schemas/apply-topics.ts';
import { createKafka } from '../../../targets/kafka.ts';
import type { Target } from '../../../targets/load-target.ts';

const name = `kept_${randomUUID().replaceAll('-', '')}`;
const schema = JSON.stringify({ type: 'record', name, fields: [{ name: 'id', type: 'string' }] });

/** Registers a schema; registering it again must give the same id. */
export async function registerSchema(target: Target): Promise<number> {
  const response = await fetch(`${target.schemaRegistry.url}/subjects/${name}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema }),
  });
  return ((await response.json()) as { id: number }).id;
}

/** The schema that an id in Kafka's records stands for. */
export async function schemaById(target: Target, id: number): Promise<unknown> {
  const response = await fetch(`${target.schemaRegistry.url}/schemas/ids/${id}`);
  return JSON.parse(((await response.json()) as { schema: string }).schema);
}

export async function produceRecords(target: Target, values: readonly string[]): Promise<void> {
  const client = createKafka(target, { clientId: 'stack-test' });
  const admin = client.admin();
  const producer = client.producer();
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: false });
    await awaitTopics(admin, [name]);
    await producer.send({ topic: name, acks: -1, messages: values.map((value) => ({ value })) });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

/** All records of the topic, read by a new consumer group. */
export async function readRecords(target: Target, count: number): Promise<string[]> {
  const consumer = createKafka(target, { clientId: 'stack-test' }).consumer({ groupId: randomUUID() });
  const values: string[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: name, fromBeginning: true });
    const complete = new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: ({ message }) => {
          values.push(message.value?.toString() ?? '');
          if (values.length === count) resolve();
          return Promise.resolve();
        },
      });
    });
    await Promise.race([complete, delay(30_000, undefined, { ref: false })]);
    return values;
  } finally {
    await consumer.disconnect();
  }
}

export async function queryClickHouse(target: Target, query: string): Promise<string> {
  const response = await fetch(target.clickhouse.url, { method: 'POST', body: query });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text.trim();
}

/** A connector that consumes the topic, to find again after a restart. */
export async function createConnector(target: Target): Promise<void> {
  const config = {
    'connector.class': 'org.apache.kafka.connect.tools.VerifiableSinkConnector',
    'tasks.max': '1',
    topics: name,
  };
  const response = await fetch(`${target.connect.url}/connectors/${name}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** State of the connector and of its one task, as in `RUNNING/RUNNING`. */
export async function connectorState(target: Target): Promise<string> {
  const response = await fetch(`${target.connect.url}/connectors/${name}/status`);
  if (!response.ok) return `HTTP ${response.status}`;
  const { connector, tasks } = (await response.json()) as {
    connector: { state: string };
    tasks: { state: string }[];
  };
  return [connector, ...tasks].map(({ state }) => state).join('/');
}
