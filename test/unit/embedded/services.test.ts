import { expect, test } from 'vitest';
import { services } from '../../../embedded/services/all-services.ts';
import { workerProperties } from '../../../embedded/services/connect.ts';
import { renderProperties } from '../../../embedded/services/jvm.ts';
import { brokerProperties, newClusterId } from '../../../embedded/services/kafka.ts';
import type { ServiceContext } from '../../../embedded/services/service.ts';
import { resolveStackSettings } from '../../../embedded/settings.ts';
import { fingerprintOf, knownFailureIn, lastLines } from '../../../embedded/start-service.ts';

function contextWith(env: NodeJS.ProcessEnv = {}): ServiceContext {
  return {
    settings: resolveStackSettings({ PIPELINE_HOME: '/state', ...env }),
    dataFolder: '/state/data/x',
    java: 'java',
    jars: {
      kafka: '/cache/jars/kafka-1/kafka',
      'registry-converter': '/cache/jars/registry-converter-1/registry-converter',
      'schema-registry': '/cache/jars/schema-registry-1/schema-registry',
    },
    sink: {
      kind: 'stand-in',
      version: '0.1.0',
      folder: '/cache/sink/stand-in-1',
      source: '/project',
      reason: 'a test asks for it',
    },
    pluginDiscovery: 'service_load',
  };
}

function planOf(name: string, env: NodeJS.ProcessEnv = {}) {
  return services.find((service) => service.name === name)!.plan(contextWith(env));
}

test('the broker listens on loopback only and keeps everything', () => {
  const properties = brokerProperties(contextWith({ KAFKA_PORT: '19092' }));
  expect(properties).toMatchObject({
    listeners: 'PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:19092',
    'controller.quorum.voters': '1@127.0.0.1:19093',
    'auto.create.topics.enable': 'false',
    'log.retention.ms': -1,
  });
});

test('the worker looks for plugins in the folders above the converter and the sink', () => {
  expect(workerProperties(contextWith())).toMatchObject({
    'bootstrap.servers': '127.0.0.1:9092',
    listeners: 'http://127.0.0.1:8083',
    'plugin.path': '/cache/jars/registry-converter-1,/cache/sink/stand-in-1',
    'plugin.discovery': 'service_load',
  });
});

test.each(services.map(({ name }) => name))(
  '%s is planned the same way twice, so it is not restarted',
  (name) => {
    expect(fingerprintOf(planOf(name))).toBe(fingerprintOf(planOf(name)));
  },
);

test.each([
  ['kafka', { KAFKA_PORT: '19092' }],
  ['kafka', { KAFKA_CONTROLLER_PORT: '19093' }],
  ['connect', { KAFKA_PORT: '19092' }],
  ['schema-registry', { SCHEMA_REGISTRY_PORT: '18081' }],
  ['clickhouse', { CLICKHOUSE_PASSWORD: 'new' }],
])('%s is restarted when %o is set', (name, env) => {
  expect(fingerprintOf(planOf(name, env))).not.toBe(fingerprintOf(planOf(name)));
});

test('a password appears in no argument and no file, where other users could read it', () => {
  for (const { name } of services) {
    const { args, files } = planOf(name, { CLICKHOUSE_PASSWORD: 'planted-s3cret' });
    expect(JSON.stringify({ args, files })).not.toContain('planted-s3cret');
  }
});

test('a service starts after those it needs', () => {
  const order = services.map(({ name }) => name);
  for (const { name, needs } of services) {
    for (const needed of needs) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(name));
  }
});

test('properties files escape backslashes and what is not ASCII', () => {
  expect(renderProperties({ a: 1, 'b.c': 'C:\\x', d: '/home/jürgen' })).toBe(
    'a=1\nb.c=C:\\\\x\nd=/home/j\\u00fcrgen\n',
  );
});

test.each([
  [
    'kafka',
    'KafkaException: Failed to acquire lock on file .lock in /state/data/kafka/log.',
    'DATA_FOLDER_LOCKED',
  ],
  [
    'schema-registry',
    'JdbcSQLNonTransientConnectionException: Database may be already in use',
    'DATA_FOLDER_LOCKED',
  ],
  ['clickhouse', 'Code: 76. DB::Exception: Cannot lock file /state/data', 'DATA_FOLDER_LOCKED'],
  ['kafka', 'java.io.IOException: No space left on device', 'DISK_FULL'],
  ['clickhouse', 'Error: ENOSPC: no space left on device, write', 'DISK_FULL'],
  ['connect', 'java.net.BindException: Address already in use', 'PORT_TAKEN'],
  ['kafka', 'java.lang.OutOfMemoryError: Java heap space', 'OUT_OF_MEMORY'],
])('the log of %s that says %j is understood', (name, line, code) => {
  const { knownFailures } = services.find((service) => service.name === name)!;
  expect(knownFailureIn(`first\n${line}\nlast\n`, knownFailures)?.code).toBe(code);
  expect(knownFailureIn('first\nlast\n', knownFailures)).toBeUndefined();
});

test('the last lines of a log leave out stack frames and cut endless lines', () => {
  const log = [
    '1',
    '2',
    'boom',
    '\tat a.B.c(B.java:1)',
    'Caused by: x',
    '\t... 3 more',
    '',
    'y'.repeat(500),
    '',
  ];
  expect(lastLines(log.join('\n'), 3).split('\n')).toEqual(['boom', 'Caused by: x', `${'y'.repeat(239)}…`]);
});

test('a cluster id never begins with a dash, whatever the random bytes are', () => {
  for (let first = 0; first < 256; first += 1) {
    const id = newClusterId((size) => Buffer.alloc(size, first));
    expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  }
});
