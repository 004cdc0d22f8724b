import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidInputError, PipelineError } from '../../../core/errors.ts';
import { projectRoot } from '../../../core/home.ts';
import { loadTarget, targetNames } from '../../../targets/load-target.ts';

const cloudEnv = {
  KAFKA_BROKERS: 'pkc-1.example:9092',
  KAFKA_API_KEY: 'k',
  KAFKA_API_SECRET: 'ks',
  SCHEMA_REGISTRY_URL: 'https://psrc-1.example',
  SCHEMA_REGISTRY_API_KEY: 'r',
  SCHEMA_REGISTRY_API_SECRET: 'rs',
  CONFLUENT_ENVIRONMENT_ID: 'env-1',
  CONFLUENT_KAFKA_CLUSTER_ID: 'lkc-1',
  CONFLUENT_CLOUD_API_KEY: 'c',
  CONFLUENT_CLOUD_API_SECRET: 'cs',
  CLICKHOUSE_URL: 'https://ch.example:8443',
  CLICKHOUSE_PASSWORD: 'p',
};

describe('loadTarget', () => {
  it('loads the embedded target without any environment', () => {
    const target = loadTarget('embedded', {});
    expect(target.name).toBe('embedded');
    expect(target.kafka.brokers).toEqual(['127.0.0.1:9092']);
    expect(target.schemaRegistry.url).toBe('http://127.0.0.1:8081/apis/ccompat/v7');
    expect(target.clickhouse).toMatchObject({ user: 'default', password: '', database: 'billing' });
  });

  it('moves the embedded addresses with the port variables', () => {
    const target = loadTarget('embedded', { KAFKA_PORT: '19092', CONNECT_PORT: '18083' });
    expect(target.kafka.brokers).toEqual(['127.0.0.1:19092']);
    expect(target.connect.url).toBe('http://127.0.0.1:18083');
  });

  it('lets the environment override the file', () => {
    const target = loadTarget('embedded', {
      KAFKA_BROKERS: 'a.example:9092, b.example:9093',
      CLICKHOUSE_URL: 'https://ch.example:8443',
      CLICKHOUSE_PASSWORD: 'secret',
    });
    expect(target.kafka.brokers).toEqual(['a.example:9092', 'b.example:9093']);
    expect(target.clickhouse.url).toBe('https://ch.example:8443');
    expect(target.clickhouse.password).toBe('secret');
  });

  it('treats an empty variable as unset', () => {
    expect(loadTarget('embedded', { KAFKA_PORT: '', KAFKA_BROKERS: '' }).kafka.brokers).toEqual([
      '127.0.0.1:9092',
    ]);
  });

  it('names the variable that holds a malformed override', () => {
    expect(
      problemsOf(() => loadTarget('embedded', { KAFKA_BROKERS: 'nowhere', CONNECT_URL: 'ftp://x' })),
    ).toEqual([
      { path: 'KAFKA_BROKERS[0]', message: 'expected host:port' },
      { path: 'CONNECT_URL', message: 'expected an http:// or https:// address' },
    ]);
  });

  it('reports every variable that is not set, once and together', () => {
    const problems = problemsOf(() => loadTarget('connect', { CONNECT_URL: 'http://connect.example:8083' }));
    expect(problems.map(({ message }) => message)).toEqual([
      'the environment variable KAFKA_BROKERS is not set',
      'the environment variable SCHEMA_REGISTRY_URL is not set',
      'the environment variable CLICKHOUSE_URL is not set',
      'the environment variable CLICKHOUSE_PASSWORD is not set',
    ]);
  });

  it('reports everything that Confluent Cloud needs, once and together', () => {
    const problems = problemsOf(() => loadTarget('confluent-cloud', {}));
    expect(
      problems.map(({ message }) => message.replace(/^the environment variable | is not set$/g, '')),
    ).toEqual([
      'KAFKA_BROKERS',
      'KAFKA_API_KEY',
      'KAFKA_API_SECRET',
      'SCHEMA_REGISTRY_URL',
      'SCHEMA_REGISTRY_API_KEY',
      'SCHEMA_REGISTRY_API_SECRET',
      'CONFLUENT_ENVIRONMENT_ID',
      'CONFLUENT_KAFKA_CLUSTER_ID',
      'CONFLUENT_CLOUD_API_KEY',
      'CONFLUENT_CLOUD_API_SECRET',
      'CLICKHOUSE_URL',
      'CLICKHOUSE_PASSWORD',
    ]);
  });

  it('names every variable of Confluent Cloud in the comment of its file', () => {
    const text = readFileSync(path.join(projectRoot, 'targets/confluent-cloud.yaml'), 'utf8');
    const [comment = ''] = text.split('\nkafka:');
    const used = [...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    // A secret stands beside its key, as "..._SECRET".
    expect(used.filter((name) => !comment.includes(name.replace(/_SECRET$/, '')))).toEqual([]);
  });

  it('keeps the keys of Confluent Cloud off plain connections, and off a worker', () => {
    const { connect } = loadTarget('confluent-cloud', {
      ...cloudEnv,
      CONNECT_URL: 'http://worker.example:8083',
    });
    expect(connect.url).toBe('https://api.confluent.cloud');
    const open = {
      CONFLUENT_CLOUD_URL: 'http://api.example',
      SCHEMA_REGISTRY_URL: 'http://registry.example',
    };
    const message = expect.stringMatching(/^expected https:\/\/, or an address of this machine: /) as string;
    expect(problemsOf(() => loadTarget('confluent-cloud', { ...cloudEnv, ...open }))).toEqual([
      { path: 'CONFLUENT_CLOUD_URL', message },
      { path: 'SCHEMA_REGISTRY_URL', message },
    ]);
    for (const CONFLUENT_CLOUD_URL of [
      'http://127.0.0.1:8080',
      'http://localhost:8080',
      'https://proxy.example',
    ]) {
      expect(loadTarget('confluent-cloud', { ...cloudEnv, CONFLUENT_CLOUD_URL }).connect.url).toBe(
        CONFLUENT_CLOUD_URL,
      );
    }
  });

  it('takes an unknown target for a mistake and lists the known ones', () => {
    expect(() => loadTarget('embeded')).toThrow(PipelineError);
    try {
      loadTarget('embeded');
    } catch (error) {
      expect(error).toMatchObject({
        code: 'UNKNOWN_TARGET',
        todo: expect.stringContaining('connect, embedded') as string,
      });
    }
  });

  it('reports unknown keys, wrong types and missing sections of a file together', () => {
    const folder = folderWith(
      'broken.yaml',
      'kafka:\n  brokers: [a:1]\n  replicationFactor: many\n  color: red\n',
    );
    const paths = problemsOf(() => loadTarget('broken', {}, folder)).map((problem) => problem.path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'kafka.replicationFactor',
        'kafka.color',
        'connect',
        'clickhouse',
        'capabilities',
      ]),
    );
  });

  it('reports a syntax error with its line', () => {
    const folder = folderWith('syntax.yaml', 'kafka:\n  brokers: [a:1\nconnect: }\n');
    expect(problemsOf(() => loadTarget('syntax', {}, folder))[0]?.path).toMatch(/^line \d+$/);
  });

  it('has a file for every name it lists', () => {
    expect(targetNames()).toContain('embedded');
  });
});

function folderWith(file: string, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'targets-'));
  writeFileSync(path.join(folder, file), text);
  return folder;
}

function problemsOf(load: () => unknown): InvalidInputError['problems'] {
  try {
    load();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  throw new Error('the target was accepted');
}
