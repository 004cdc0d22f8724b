import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickHouse } from '../../../clickhouse/client.ts';
import { PipelineError } from '../../../core/errors.ts';
import { serviceOf } from '../../../controlplane/fleet.ts';
import { createRegistry } from '../../../schemas/registry.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import { loadTarget } from '../../../targets/load-target.ts';
import { makeAuthority } from '../../support/certificates.ts';
import { runCli } from '../../support/run-cli.ts';
import { logins, startSecuredStack, type SecuredStack } from '../../support/secured-stack.ts';
import { startTlsFront } from '../../support/tls-front.ts';

let stack: SecuredStack;
const folder = mkdtempSync(path.join(tmpdir(), 'secured-path-'));

beforeAll(async () => {
  stack = await startSecuredStack();
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

/** Everything that was printed, which no password may be part of. */
let printed = '';

async function run(name: string, ...flags: string[]) {
  const outcome = await runCli({ ...process.env, ...stack.env }, name, ...flags);
  printed += outcome.stdout + outcome.stderr;
  return outcome;
}

type Change = Record<string, string>;
const targetWith = (change: Change = {}) => loadTarget('connect', { ...stack.env, ...change });
const retry = { retries: 0 };
const attempts = {
  kafka: (change: Change) =>
    withKafkaAdmin(targetWith(change), { clientId: 'test', retry, connectionTimeoutMs: 1500 }, (admin) =>
      admin.describeCluster(),
    ),
  connect: (change: Change) => serviceOf({ target: targetWith(change) }).plugins(),
  registry: (change: Change) => createRegistry(targetWith(change).schemaRegistry).hasSubject('none'),
  clickhouse: async (change: Change) => {
    const clickhouse = createClickHouse(targetWith(change), { database: 'default' });
    try {
      return await clickhouse.query('SELECT 1');
    } finally {
      await clickhouse.close();
    }
  },
};

async function failureOf(attempt: Promise<unknown>): Promise<PipelineError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PipelineError);
  return error as PipelineError;
}

describe('the connect target on secured servers', () => {
  it('takes records the whole way, and prints no password on it', async () => {
    const succeed = async (name: string) => {
      const { exitCode, stderr } = await run(name);
      expect(`${name}: ${String(exitCode)} ${stderr}`).toMatch(new RegExp(`^${name}: 0 `));
    };
    await Promise.all(['schemas:register', 'topics:apply', 'clickhouse:migrate'].map(succeed));
    await succeed('connectors:apply');
    expect((await run('connectors:plan')).exitCode).toBe(0);
    const produced = await run('produce', '--rate', '50', '--duration', '2');
    expect(produced.stderr + String(produced.exitCode)).toMatch(/0$/);
    const reconciled = await run('reconcile', '--json');
    expect(reconciled.exitCode).toBe(0);
    const partitions = JSON.parse(reconciled.stdout) as { produced: number; landed: number; dlq: number }[];
    const sum = (key: 'produced' | 'landed' | 'dlq') =>
      partitions.reduce((total, one) => total + one[key], 0);
    expect(sum('produced')).toBeGreaterThanOrEqual(100);
    expect([sum('landed'), sum('dlq')]).toEqual([sum('produced'), 0]);
    expect((await run('connectors:status')).exitCode).toBe(0);
    for (const { password } of Object.values(logins)) expect(printed).not.toContain(password);
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('logs in to Kafka with %s', async (mechanism) => {
    await expect(attempts.kafka({ KAFKA_SASL_MECHANISM: mechanism })).resolves.toHaveProperty('brokers');
  });

  it('logs in to Kafka with a certificate', async () => {
    const mutual = {
      KAFKA_BROKERS: stack.mutualTlsBroker,
      KAFKA_SECURITY_PROTOCOL: 'SSL',
      KAFKA_SASL_MECHANISM: '',
      KAFKA_SASL_USERNAME: '',
      KAFKA_SASL_PASSWORD: '',
    };
    const shown = {
      KAFKA_CERTIFICATE_FILE: stack.client.certificateFile,
      KAFKA_KEY_FILE: stack.client.keyFile,
    };
    await expect(attempts.kafka({ ...mutual, ...shown })).resolves.toHaveProperty('brokers');
    expect(await failureOf(attempts.kafka(mutual))).toMatchObject({
      code: 'KAFKA_TLS',
      message: expect.stringContaining('does not accept the certificate') as string,
    });
  });

  it.each([
    ['kafka', { KAFKA_SASL_PASSWORD: 'wrong' }, 'KAFKA_AUTHENTICATION', /log in the user "pipeline"/],
    [
      'kafka',
      { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'nobody' },
      'KAFKA_AUTHENTICATION',
      /"nobody"/,
    ],
    ['connect', { CONNECT_PASSWORD: 'wrong' }, 'CONNECT_FORBIDDEN', /./],
    ['connect', { CONNECT_USERNAME: '', CONNECT_PASSWORD: '' }, 'CONNECT_FORBIDDEN', /./],
    ['registry', { SCHEMA_REGISTRY_PASSWORD: 'wrong' }, 'REGISTRY_FORBIDDEN', /./],
    ['clickhouse', { CLICKHOUSE_PASSWORD: 'wrong' }, 'CLICKHOUSE_AUTHENTICATION', /"loader"/],
  ] as const)('says that %s refuses a login: %o', async (service, change, code, message) => {
    const failure = await failureOf(attempts[service](change));
    expect(failure).toMatchObject({ code, retryable: false });
    expect(failure.message).toMatch(message);
    expect(failure.todo).not.toBeUndefined();
  });

  it('says what a user lacks rights for', async () => {
    const { username, password } = logins.stranger;
    const change = { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password };
    const creating = withKafkaAdmin(targetWith(change), { clientId: 'test' }, (admin) =>
      admin.createTopics({ topics: [{ topic: 'strange', numPartitions: 1, replicationFactor: 1 }] }),
    );
    expect(await failureOf(creating)).toMatchObject({
      code: 'KAFKA_FORBIDDEN',
      message: expect.stringMatching(/^Kafka refused: .*authorized/i) as string,
    });
  });

  it('trusts nobody but the authority that is named', async () => {
    const { caFile } = makeAuthority(folder, 'Somebody else');
    const untrusted = /from an authority that is not trusted here/;
    const files = {
      kafka: 'KAFKA_CA_FILE',
      connect: 'CONNECT_CA_FILE',
      registry: 'SCHEMA_REGISTRY_CA_FILE',
      clickhouse: 'CLICKHOUSE_CA_FILE',
    } as const;
    for (const service of ['kafka', 'connect', 'registry', 'clickhouse'] as const) {
      for (const file of [caFile, '']) {
        const failure = await failureOf(attempts[service]({ [files[service]]: file }));
        expect(failure.code).toMatch(/_TLS$/);
        expect(failure.message, service).toMatch(untrusted);
        expect(failure.todo).toContain(files[service]);
      }
    }
  });

  it('cannot be talked out of verifying', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      for (const [service, variable] of [
        ['kafka', 'KAFKA_CA_FILE'],
        ['connect', 'CONNECT_CA_FILE'],
        ['registry', 'SCHEMA_REGISTRY_CA_FILE'],
        ['clickhouse', 'CLICKHOUSE_CA_FILE'],
      ] as const) {
        expect((await failureOf(attempts[service]({ [variable]: '' }))).code, service).toMatch(/_TLS$/);
      }
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('says that a server shows an expired certificate, or one of another host', async () => {
    const { caFile } = stack.authority;
    const expired = stack.authority.issue('late', { name: 'localhost', days: -1 });
    const front = await startTlsFront('http://127.0.0.1:1', expired);
    try {
      for (const [service, variable, file] of [
        ['connect', 'CONNECT_URL', 'CONNECT_CA_FILE'],
        ['registry', 'SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_CA_FILE'],
        ['clickhouse', 'CLICKHOUSE_URL', 'CLICKHOUSE_CA_FILE'],
      ] as const) {
        const failure = await failureOf(attempts[service]({ [variable]: front.url, [file]: caFile }));
        expect(failure.message, service).toMatch(/its certificate has expired/);
      }
      const port = new URL(front.url).port;
      expect((await failureOf(attempts.kafka({ KAFKA_BROKERS: `127.0.0.1:${port}` }))).message).toMatch(
        /its certificate has expired/,
      );
    } finally {
      await front.close();
    }
    const elsewhere = stack.authority.issue('elsewhere', {
      name: 'elsewhere',
      hosts: 'DNS:elsewhere.example',
    });
    const wrongHost = await startTlsFront('http://127.0.0.1:1', elsewhere);
    try {
      expect((await failureOf(attempts.connect({ CONNECT_URL: wrongHost.url }))).message).toMatch(
        /its certificate is for another host name/,
      );
    } finally {
      await wrongHost.close();
    }
  });

  it('says where one side encrypts and the other does not', async () => {
    const plainKafka = {
      KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT',
      KAFKA_SASL_MECHANISM: '',
      KAFKA_SASL_USERNAME: '',
      KAFKA_SASL_PASSWORD: '',
      KAFKA_CA_FILE: '',
    };
    const silent = await failureOf(attempts.kafka(plainKafka));
    expect(silent).toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      todo: expect.stringContaining('PLAINTEXT (KAFKA_SECURITY_PROTOCOL)') as string,
    });
    for (const [service, url, file] of [
      ['connect', 'CONNECT_URL', 'CONNECT_CA_FILE'],
      ['registry', 'SCHEMA_REGISTRY_URL', 'SCHEMA_REGISTRY_CA_FILE'],
      ['clickhouse', 'CLICKHOUSE_URL', 'CLICKHOUSE_CA_FILE'],
    ] as const) {
      const address = stack.env[url]!;
      const failure = await failureOf(
        attempts[service]({ [url]: address.replace('https:', 'http:'), [file]: '' }),
      );
      expect(failure.code, service).toMatch(/UNREACHABLE|NOT_THERE|NO_ANSWER|REJECTED|ERROR|QUERY/);
    }
    // A server that is not encrypted, asked for encryption: the one of the stack behind the front.
    const plain = stack.plainClickHouse.replace('http:', 'https:');
    for (const [service, url] of [
      ['connect', 'CONNECT_URL'],
      ['registry', 'SCHEMA_REGISTRY_URL'],
      ['clickhouse', 'CLICKHOUSE_URL'],
    ] as const) {
      expect((await failureOf(attempts[service]({ [url]: plain }))).message, service).toMatch(
        /does not speak TLS on this port/,
      );
    }
    expect((await failureOf(attempts.kafka({ KAFKA_BROKERS: new URL(plain).host }))).message).toMatch(
      /does not speak TLS on this port/,
    );
  });
});
