import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { toManagedForm } from '../../../controlplane/confluent-cloud/managed-form.ts';
import {
  absentKeys,
  keptKeys,
  leftOutKeys,
  managedDefaults,
  renamedKeys,
} from '../../../controlplane/confluent-cloud/managed-keys.ts';
import { loadDesiredConnectors } from '../../../controlplane/declarations.ts';
import { diffConfig } from '../../../controlplane/plan.ts';
import { projectRoot } from '../../../core/home.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { loadTarget } from '../../../targets/load-target.ts';
import { desired } from './fixtures.ts';

const login = { apiKey: 'KAFKAKEY', apiSecret: 'kafka-s3cret' };
const sink = { 'connector.class': 'com.clickhouse.kafka.connect.ClickHouseSinkConnector' };

function derive(config: Record<string, string>, secretKeys: string[] = []) {
  return toManagedForm(desired('a', { ...sink, ...config }, secretKeys), login);
}

const cloudEnv = {
  KAFKA_BROKERS: 'pkc-1.aws.confluent.test:9092',
  KAFKA_API_KEY: 'KAFKAKEY',
  KAFKA_API_SECRET: 'kafka-s3cret',
  SCHEMA_REGISTRY_URL: 'https://psrc-1.aws.confluent.test',
  SCHEMA_REGISTRY_API_KEY: 'SRKEY',
  SCHEMA_REGISTRY_API_SECRET: 'sr-s3cret',
  CONFLUENT_ENVIRONMENT_ID: 'env-1',
  CONFLUENT_KAFKA_CLUSTER_ID: 'lkc-1',
  CONFLUENT_CLOUD_API_KEY: 'CLOUDKEY',
  CONFLUENT_CLOUD_API_SECRET: 'cloud-s3cret',
  CLICKHOUSE_URL: 'https://ch.test:8443',
  CLICKHOUSE_PASSWORD: 'ch-s3cret',
};

describe('the managed form', () => {
  test('of our own declarations is whole, and says what it leaves out', () => {
    const target = loadTarget('confluent-cloud', cloudEnv);
    const connectors = loadDesiredConnectors({ target, contracts: loadCatalog(), env: {} });
    const payments = connectors.find(({ name }) => name === 'billing-payments-sink');
    expect(payments?.config).toEqual({
      'connector.class': 'ClickHouseSink',
      'tasks.max': '2',
      topics: 'billing.payments',
      topic2TableMap: 'billing.payments=raw_payments',
      hostname: 'ch.test',
      port: '8443',
      ssl: 'true',
      username: 'default',
      password: 'ch-s3cret',
      database: 'billing',
      clickhouseSettings: expect.any(String) as string,
      exactlyOnce: 'true',
      'input.data.format': 'AVRO',
      'input.key.format': 'STRING',
      transforms: 'coordinates',
      'transforms.coordinates.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
      'transforms.coordinates.topic.field': 'kafka_topic',
      'transforms.coordinates.partition.field': 'kafka_partition',
      'transforms.coordinates.offset.field': 'kafka_offset',
      'transforms.coordinates.timestamp.field': 'kafka_timestamp',
      'consumer.override.auto.offset.reset': 'earliest',
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'billing.payments.dlq',
      'errors.deadletterqueue.context.headers.enable': 'true',
      'kafka.auth.mode': 'KAFKA_API_KEY',
      'kafka.api.key': 'KAFKAKEY',
      'kafka.api.secret': 'kafka-s3cret',
    });
    expect(payments?.secretKeys).toEqual(new Set(['password', 'kafka.api.key', 'kafka.api.secret']));
    expect(payments?.leftOut).toContainEqual({ key: 'errors.retry.timeout', why: 'fixed at 300000' });
    expect(payments?.leftOut?.every(({ why }) => why !== '')).toBe(true);
  });

  test('runs as a service account where one is named', () => {
    const { connector } = toManagedForm(desired('a', sink), { serviceAccount: 'sa-1' });
    expect(connector.config).toEqual({
      'connector.class': 'ClickHouseSink',
      'kafka.auth.mode': 'SERVICE_ACCOUNT',
      'kafka.service.account.id': 'sa-1',
    });
  });

  const refused: [what: string, config: Record<string, string>, problem: RegExp][] = [
    ['an unknown key', { 'no.such.key': '1' }, /no\.such\.key is no setting of the managed sink/],
    [
      'a converter it does not have',
      { 'value.converter': 'x.Y' },
      /value\.converter x\.Y has no counterpart/,
    ],
    ['what would change what lands', { 'auto.evolve': 'true' }, /auto\.evolve must be false/],
    [
      'one meaning declared twice',
      { 'max.poll.interval.ms': '1', 'consumer.override.max.poll.interval.ms': '2' },
      /means max\.poll\.interval\.ms, which is declared as well/,
    ],
    [
      'what a worker would resolve',
      { password: '${file:/run/secrets:password}' },
      /password holds a reference/,
    ],
    ['its own login', { 'kafka.api.key': 'X' }, /kafka\.api\.key is no setting/],
    ['a key every object has', { constructor: 'x' }, /constructor is no setting/],
  ];
  test.each(refused)('refuses %s', (_, config, problem) => {
    const { problems } = derive(config);
    expect(problems.map(({ path, message }) => `${path.replace('a.config.', '')} ${message}`)).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  test('leaves out a switch that is off', () => {
    expect(derive({ 'auto.evolve': 'false' })).toMatchObject({
      problems: [],
      connector: { leftOut: [{ key: 'auto.evolve', why: 'the managed sink lacks it' }] },
    });
  });

  test('marks a renamed secret as well', () => {
    const { connector } = derive({ 'consumer.override.max.poll.interval.ms': '2' }, [
      'consumer.override.max.poll.interval.ms',
    ]);
    expect(connector.secretKeys).toContain('max.poll.interval.ms');
  });

  test('knows one answer for each key', () => {
    const all = [keptKeys, renamedKeys, leftOutKeys, absentKeys].flatMap((table) => [...table.keys()]);
    expect(all.filter((key, index) => all.indexOf(key) !== index)).toEqual([]);
  });
});

test('the documentation says what becomes of every key', () => {
  const text = readFileSync(path.join(projectRoot, 'docs/confluent-cloud.md'), 'utf8');
  const keys = [renamedKeys, leftOutKeys, absentKeys].flatMap((table) => [...table.keys()]);
  expect(keys.filter((key) => !text.includes(`\`${key}\``))).toEqual([]);
});

describe('compared with what the service gives back,', () => {
  const { connector } = derive({ password: 'pa55', topics: 't' }, ['password']);

  test('its defaults and withheld secrets are no difference', () => {
    const asterisks = '*'.repeat(16);
    const back = { 'kafka.api.key': asterisks, 'kafka.api.secret': asterisks, password: asterisks };
    expect(diffConfig({ ...managedDefaults, ...connector.config, ...back }, connector)).toEqual([]);
  });

  test('a default that somebody changed, a foreign key and a missing secret are', () => {
    const changed: Record<string, string> = {
      ...connector.config,
      'auto.restart.on.user.error': 'false',
      'some.key': 'x',
    };
    delete changed['password'];
    expect(diffConfig(changed, connector)).toEqual([
      { key: 'auto.restart.on.user.error', before: 'false', after: null },
      { key: 'password', before: null, after: '(secret)' },
      { key: 'some.key', before: 'x', after: null },
    ]);
  });
});
