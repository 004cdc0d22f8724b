import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ConnectorConfig } from '../controlplane/connector-config.ts';
import { planFleet, readFleetStatus } from '../controlplane/fleet.ts';
import { waitUntilReconciled } from '../controlplane/reconcile.ts';
import type { Snapshot } from '../controlplane/watch/snapshot.ts';
import { sleep, waitFor } from '../core/wait.ts';
import { startStack, stopStack } from '../embedded/stack.ts';
import { produceLive } from '../producers/runs/live/produce.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';
import { measureRestartStorm } from './restart-storm.ts';
import { measureWatcherMemory } from './watch-memory.ts';
import { mock, mostRestartsInAMinute, watch, withMocks, type Contracts } from './watched-fleet.ts';

const fleetSize = 200;
const failing = 20;
const outageMs = 60_000;
const rate = 200;

/** What the watcher does for an operator: recovery, an outage, a restart storm, a large fleet, an hour of simulated time. */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const catalog = await preparePipeline(stack);
  await applyConnectors(stack, catalog);
  return [
    ...(await measureOutage(stack, catalog, signal)),
    ...(await measureRecovery(stack, signal)),
    ...(await measureRestartStorm(stack, signal)),
    ...(await measureLargeFleet(stack)),
    ...(await measureWatcherMemory()),
  ];
}

/** ClickHouse away for a minute under a live stream. */
async function measureOutage(
  stack: BenchStack,
  catalog: Contracts & Awaited<ReturnType<typeof preparePipeline>>,
  signal: AbortSignal,
): Promise<Measurement[]> {
  const { target, settings } = stack;
  const { supervisor, restarts: restartsAt, stop } = watch(stack, catalog);
  try {
    const producing = produceLive({
      target,
      catalog,
      rate,
      durationMs: outageMs + 30_000,
      seed: 1,
      home: settings.home,
      signal,
      onProgress: () => undefined,
    });
    await sleep(10_000, signal);
    await stopStack(settings, { services: ['clickhouse'], signal });
    await sleep(outageMs, signal);
    await startStack(settings, { services: ['clickhouse'], signal });
    const backAt = performance.now();
    const lagAtReturn = lagOf(supervisor.snapshot());
    await waitFor(
      () => {
        const snapshot = supervisor.snapshot();
        const isWell = snapshot?.servers.clickhouse.state === 'ready' && snapshot.connectors.every(isHealthy);
        return isWell && lagOf(snapshot) < lagAtReturn;
      },
      { what: 'the connectors to recover', timeoutMs: 120_000, pollIntervalMs: 50, signal },
    );
    const recoveredMs = performance.now() - backAt;
    const { total } = await producing;
    const { partitions } = await waitUntilReconciled({ target, catalog, timeoutMs: 60_000, signal });
    const missing = countMissing(partitions);
    const restarts = mostRestartsInAMinute(restartsAt);
    return [
      {
        name: `ClickHouse stopped for 60 s at ${integer(rate)}/s: healthy, lag falling`,
        value: `${(recoveredMs / 1000).toFixed(1)} s`,
        target: '< 10 s',
        ok: recoveredMs < 10_000,
      },
      {
        name: 'the same: most restarts in a minute',
        value: integer(restarts),
        target: '<= 30',
        ok: restarts <= 30,
      },
      {
        name: `the same: rows lost of ${integer(total)}`,
        value: integer(missing),
        target: '0',
        ok: missing === 0,
      },
    ];
  } finally {
    await stop();
  }
}

function countMissing(
  partitions: readonly { missing: readonly { first: number; last: number }[] }[],
): number {
  return partitions
    .flatMap(({ missing }) => missing)
    .reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

function isHealthy({ verdict }: { verdict: string }): boolean {
  return verdict === 'healthy';
}

function lagOf(snapshot: Snapshot | undefined): number {
  return (snapshot?.connectors ?? []).reduce((sum, { lag }) => sum + (lag ?? 0), 0);
}

/** From the moment a task is seen FAILED to the moment it is seen RUNNING again; the first failure of each. */
async function measureRecovery(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const mocks = Array.from({ length: failing }, (_, index) => mock(index, 20_000 + index * 700));
  return withMocks(stack, mocks, async (service, folder) => {
    const { stop } = watch(stack, { topics: [], deadLetterTopics: [] }, folder);
    const failedAt = new Map<string, number>();
    const recoveries = new Map<string, number>();
    try {
      await waitFor(
        async () => {
          const live = await service.list(signal);
          const now = performance.now();
          for (const { name } of mocks) {
            const state = live.get(name)?.tasks[0]?.state;
            if (state === 'FAILED' && !failedAt.has(name)) failedAt.set(name, now);
            const since = failedAt.get(name);
            if (state === 'RUNNING' && since !== undefined && !recoveries.has(name))
              recoveries.set(name, now - since);
          }
          return recoveries.size === mocks.length;
        },
        { what: 'every failed task to run again', timeoutMs: 180_000, pollIntervalMs: 50, signal },
      );
    } finally {
      await stop();
    }
    const p95 = quantile([...recoveries.values()], 0.95);
    return [
      {
        name: `a failed task is RUNNING again, p95 of ${integer(failing)}`,
        value: `${(p95 / 1000).toFixed(1)} s`,
        target: '< 5 s',
        ok: p95 < 5000,
      },
    ];
  });
}

/** Status and plan where there are many connectors. The plan is of as many declarations that keep every rule. */
async function measureLargeFleet(stack: BenchStack): Promise<Measurement[]> {
  const mocks = Array.from({ length: fleetSize }, (_, index) => mock(index));
  return withMocks(stack, mocks, async (service, folder) => {
    const { target } = stack;
    const statusMs = await medianMs(() => readFleetStatus({ target, service, folder }));
    const declared = mkdtempSync(path.join(tmpdir(), 'bench-declared-'));
    try {
      for (const { name } of mocks) {
        writeFileSync(
          path.join(declared, `${name}.json`),
          JSON.stringify({ name, config: soundConfig(name) }),
        );
      }
      const contracts = {
        topics: mocks.map(({ name }) => ({
          topic: name,
          partitions: 1,
          rawTable: 'raw_payments',
          subject: name,
          fields: [],
        })),
        deadLetterTopics: [{ topic: 'bench.dlq' }],
      };
      const planMs = await medianMs(() => planFleet({ target, service, folder: declared, contracts }));
      const size = integer(fleetSize);
      return [
        {
          name: `status of ${size} connectors`,
          value: `${integer(statusMs)} ms`,
          target: '< 1,000 ms',
          ok: statusMs < 1000,
        },
        {
          name: `plan of ${size} connectors`,
          value: `${integer(planMs)} ms`,
          target: '< 2,000 ms',
          ok: planMs < 2000,
        },
      ];
    } finally {
      rmSync(declared, { recursive: true, force: true });
    }
  });
}

/** The median of five, so that the worker's own warming up is not what is measured. */
async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return quantile(times, 0.5);
}

function soundConfig(topic: string): ConnectorConfig {
  return {
    'connector.class': 'com.clickhouse.kafka.connect.ClickHouseSinkConnector',
    'tasks.max': '1',
    topics: topic,
    topic2TableMap: `${topic}=raw_payments`,
    ssl: 'false',
    transforms: 'c',
    'transforms.c.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.c.topic.field': 'kafka_topic',
    'transforms.c.partition.field': 'kafka_partition',
    'transforms.c.offset.field': 'kafka_offset',
    'transforms.c.timestamp.field': 'kafka_timestamp',
    'consumer.override.auto.offset.reset': 'earliest',
    'errors.retry.timeout': '60000',
  };
}
