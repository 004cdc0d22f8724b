import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { ConnectorConfig, DesiredConnector } from '../../../controlplane/connector-config.ts';
import type { LiveConnector, LiveTask, RunState } from '../../../controlplane/connector-service.ts';
import type { Contracts } from '../../../controlplane/declaration-rules.ts';
import type { Target } from '../../../targets/load-target.ts';

export const contracts: Contracts = {
  topics: [
    { topic: 'shop.orders', partitions: 4, rawTable: 'raw_orders' },
    { topic: 'shop.items', partitions: 2, rawTable: 'raw_items' },
  ],
  deadLetterTopics: [{ topic: 'shop.dlq' }],
};

/** A declaration that keeps every rule. */
export const soundConfig: ConnectorConfig = {
  'connector.class': 'com.clickhouse.kafka.connect.ClickHouseSinkConnector',
  'tasks.max': '4',
  topics: 'shop.orders',
  topic2TableMap: 'shop.orders=raw_orders',
  hostname: '${clickhouse.host}',
  ssl: '${clickhouse.ssl}',
  password: '${secret:clickhouse.password}',
  transforms: 'coordinates',
  'transforms.coordinates.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
  'transforms.coordinates.topic.field': 'kafka_topic',
  'transforms.coordinates.partition.field': 'kafka_partition',
  'transforms.coordinates.offset.field': 'kafka_offset',
  'transforms.coordinates.timestamp.field': 'kafka_timestamp',
  'consumer.override.auto.offset.reset': 'earliest',
  'errors.tolerance': 'all',
  'errors.retry.timeout': '60000',
  'errors.deadletterqueue.topic.name': 'shop.dlq',
  'errors.deadletterqueue.topic.replication.factor': '1',
  'errors.deadletterqueue.context.headers.enable': 'true',
};

export function target(changes: Partial<Target> = {}): Target {
  return {
    name: 'trial',
    kafka: { brokers: ['127.0.0.1:9092'], replicationFactor: 1 },
    schemaRegistry: { url: 'http://registry.test:8081/apis/ccompat/v7' },
    connect: { url: 'http://127.0.0.1:8083' },
    clickhouse: { url: 'https://ch.test:8443', user: 'loader', password: 'pa55-word', database: 'shop' },
    capabilities: { keeper: false, standInSink: false },
    connectors: { overrides: {} },
    ...changes,
  };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A folder with the given files, removed after the tests; objects become JSON. */
export function declarationsIn(files: Record<string, unknown>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'declarations-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

export function desired(
  name: string,
  config: ConnectorConfig,
  secretKeys: readonly string[] = [],
): DesiredConnector {
  return { name, config, secretKeys: new Set(secretKeys) };
}

export function live(
  name: string,
  config: ConnectorConfig = {},
  state: RunState | null = 'RUNNING',
  tasks: readonly LiveTask[] = [task(0, 'RUNNING')],
): LiveConnector {
  return { name, config, state, trace: null, tasks, consumerGroup: `connect-${name}` };
}

export function task(id: number, state: RunState, trace: string | null = null): LiveTask {
  return { id, state, workerId: '127.0.0.1:8083', trace };
}
