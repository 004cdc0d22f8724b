import { spawn } from 'node:child_process';
import path from 'node:path';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../core/home.ts';
import { retry } from '../../../core/retry.ts';
import { waitFor } from '../../../core/wait.ts';
import { startStack } from '../../../embedded/stack.ts';
import { partitionOf } from '../../../producers/delivery/partition.ts';
import { produceHistory, produceLive } from '../../../producers/runs/produce.ts';
import { ProduceFailedError, ProduceInterruptedError } from '../../../producers/runs/run.ts';
import { applyTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { registerSchemas } from '../../../schemas/register.ts';
import { createKafka, withKafkaAdmin } from '../../../targets/kafka.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

const catalog = loadCatalog();
const topicNames = catalog.topics.map(({ topic }) => topic);
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
    await registerSchemas({ registryUrl: stack.target.schemaRegistry.url, topics: catalog.topics });
    await expect(live()).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
    await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) =>
      applyTopics({ admin, catalog, replicationFactor: 1 }),
    );
  });

  it('puts exactly the acknowledged records of a history on the broker', async () => {
    const before = await offsets();
    const result = await produceHistory({ ...settings(), events: 3000 });
    expect(result.total).toBeGreaterThanOrEqual(3000);
    expect(result.byTopic).toEqual(difference(before, await offsets()));
    expect(result.firstAt).toBeLessThan(result.lastAt!);
  });

  it('holds the rate of a live stream', async () => {
    const before = await offsets();
    const result = await produceLive({ ...settings(), rate: 800, durationMs: 2500 });
    expect(result.total).toBe(2000);
    expect(result.byTopic).toEqual(difference(before, await offsets()));
    expect((result.total * 1000) / result.elapsedMs).toBeGreaterThan(800 * 0.95);
    expect((result.total * 1000) / result.elapsedMs).toBeLessThan(800 * 1.05);
  });

  it('never sends an event twice, keys every record, and writes what the registry can read', async () => {
    await Promise.all([live(), live()]);
    const records = await consumeEverything();
    expect(records.length).toBe(sum(await offsets()));
    expect(new Set(records.map(({ eventId }) => eventId)).size).toBe(records.length);
    for (const { partition, partitions, key, customer } of records) {
      expect(key).toBe(customer);
      expect(partition).toBe(partitionOf(key, partitions));
    }
  });

  it('sends nothing while the registry is down, and says so', async () => {
    const before = await offsets();
    const schemaRegistry = { url: 'http://127.0.0.1:1/apis/ccompat/v7' };
    await expect(
      produceLive({ ...settings(), target: { ...stack.target, schemaRegistry }, rate: 10, durationMs: 1000 }),
    ).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
    expect(await offsets()).toEqual(before);
  });

  it('flushes and counts what is on its way when it is interrupted', async () => {
    const before = await offsets();
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
    expect(result.byTopic).toEqual(difference(before, await offsets()));
  });

  it('as a command ends with 130 on Ctrl-C, after printing what was acknowledged', async () => {
    const before = await offsets();
    const main = path.join(projectRoot, 'cli/main.ts');
    const flags = ['produce', '--rate', '1000', '--duration', '60', '--json'];
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...flags], {
      cwd: projectRoot,
      env: { ...process.env, ...stack.env },
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
    await waitFor(async () => sum(await offsets()) > sum(before), { what: 'records', timeoutMs: 30_000 });
    child.kill('SIGINT');
    expect(await exit).toBe(130);
    const { acknowledged } = JSON.parse(stdout) as { acknowledged: Record<string, number> };
    expect(acknowledged).toEqual(difference(before, await offsets()));
  });

  it('as a command reports every bad value at once, without touching the stack', async () => {
    const run = await runCli(
      { ...process.env, ...stack.env },
      'produce',
      '--rate=0',
      '--duration=x',
      '--seed=-1',
    );
    expect(run.exitCode).toBe(1);
    for (const flag of ['--rate', '--duration', '--seed'])
      expect(run.stderr).toContain(`- ${flag}: expected`);
  });
});

describe('producing while the broker dies', () => {
  it('goes on where it stopped when the broker comes back, and sends every record once', async () => {
    const before = await offsets();
    const running = produceLive({ ...settings(), rate: 3000, durationMs: 3000 });
    await waitFor(async () => sum(await offsets()) > sum(before), { what: 'records', timeoutMs: 30_000 });
    await killBroker();
    await startBroker();
    const result = await running;
    expect(result.total).toBeGreaterThan(0);
    expect(result.byTopic).toEqual(difference(before, await offsets()));
  });

  it('gives up after some attempts and reports nothing as sent that is not there', async () => {
    const before = await offsets();
    const running = produceLive({
      ...settings(),
      rate: 3000,
      durationMs: 60_000,
      stopTimeoutMs: 1000,
      publisher: { retries: 1 },
    }).catch((caught: unknown) => caught);
    await waitFor(async () => sum(await offsets()) > sum(before) + 2000, {
      what: 'records',
      timeoutMs: 30_000,
    });
    await killBroker();
    const error = await running;
    expect(error).toBeInstanceOf(ProduceFailedError);
    expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE', retryable: true });
    const { result } = error as ProduceFailedError;
    await startBroker();
    const landed = difference(before, await offsets());
    expect(result.total).toBeGreaterThan(0);
    for (const topic of topicNames) {
      expect(result.byTopic[topic] ?? 0).toBeLessThanOrEqual(landed[topic] ?? 0);
    }
    // The broker may hold what it had no time left to acknowledge: at most a batch for each lane.
    expect(sum(landed) - result.total).toBeLessThanOrEqual(6000);
  });
});

describe('producing while the broker is silent', () => {
  it('gives up a batch that is not acknowledged in time, and ends on an interruption without waiting for it', async () => {
    const before = await offsets();
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
    expect(counted).toBeLessThanOrEqual(sum(await offsets()) - sum(before));
  });
});

function settings() {
  return { target: stack.target, catalog, home: stack.settings.home };
}

async function live() {
  return produceLive({ ...settings(), rate: 500, durationMs: 600 });
}

/** Records per topic, from the broker's end offsets. */
async function offsets(): Promise<Record<string, number>> {
  // A broker that has just started still elects leaders.
  return retry(readOffsets, { retries: 10 });
}

async function readOffsets(): Promise<Record<string, number>> {
  return withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) => {
    const counts = await Promise.all(
      topicNames.map(async (topic): Promise<[string, number]> => {
        const partitions = await admin.fetchTopicOffsets(topic);
        return [topic, partitions.reduce((total, { high }) => total + Number(high), 0)];
      }),
    );
    return Object.fromEntries(counts);
  });
}

function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([topic, count]) => [topic, count - (before[topic] ?? 0)]),
  );
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

interface ConsumedRecord {
  key: string;
  partition: number;
  partitions: number;
  eventId: string;
  customer: string;
}

/** Reads all topics from the start, as any consumer would, with the registry's own schemas. */
async function consumeEverything(): Promise<ConsumedRecord[]> {
  const registry = new SchemaRegistry({ host: stack.target.schemaRegistry.url });
  const consumer = createKafka(stack.target, { clientId: 'test' }).consumer({ groupId: 'test-everything' });
  const partitions = new Map(catalog.topics.map((entry) => [entry.topic, entry.partitions]));
  const records: ConsumedRecord[] = [];
  const expected = sum(await offsets());
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: topicNames, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, partition, message }) => {
        const record = (await registry.decode(message.value!)) as Record<string, unknown>;
        records.push({
          key: String(message.key),
          partition,
          partitions: partitions.get(topic)!,
          eventId: String(record['event_id']),
          customer: String(record['customer_id']),
        });
      },
    });
    await waitFor(() => records.length >= expected, { what: `${expected} records`, timeoutMs: 30_000 });
    return records;
  } finally {
    await consumer.disconnect();
  }
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
