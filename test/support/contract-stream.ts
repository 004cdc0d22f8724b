import avsc, { type Schema, type Type } from 'avsc';
import type { Producer } from 'kafkajs';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { waitFor } from '../../core/wait.ts';
import { createEncoder } from '../../producers/delivery/wire-format.ts';
import { DecimalType } from '../../schemas/decimal-type.ts';
import { createKafka, withKafkaAdmin } from '../../targets/kafka.ts';
import type { Target } from '../../targets/load-target.ts';

/** Streams of a test's own on a running stack: topics, schemas, and a connector that carries them into tables. */
export interface ContractStream {
  clickhouse: ClickHouse;
  /** Creates topics of one partition. */
  createTopics(topics: readonly string[]): Promise<void>;
  /** Registers a schema and returns what writes records of it to the topic. */
  writerOf(topic: string, schema: object): Promise<(records: readonly object[]) => Promise<void>>;
  /** Creates the connector, or gives it another configuration, and returns when its task runs, or is as told. */
  connect(settings: Readonly<Record<string, string>>, state?: 'RUNNING' | 'STOPPED'): Promise<void>;
  /** Returns when it is so; a stopped connector has no tasks. */
  set(action: 'stop' | 'resume'): Promise<void>;
  /** Where each dead letter came from, and why it is one. */
  deadLetters(): Promise<{ topic: string; reason: string }[]>;
  /** Removes the connector. */
  stop(): Promise<void>;
}

const timeoutMs = 60_000;

/** @param name of the connector; its dead letters go to `<name>.dlq` */
export async function openContractStream(target: Target, name: string): Promise<ContractStream> {
  const clickhouse = createClickHouse(target);
  const kafka = createKafka(target, { clientId: name });
  const producer: Producer = kafka.producer();
  await producer.connect();
  const worker = target.connect.url;
  const registry = target.schemaRegistry.url;
  const deadLetterTopic = `${name}.dlq`;

  const createTopics = (topics: readonly string[]) =>
    withKafkaAdmin(target, { clientId: name }, async (admin) => {
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
      });
    });
  const hasState = (state: string) =>
    waitFor(
      async () => {
        const response = await fetch(`${worker}/connectors/${name}/status`);
        if (!response.ok) return false;
        const { connector, tasks } = (await response.json()) as {
          connector: { state: string };
          tasks: { state: string; trace?: string }[];
        };
        const failed = tasks.find((task) => task.state === 'FAILED');
        if (failed !== undefined) throw new Error(failed.trace);
        if (state === 'STOPPED') return connector.state === state && tasks.length === 0;
        return connector.state === state && tasks.length > 0 && tasks.every((task) => task.state === state);
      },
      { what: `${name} ${state}`, timeoutMs },
    );
  await createTopics([deadLetterTopic]);

  return {
    clickhouse,
    createTopics,
    writerOf: async (topic, schema) => {
      const { id } = await send(`${registry}/subjects/${topic}-value/versions`, 'POST', {
        schema: JSON.stringify(schema),
      });
      const encode = createEncoder(typeOf(schema), Number(id));
      return async (records) => {
        await producer.send({
          topic,
          messages: records.map((record) => ({ key: 'any', value: encode(record) })),
        });
      };
    },
    connect: async (settings, state = 'RUNNING') => {
      // A declared connector of this worker knows its addresses.
      const config = await send(`${worker}/connectors/billing-payments-sink/config`, 'GET');
      await waitFor(
        async () => {
          const response = await fetch(`${worker}/connectors/${name}/config`, {
            method: 'PUT',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({
              ...config,
              name,
              'tasks.max': '1',
              'errors.deadletterqueue.topic.name': deadLetterTopic,
              'consumer.override.fetch.min.bytes': '1',
              ...settings,
            }),
          });
          return response.ok;
        },
        { what: `the worker to take ${name}`, timeoutMs },
      );
      await hasState(state);
    },
    set: async (action) => {
      await fetch(`${worker}/connectors/${name}/${action}`, { method: 'PUT' });
      await hasState(action === 'stop' ? 'STOPPED' : 'RUNNING');
    },
    deadLetters: async () => {
      const consumer = kafka.consumer({ groupId: `${name}-${Date.now()}` });
      const expected = await withKafkaAdmin(target, { clientId: name }, async (admin) => {
        const [partition] = await admin.fetchTopicOffsets(deadLetterTopic);
        return Number(partition?.high ?? 0);
      });
      const letters: { topic: string; reason: string }[] = [];
      if (expected === 0) return letters;
      await consumer.connect();
      await consumer.subscribe({ topic: deadLetterTopic, fromBeginning: true });
      await consumer.run({
        eachMessage: ({ message }) => {
          const { headers } = message;
          const topic = String(headers?.['__connect.errors.topic']);
          letters.push({ topic, reason: String(headers?.['__connect.errors.exception.message']) });
          return Promise.resolve();
        },
      });
      await waitFor(() => letters.length >= expected, { what: 'the dead letters', timeoutMs });
      await consumer.disconnect();
      return letters;
    },
    stop: async () => {
      await fetch(`${worker}/connectors/${name}`, { method: 'DELETE' });
      await producer.disconnect();
      await clickhouse.close();
    },
  };
}

function typeOf(schema: object): Type {
  return avsc.Type.forSchema(structuredClone(schema) as Schema, { logicalTypes: { decimal: DecimalType } });
}

async function send(url: string, method: string, body?: object): Promise<Record<string, string>> {
  const response = await fetch(url, {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, string>;
}
