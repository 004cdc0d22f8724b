import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { tlsFailure, tlsOptions } from '../../../core/tls.ts';
import { loadDesiredConnectors } from '../../../controlplane/declarations.ts';
import { secretsWithin } from '../../../controlplane/secrets.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { loadTarget } from '../../../targets/load-target.ts';
import { makeAuthority, type TestAuthority } from '../../support/certificates.ts';

const open = {
  KAFKA_BROKERS: 'kafka.example:9092',
  SCHEMA_REGISTRY_URL: 'http://registry.example:8081',
  CONNECT_URL: 'http://connect.example:8083',
  CLICKHOUSE_URL: 'https://ch.example:8443',
  CLICKHOUSE_PASSWORD: 'ch-secret',
};
const secure = {
  ...open,
  SCHEMA_REGISTRY_URL: 'https://registry.example',
  CONNECT_URL: 'https://connect.example',
  KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
  KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  KAFKA_SASL_USERNAME: 'pipeline',
  KAFKA_SASL_PASSWORD: 'kafka-secret',
  SCHEMA_REGISTRY_USERNAME: 'registrar',
  SCHEMA_REGISTRY_PASSWORD: 'registry-secret',
  CONNECT_USERNAME: 'operator',
  CONNECT_PASSWORD: 'connect-secret',
};

let folder: string;
let authority: TestAuthority;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'secure-target-'));
  authority = makeAuthority(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function problemsOf(env: NodeJS.ProcessEnv, name = 'connect'): Record<string, string> {
  try {
    loadTarget(name, env);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return Object.fromEntries(error.problems.map((problem) => [problem.path, problem.message]));
  }
  throw new Error('the target was accepted');
}

describe('the connect target', () => {
  it('needs nothing but addresses where nothing is secured', () => {
    const target = loadTarget('connect', open);
    expect(target.kafka).toMatchObject({ securityProtocol: 'PLAINTEXT', replicationFactor: 3 });
    for (const group of [
      target.kafka.sasl,
      target.kafka.tls,
      target.schemaRegistry.auth,
      target.connect.auth,
    ])
      expect(group).toBeUndefined();
  });

  it('takes every login and knows each of them for a secret', () => {
    const target = loadTarget('connect', secure);
    expect(target.kafka.sasl).toEqual({
      mechanism: 'SCRAM-SHA-512',
      username: 'pipeline',
      password: 'kafka-secret',
    });
    expect(secretsWithin(target)).toEqual(
      expect.arrayContaining(['ch-secret', 'connect-secret', 'kafka-secret', 'registry-secret']),
    );
  });

  it('reads secrets from files', () => {
    const file = path.join(folder, 'password');
    writeFileSync(file, 'from-a-file\n');
    const env = { ...secure, KAFKA_SASL_PASSWORD: '', KAFKA_SASL_PASSWORD_FILE: file };
    expect(loadTarget('connect', env).kafka.sasl?.password).toBe('from-a-file');
    const overridden = { CLICKHOUSE_PASSWORD: undefined, CLICKHOUSE_PASSWORD_FILE: file };
    expect(loadTarget('connect', { ...secure, ...overridden }).clickhouse.password).toBe('from-a-file');
    expect(loadTarget('embedded', overridden).clickhouse.password).toBe('from-a-file');
    writeFileSync(path.join(folder, 'empty'), '\n');
    expect(
      problemsOf({
        ...secure,
        CLICKHOUSE_PASSWORD: '',
        CLICKHOUSE_PASSWORD_FILE: path.join(folder, 'absent'),
        CONNECT_PASSWORD: '',
        CONNECT_PASSWORD_FILE: path.join(folder, 'empty'),
        KAFKA_SASL_PASSWORD: '',
        KAFKA_SASL_PASSWORD_FILE: folder,
      }),
    ).toEqual({
      CLICKHOUSE_PASSWORD_FILE: `the file ${folder}/absent does not exist`,
      CONNECT_PASSWORD_FILE: `the file ${folder}/empty is empty`,
      KAFKA_SASL_PASSWORD_FILE: `the file ${folder} cannot be read (EISDIR)`,
    });
  });

  it.each([
    [{ KAFKA_SASL_PASSWORD: '' }, 'KAFKA_SASL_PASSWORD', /belong together/],
    [{ KAFKA_SASL_MECHANISM: 'scram' }, 'KAFKA_SASL_MECHANISM', /"SCRAM-SHA-512"/],
    [{ KAFKA_SECURITY_PROTOCOL: 'TLS' }, 'KAFKA_SECURITY_PROTOCOL', /"SASL_SSL"/],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SSL' },
      'KAFKA_SECURITY_PROTOCOL',
      /does not log in, but credentials are set/,
    ],
    [{ KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT' }, 'KAFKA_SECURITY_PROTOCOL', /use SASL_SSL/],
    [
      { KAFKA_SASL_MECHANISM: '', KAFKA_SASL_USERNAME: '', KAFKA_SASL_PASSWORD: '' },
      'kafka.sasl',
      /SASL_SSL logs in/,
    ],
    [{ CONNECT_URL: 'http://connect.example' }, 'CONNECT_URL', /expected https/],
    [{ SCHEMA_REGISTRY_URL: 'http://registry.example' }, 'SCHEMA_REGISTRY_URL', /expected https/],
    [{ CLICKHOUSE_URL: 'http://ch.example:8123' }, 'CLICKHOUSE_URL', /expected https/],
    [{ CONNECT_URL: 'https://me:secret@connect.example' }, 'CONNECT_URL', /must not carry credentials/],
    [{ CONNECT_USERNAME: '' }, 'CONNECT_USERNAME', /belong together/],
    [{ CLICKHOUSE_CLUSTER: 'main' }, 'CLICKHOUSE_ENGINES', /have to be replicated/],
    [{ CLICKHOUSE_ENGINES: 'sharded' }, 'CLICKHOUSE_ENGINES', /"replicated"/],
    [{ CLICKHOUSE_KEEPER: 'yes' }, 'CLICKHOUSE_KEEPER', /expected true or false/],
    [{ KAFKA_REPLICATION_FACTOR: 'three' }, 'KAFKA_REPLICATION_FACTOR', /expected number/],
  ])('names the variable to correct: %o', (change, variable, message) => {
    const problems = problemsOf({ ...secure, ...change });
    expect(Object.keys(problems)).toEqual([variable]);
    expect(problems[variable]).toMatch(message);
  });

  it('lets a login cross this machine unencrypted, and a network only where the target says that it is private', () => {
    const local = {
      ...secure,
      CONNECT_URL: 'http://localhost:8083',
      CLICKHOUSE_URL: 'http://127.0.0.1:8123',
    };
    expect(loadTarget('connect', local).connect.url).toBe('http://localhost:8083');
    const inside = { CLICKHOUSE_URL: 'http://clickhouse:8123', CLICKHOUSE_PASSWORD: 'x' };
    expect(loadTarget('compose', inside).clickhouse.url).toBe('http://clickhouse:8123');
  });

  it('lays a file of the user over its own', () => {
    const file = path.join(folder, 'over.yaml');
    writeFileSync(
      file,
      'kafka: {replicationFactor: 2}\nconnectors: {overrides: {value.converter: my.Converter, tasks.max: "${MY_TASKS}"}}\n',
    );
    const target = loadTarget('connect', { ...open, PIPELINE_TARGET_FILE: file, MY_TASKS: '7' });
    expect(target.kafka).toMatchObject({ brokers: ['kafka.example:9092'], replicationFactor: 2 });
    expect(target.connectors.overrides).toMatchObject({
      'value.converter': 'my.Converter',
      'tasks.max': '7',
      'value.converter.basic.auth.credentials.source': '${schemaRegistry.credentialsSource}',
    });
    expect(() => loadTarget('connect', { ...open, PIPELINE_TARGET_FILE: `${file}.absent` })).toThrow(
      /no such file/,
    );
  });

  it("gives the converter the registry's login where there is one, and the workers' own addresses", () => {
    const userInfo = 'value.converter.basic.auth.user.info';
    const contracts = loadCatalog();
    for (const connector of loadDesiredConnectors({ target: loadTarget('connect', secure), contracts })) {
      expect(connector.config[userInfo]).toBe('registrar:registry-secret');
      expect(connector.secretKeys).toContain(userInfo);
      expect(connector.config['value.converter.basic.auth.credentials.source']).toBe('USER_INFO');
    }
    const env = {
      ...open,
      WORKER_CLICKHOUSE_URL: 'https://inside.example',
      WORKER_SCHEMA_REGISTRY_URL: 'http://registry:1',
    };
    for (const { config } of loadDesiredConnectors({ target: loadTarget('connect', env), contracts })) {
      expect(Object.keys(config).filter((key) => key.includes('basic.auth'))).toEqual([]);
      expect(config).toMatchObject({
        hostname: 'inside.example',
        port: '443',
        ssl: 'true',
        'value.converter.schema.registry.url': 'http://registry:1',
      });
    }
  });

  it('names every variable of its file in its documentation', () => {
    const documentation = readFileSync('docs/targets.md', 'utf8');
    const used = [...readFileSync('targets/connect.yaml', 'utf8').matchAll(/\$\{([A-Z_]{5,})/g)];
    expect(used.map(([, name = '']) => name).filter((name) => !documentation.includes(name))).toEqual([]);
  });
});

describe('TLS files', () => {
  const problemsWith = (files: Record<string, string>) => problemsOf({ ...secure, ...files });

  it('are read when they are sound', () => {
    const client = authority.issue('client', { name: 'pipeline' });
    const locked = authority.issue('locked', { name: 'pipeline', passphrase: 'open sesame' });
    const target = loadTarget('connect', {
      ...secure,
      KAFKA_CA_FILE: authority.caFile,
      CONNECT_CA_FILE: authority.caFile,
      CONNECT_CERTIFICATE_FILE: client.certificateFile,
      CONNECT_KEY_FILE: client.keyFile,
      SCHEMA_REGISTRY_CERTIFICATE_FILE: locked.certificateFile,
      SCHEMA_REGISTRY_KEY_FILE: locked.keyFile,
      SCHEMA_REGISTRY_KEY_PASSPHRASE: 'open sesame',
    });
    expect(tlsOptions(target.connect.tls)).toEqual({
      rejectUnauthorized: true,
      ca: readFileSync(authority.caFile, 'utf8'),
      cert: readFileSync(client.certificateFile, 'utf8'),
      key: readFileSync(client.keyFile, 'utf8'),
    });
    expect(tlsOptions(undefined)).toEqual({ rejectUnauthorized: true });
    expect(secretsWithin(target)).toContain('open sesame');
  });

  it('are refused with the reason, by the variable that names them', () => {
    const expired = authority.issue('expired', { name: 'late', days: -1 });
    const client = authority.issue('one', { name: 'one' });
    const other = authority.issue('other', { name: 'other' });
    const locked = authority.issue('shut', { name: 'shut', passphrase: 'right' });
    const plain = path.join(folder, 'plain.txt');
    writeFileSync(plain, 'no certificate');
    const damaged = path.join(folder, 'damaged.pem');
    writeFileSync(damaged, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');

    expect(problemsWith({ KAFKA_CA_FILE: path.join(folder, 'absent.pem'), CONNECT_CA_FILE: plain })).toEqual({
      KAFKA_CA_FILE: `${folder}/absent.pem does not exist`,
      CONNECT_CA_FILE: `${plain} holds no certificate in PEM form`,
    });
    expect(problemsWith({ KAFKA_CA_FILE: folder, CLICKHOUSE_CA_FILE: damaged })).toEqual({
      KAFKA_CA_FILE: `${folder} cannot be read (EISDIR)`,
      CLICKHOUSE_CA_FILE: `${damaged} holds a damaged certificate`,
    });
    expect(problemsWith({ CONNECT_CA_FILE: expired.certificateFile })).toEqual({
      CONNECT_CA_FILE: expect.stringMatching(
        /^the certificate of CN=late expired on \d{4}-\d\d-\d\d$/,
      ) as string,
    });
    expect(
      problemsWith({
        CONNECT_CERTIFICATE_FILE: client.certificateFile,
        CONNECT_KEY_FILE: other.keyFile,
        KAFKA_CERTIFICATE_FILE: client.certificateFile,
      }),
    ).toEqual({
      CONNECT_KEY_FILE: `${other.keyFile} is not the key of the certificate`,
      KAFKA_KEY_FILE: 'must be set: a client shows a certificate and has its key',
    });
    for (const [passphrase, reason] of [
      ['', 'needs its passphrase'],
      ['wrong', 'does not open with this passphrase'],
    ] as const) {
      const files = {
        CONNECT_CERTIFICATE_FILE: locked.certificateFile,
        CONNECT_KEY_FILE: locked.keyFile,
        CONNECT_KEY_PASSPHRASE: passphrase,
      };
      expect(problemsWith(files)).toEqual({ CONNECT_KEY_FILE: `${locked.keyFile} ${reason}` });
    }
    expect(
      problemsWith({ CONNECT_CERTIFICATE_FILE: client.certificateFile, CONNECT_KEY_FILE: plain }),
    ).toEqual({ CONNECT_KEY_FILE: `${plain} holds no private key in PEM form` });
  });

  it('are refused where they would have no effect', () => {
    const env = { ...open, KAFKA_CA_FILE: authority.caFile, CONNECT_CA_FILE: authority.caFile };
    expect(problemsOf(env)).toEqual({
      KAFKA_SECURITY_PROTOCOL: 'is PLAINTEXT, which is not encrypted, but TLS files are set',
      CONNECT_URL: 'expected https://, because TLS files are set',
    });
  });
});

describe('tlsFailure', () => {
  const failed = (code: string, message = '') => tlsFailure(Object.assign(new Error(message), { code }));

  it.each([
    ['CERT_HAS_EXPIRED', 'certificate has expired', /expired/],
    ['CERT_NOT_YET_VALID', 'certificate is not yet valid', /not valid yet/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "IP: 127.0.0.2 is not in the cert's list", /another host name/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', /not trusted here/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', /not trusted here/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'alert certificate required', /demands one/],
    ['EPROTO', 'ssl3_get_record:wrong version number', /does not speak TLS/],
    ['ERR_SSL_NO_SHARED_CIPHER', '', /handshake failed/],
    ['ECONNRESET', 'disconnected before secure TLS connection was established', /handshake failed/],
  ])('says of %s what is wrong', (code, message, expected) => {
    expect(failed(code, message)).toMatch(expected);
  });

  it('says nothing of other failures', () => {
    expect(failed('ECONNREFUSED', 'connect ECONNREFUSED')).toBeUndefined();
    expect(failed('X', 'This is certainly not concerted')).toBeUndefined();
    expect(tlsFailure('no error')).toBeUndefined();
  });
});

// The certificates are made by openssl: a machine without it should say so, and not fail somewhere below.
it('has openssl', () => {
  expect(execFileSync('openssl', ['version'], { encoding: 'utf8' })).toMatch(/^OpenSSL|^LibreSSL/);
});
