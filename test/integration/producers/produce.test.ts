import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import { startStack } from '../../../embedded/stack.ts';
import { partitionOf } from '../../../producers/delivery/partition.ts';
import { backfill } from '../../../producers/runs/backfill/backfill.ts';
import { produceLive } from '../../../producers/runs/live/produce.ts';
import { ProduceFailedError, ProduceInterruptedError } from '../../../producers/runs/run.ts';
import { applyTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { registerSchemas } from '../../../schemas/register.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import { kafkajs } from '../../../core/kafkajs/kafkajs.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';
import { countRecords, difference, problemsOf, readRecords, sum, waitForRecords } from './broker-records.ts';

const catalog = loadCatalog();
let stack: TestStack;
let brokerPid: number | undefined;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'schema-registry']);
  brokerPid = stack.started.services.find(({ name }) => name === 'kafka')?.pid;
});
afterAll(async () => {
  await stack.stop();
});

describe('producing', () => {
  it('says what is missing before it sends anything', async () => {
    await expect(live()).rejects.toMatchObject({ code: 'SCHEMA_NOT_REGISTERED' });
    await registerSchemas({ registry: stack.target.schemaRegistry, topics: catalog.topics });
    await expect(live()).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
    await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) =>
      applyTopics({ admin, catalog, replicationFactor: 1 }),
    );
  });

  it('holds the rate, and puts exactly the acknowledged records on the broker', async () => {
    // It tells the prices and the rates of the day, which do not count for the rate.
    await backfill({ ...settings(), years: 1, customers: 100 });
    const before = await countRecords(stack.target);
    const result = await produceLive({ ...settings(), rate: 800, durationMs: 2500 });
    expect(result.total).toBe(2000);
    expect(result.byTopic).toEqual(difference(before, await countRecords(stack.target)));
    // Never ahead of the rate; how closely it is held is measured in bench/.
    expect(result.elapsedMs).toBeGreaterThan(2450);
  });

  it('never sends an event twice, keys every record, and writes what the registry can read', async () => {
    await Promise.all([live(), live()]);
    const records = await readRecords(stack.target);
    expect(records.length).toBe(sum(await countRecords(stack.target)));
    expect(new Set(records.map(({ fields }) => fields['event_id'])).size).toBe(records.length);
    const topics = new Map(catalog.topics.map((entry) => [entry.topic, entry]));
    for (const { topic, partition, key, fields } of records) {
      const { key: keyField, partitions } = topics.get(topic)!;
      expect(key).toBe(fields[keyField]);
      expect(partition).toBe(partitionOf(key, partitions));
    }
    expect(problemsOf(records)).toEqual([]);
    const registry = new SchemaRegistry({ host: stack.target.schemaRegistry.url });
    for (const { value, fields } of new Map(records.map((record) => [record.topic, record])).values()) {
      expect(await registry.decode(value)).toMatchObject({ event_id: fields['event_id'] });
    }
  });

  it('never sends more at once than a topic takes', async () => {
    await setTopicLimit('billing.payments', 5000);
    const before = await countRecords(stack.target);
    const result = await produceLive({ ...settings(), rate: 20_000, durationMs: 500, graceMs: Infinity });
    expect(result.refused).toEqual([]);
    expect(result.byTopic['billing.payments']).toBeGreaterThan(1000);
    expect(result.byTopic).toEqual(difference(before, await countRecords(stack.target)));
    await setTopicLimit('billing.payments', undefined);
  });

  it('sends nothing while the registry is down, and says so', async () => {
    const before = await countRecords(stack.target);
    const schemaRegistry = { url: 'http://127.0.0.1:1/apis/ccompat/v7' };
    await expect(
      produceLive({ ...settings(), target: { ...stack.target, schemaRegistry }, rate: 10, durationMs: 1000 }),
    ).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(await countRecords(stack.target)).toEqual(before);
  });

  it('flushes and counts what is on its way when it is interrupted', async () => {
    const before = await countRecords(stack.target);
    const controller = new AbortController();
    const running = produceLive({
      ...settings(),
      rate: 2000,
      durationMs: 60_000,
      signal: controller.signal,
      onProgress: ({ acknowledged }) => {
        if (acknowledged > 1000) controller.abort();
      },
    });
    const error: unknown = await running.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProduceInterruptedError);
    const { result } = error as ProduceInterruptedError;
    expect(result.byTopic).toEqual(difference(before, await countRecords(stack.target)));
  });
});

describe('producing while the broker dies', () => {
  it('goes on where it stopped when the broker comes back, and sends every record once', async () => {
    const before = await countRecords(stack.target);
    const publisher = { retries: 60 };
    const running = produceLive({ ...settings(), rate: 3000, durationMs: 3000, publisher });
    await waitForRecords(stack.target, sum(before) + 1);
    await killBroker();
    await startBroker();
    const result = await running;
    expect(result.total).toBeGreaterThan(0);
    expect(result.byTopic).toEqual(difference(before, await countRecords(stack.target)));
  });

  it('gives up after some attempts and reports nothing as sent that is not there', async () => {
    const before = await countRecords(stack.target);
    const running = produceLive({
      ...settings(),
      rate: 3000,
      durationMs: 60_000,
      stopTimeoutMs: 1000,
      publisher: { retries: 1 },
    }).catch((caught: unknown) => caught);
    await waitFor(async () => sum(await countRecords(stack.target)) > sum(before) + 2000, {
      what: 'records',
      timeoutMs: 30_000,
    });
    await killBroker();
    const error = await running;
    expect(error).toBeInstanceOf(ProduceFailedError);
    expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
    const { result } = error as ProduceFailedError;
    await startBroker();
    const landed = difference(before, await countRecords(stack.target));
    expect(result.total).toBeGreaterThan(0);
    for (const [topic, records] of Object.entries(result.byTopic)) {
      expect(records).toBeLessThanOrEqual(landed[topic] ?? 0);
    }
    // The broker may hold what it had no time left to acknowledge: at most a batch for each lane.
    expect(sum(landed) - result.total).toBeLessThanOrEqual(6000);
  });
});

describe("producing while the broker's disk is full", () => {
  it('gives up, counts only what is there, and goes on when there is room', async () => {
    const before = await countRecords(stack.target);
    // To the broker a file that may not grow is a disk without room.
    const maxBytes = largestLogBytes() + 200_000;
    const limited = spawnSync('prlimit', [`--pid=${brokerPid!}`, `--fsize=${maxBytes}`]);
    expect(limited.status, String(limited.stderr)).toBe(0);
    const error: unknown = await produceLive({
      ...settings(),
      rate: 20_000,
      durationMs: 120_000,
      stopTimeoutMs: 1000,
      publisher: { retries: 1 },
    }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProduceFailedError);
    expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    await waitFor(() => !isAlive(brokerPid!), { what: 'the broker to stop', timeoutMs: 30_000 });
    await startBroker();
    const { byTopic } = (error as ProduceFailedError).result;
    const held = difference(before, await countRecords(stack.target));
    for (const [topic, count] of Object.entries(byTopic)) {
      expect(held[topic], topic).toBeGreaterThanOrEqual(count);
    }
    await expect(live()).resolves.toMatchObject({ total: 300 });
  });
});

describe('producing while the broker is silent', () => {
  it('gives up a batch that is not acknowledged in time, and ends on an interruption without waiting for it', async () => {
    const before = await countRecords(stack.target);
    const controller = new AbortController();
    let acknowledged = 0;
    const start = (deliveryTimeoutMs: number) =>
      produceLive({
        ...settings(),
        rate: 1000,
        durationMs: 60_000,
        signal: controller.signal,
        stopTimeoutMs: 500,
        publisher: { deliveryTimeoutMs },
        onProgress: (progress) => (acknowledged = progress.acknowledged),
      }).catch((error: unknown) => error);
    const impatient = start(2000);
    const patient = start(60_000);
    await waitFor(() => acknowledged > 0, { what: 'records', timeoutMs: 30_000 });
    process.kill(brokerPid!, 'SIGSTOP');
    try {
      expect(await impatient).toMatchObject({
        code: 'KAFKA_UNREACHABLE',
        where: expect.any(String) as string,
      });
      controller.abort();
      expect(await patient).toBeInstanceOf(ProduceInterruptedError);
    } finally {
      process.kill(brokerPid!, 'SIGCONT');
    }
    const results = [await impatient, await patient] as (ProduceFailedError | ProduceInterruptedError)[];
    const counted = results.reduce((total, { result }) => total + result.total, 0);
    expect(counted).toBeGreaterThan(0);
    expect(counted).toBeLessThanOrEqual(sum(await countRecords(stack.target)) - sum(before));
  });
});

function settings() {
  return { target: stack.target, catalog, home: stack.settings.home };
}

async function live() {
  return produceLive({ ...settings(), rate: 500, durationMs: 600 });
}

/** Undefined leaves it to the broker. */
async function setTopicLimit(name: string, bytes: number | undefined): Promise<void> {
  const configEntries = bytes === undefined ? [] : [{ name: 'max.message.bytes', value: String(bytes) }];
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) => {
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] });
    if (bytes === undefined) await applyTopics({ admin, catalog, replicationFactor: 1 });
  });
}

/** Of all files the broker appends to. */
function largestLogBytes(): number {
  const folder = path.join(stack.settings.home.data, 'kafka', 'storage');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const logs = files.filter((file) => file.endsWith('.log'));
  return Math.max(...logs.map((file) => statSync(path.join(folder, file)).size));
}

async function killBroker(): Promise<void> {
  const pid = brokerPid!;
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isAlive(pid), { what: 'the broker to die', timeoutMs: 10_000 });
}

async function startBroker(): Promise<void> {
  const { services } = await startStack(stack.settings, { services: ['kafka'] });
  brokerPid = services.find(({ name }) => name === 'kafka')?.pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
