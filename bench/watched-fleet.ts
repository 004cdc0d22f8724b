import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ConnectorConfig } from '../controlplane/connector-config.ts';
import type { ConnectorService } from '../controlplane/connector-service.ts';
import { createConnectClient } from '../controlplane/kafka-connect/connect-client.ts';
import { createMetrics } from '../controlplane/watch/metrics.ts';
import { readWatchSettings } from '../controlplane/watch/settings.ts';
import { createSupervisor, type Supervisor } from '../controlplane/watch/supervisor.ts';
import { resolveHome } from '../core/home.ts';
import { withKafkaAdmin } from '../targets/kafka.ts';
import type { BenchStack } from './bench-stack.ts';

export interface Watching {
  supervisor: Supervisor;
  /** When each restart was, milliseconds of the time of day; the journal forgets the older ones. */
  restarts: readonly number[];
  /** Ends the loop and returns when it has ended. */
  stop: () => Promise<void>;
}

export function watch({ target, env }: BenchStack, contracts: Contracts, folder?: string): Watching {
  const home = mkdtempSync(path.join(tmpdir(), 'bench-watch-'));
  const restarts: number[] = [];
  const supervisor = createSupervisor({
    target,
    contracts,
    env: { ...process.env, ...env },
    ...(folder === undefined ? {} : { folder }),
    settings: readWatchSettings({}),
    home: resolveHome({ PIPELINE_HOME: home }),
    reconcile: false,
    metrics: createMetrics({ processMetrics: false }),
    log: ({ event, at }) => {
      if (event === 'restart') restarts.push(Date.parse(at));
    },
    notify: () => undefined,
  });
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const running = supervisor.run(end.signal);
  return {
    supervisor,
    restarts,
    stop: async () => {
      end.abort();
      await running;
      await supervisor.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export type Contracts = Parameters<typeof createSupervisor>[0]['contracts'];

/** Of any 60 s. */
export function mostRestartsInAMinute(restarts: readonly number[]): number {
  return Math.max(
    0,
    ...restarts.map((time) => restarts.filter((other) => other <= time && time - other < 60_000).length),
  );
}

/** Kafka's own test sink on a topic of its own; its one task fails after `delayMs` where that is given. */
export function mock(index: number, delayMs?: number): { name: string; config: ConnectorConfig } {
  const name = `bench-mock-${String(index)}`;
  return {
    name,
    config: {
      'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector',
      'tasks.max': '1',
      topics: name,
      mock_mode: delayMs === undefined ? 'none' : 'task-failure',
      ...(delayMs === undefined ? {} : { delay_ms: String(delayMs) }),
    },
  };
}

export async function withMocks<T>(
  stack: BenchStack,
  mocks: readonly ReturnType<typeof mock>[],
  work: (service: ConnectorService, folder: string) => Promise<T>,
  /** The configuration at the moment a mock is made. Default: its own. */
  configNow: (one: ReturnType<typeof mock>) => ConnectorConfig = ({ config }) => config,
): Promise<T> {
  const service = createConnectClient({ url: stack.target.connect.url });
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-mocks-'));
  for (const one of mocks) writeFileSync(path.join(folder, `${one.name}.json`), JSON.stringify(one));
  await withKafkaAdmin(stack.target, { clientId: 'bench' }, (admin) =>
    admin.createTopics({
      topics: mocks.map(({ name }) => ({ topic: name, numPartitions: 1 })),
      waitForLeaders: false,
    }),
  );
  try {
    for (const one of mocks) await service.put({ ...one, config: configNow(one), secretKeys: new Set() });
    return await work(service, folder);
  } finally {
    for (const { name } of mocks) await service.delete(name);
    rmSync(folder, { recursive: true, force: true });
  }
}
