import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as sendRequest, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { projectRoot } from '../../../core/home.ts';
import { applyTopics, readTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog, type Catalog } from '../../../schemas/catalog.ts';
import { lookUpSchemaIds, registerSchemas } from '../../../schemas/register.ts';
import { createRegistry } from '../../../schemas/registry.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import { kafkajs } from '../../../core/kafkajs/kafkajs.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'schema-registry']);
});
afterAll(async () => {
  await stack.stop();
});

describe('registerSchemas', () => {
  it('creates subjects once, each with the compatibility of the catalog', async () => {
    const { topics } = newCatalog();
    const first = await register(topics);
    const second = await register(topics);
    expect(first.map(({ result }) => result)).toEqual(['created', 'created']);
    expect(second.map(({ result }) => result)).toEqual(['unchanged', 'unchanged']);
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    for (const { subject } of topics) expect(await registry().compatibilityOf(subject)).toBe('BACKWARD');
    const ids = await lookUpSchemaIds({ registry: { url: registryUrl() }, topics });
    expect([...ids.values()]).toEqual(first.map(({ id }) => id));
  });

  it('puts a compatibility level back that somebody changed', async () => {
    const { topics } = newCatalog();
    await register(topics);
    await registry().setCompatibility(topics[0]!.subject, 'NONE');
    await register(topics);
    expect(await registry().compatibilityOf(topics[0]!.subject)).toBe('BACKWARD');
  });

  it('registers a compatible change as a new version', async () => {
    const name = randomUUID();
    await register(newCatalog({ name }).topics);
    const field = { name: 'note', type: ['null', 'string'], doc: 'A note.', default: null };
    const results = await register(newCatalog({ name, fields: [field] }).topics);
    expect(results.map(({ result }) => result)).toEqual(['new version', 'unchanged']);
  });

  it('refuses an incompatible change with the reason of the registry, and registers nothing else either', async () => {
    const name = randomUUID();
    const [customers] = newCatalog({ name }).topics;
    await register([customers!]);
    const field = { name: 'shoe_size', type: 'int', doc: 'Not optional, and without a default.' };
    const changed = newCatalog({ name, fields: [field] }).topics;
    await expect(register(changed)).rejects.toMatchObject({
      code: 'SCHEMA_REFUSED',
      retryable: false,
      todo: expect.stringMatching(new RegExp(`^${customers!.subject}: .*shoe_size`)) as string,
    });
    expect(await registry().hasSubject(changed[1]!.subject)).toBe(false);
    await expect(
      lookUpSchemaIds({ registry: { url: registryUrl() }, topics: changed }),
    ).rejects.toMatchObject({
      code: 'SCHEMA_NOT_REGISTERED',
      message: expect.stringContaining(changed[1]!.subject) as string,
    });
  });

  it('says that the registry does not answer, and that trying again may help', async () => {
    const { topics } = newCatalog();
    await expect(
      registerSchemas({ registry: { url: 'http://127.0.0.1:1/apis' }, topics }),
    ).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      retryable: true,
      where: 'http://127.0.0.1:1/apis',
    });
  });

  it.each([
    [503, '{"message":"starting"}', { code: 'REGISTRY_ERROR', retryable: true }],
    [401, '{"message":"who are you"}', { code: 'REGISTRY_FORBIDDEN', retryable: false }],
    [200, '<html>a proxy</html>', { code: 'INVALID_INPUT' }],
  ])('says what a registry that answers %i did wrong', async (status, body, error) => {
    const url = await serverAnswering(status, body);
    const { topics } = newCatalog();
    await expect(registerSchemas({ registry: { url }, topics })).rejects.toMatchObject(error);
  });

  it('logs in to a registry that asks who it is', async () => {
    const { topics } = newCatalog();
    const url = await registryBehindLogin('key', 'secret');
    const auth = { username: 'key', password: 'secret' };
    await expect(registerSchemas({ registry: { url }, topics })).rejects.toMatchObject({
      code: 'REGISTRY_FORBIDDEN',
    });
    const registered = await registerSchemas({ registry: { url, auth }, topics });
    const ids = await lookUpSchemaIds({ registry: { url, auth }, topics });
    expect([...ids.values()]).toEqual(registered.map(({ id }) => id));
  });

  it('is a command that prints what it did', async () => {
    const env = { ...process.env, ...stack.env };
    const { exitCode, stdout } = await runCli(env, 'schemas:register', '--json');
    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as { subject: string }[]).map(({ subject }) => subject)).toEqual(
      loadCatalog().topics.map(({ subject }) => subject),
    );
    const down = await runCli({ ...env, SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' }, 'schemas:register');
    expect(down.exitCode).toBe(1);
    expect(down.stderr.trim().split('\n')).toHaveLength(3);
  });
});

describe('applyTopics', () => {
  it('creates topics with their partitions and settings, and finds nothing to do afterwards', async () => {
    const catalog = newCatalog();
    const names = [...catalog.topics, ...catalog.deadLetterTopics].map(({ topic }) => topic);
    expect((await apply(catalog)).map(({ action }) => action)).toEqual(['create', 'create', 'create']);
    expect((await apply(catalog)).map(({ action }) => action)).toEqual(['none', 'none', 'none']);
    const live = await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) =>
      readTopics(admin, names),
    );
    expect(live.map(({ partitions }) => partitions).sort()).toEqual([1, 2, 3]);
    for (const { settings } of live) expect(settings['retention.ms']).toBe('-1');
  });

  it('adds partitions and corrects settings without touching those of others', async () => {
    const name = randomUUID();
    const catalog = newCatalog({ name });
    const { topic } = catalog.topics[0]!;
    await apply(catalog);
    await setTopic(topic, { 'retention.ms': '1000', 'max.message.bytes': '2000000' });
    const changes = await apply(newCatalog({ name, partitions: 5 }));
    expect(changes.filter((change) => change.topic === topic)).toEqual([
      { action: 'add partitions', topic, from: 2, to: 5 },
      { action: 'set', topic, key: 'retention.ms', from: '1000', to: '-1' },
    ]);
    const [live] = await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) =>
      readTopics(admin, [topic]),
    );
    expect(live).toMatchObject({
      partitions: 5,
      settings: { 'retention.ms': '-1', 'max.message.bytes': '2000000' },
    });
  });

  it('refuses to take partitions away, and changes nothing else either', async () => {
    const name = randomUUID();
    await apply(newCatalog({ name }));
    const smaller = newCatalog({ name, partitions: 1 });
    await setTopic(smaller.topics[1]!.topic, { 'retention.ms': '1000' });
    await expect(apply(smaller)).rejects.toMatchObject({
      code: 'TOO_MANY_PARTITIONS',
      where: expect.stringContaining('has 2, the catalog says 1') as string,
    });
    const [untouched] = await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) =>
      readTopics(admin, [smaller.topics[1]!.topic]),
    );
    expect(untouched?.settings['retention.ms']).toBe('1000');
  });

  it('is a command; without a broker it says so in three lines', async () => {
    const env = { ...process.env, ...stack.env };
    const { exitCode, stdout } = await runCli(env, 'topics:apply');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/billing\.payments +create +12 partitions, cleanup delete/);
    const down = await runCli({ ...env, KAFKA_BROKERS: '127.0.0.1:1' }, 'topics:apply');
    expect(down.exitCode).toBe(1);
    expect(down.stderr.trim().split('\n')).toEqual([
      expect.stringContaining('Kafka does not answer'),
      expect.stringContaining('127.0.0.1:1'),
      expect.stringContaining('KAFKA_BROKERS'),
    ]);
  });
});

interface CatalogChanges {
  /** Sets the topics apart from every other test's. */
  name?: string;
  /** Added to the customers. */
  fields?: unknown[];
  /** Of the customers. */
  partitions?: number;
}

/** Customers and invoices under names of their own, and a dead letter topic. */
function newCatalog({ name = randomUUID(), fields = [], partitions = 2 }: CatalogChanges = {}): Catalog {
  const folder = mkdtempSync(path.join(tmpdir(), 'catalog-'));
  cpSync(path.join(projectRoot, 'schemas', 'avro'), path.join(folder, 'avro'), { recursive: true });
  const file = path.join(folder, 'avro', 'billing.customers.avsc');
  const schema = JSON.parse(readFileSync(file, 'utf8')) as { fields: unknown[] };
  schema.fields.push(...fields);
  writeFileSync(file, JSON.stringify(schema));
  const entry = (entity: string, count: number) => ({
    topic: `${name}.${entity}`,
    schema: `avro/billing.${entity}.avsc`,
    key: 'customer_id',
    id: entity === 'customers' ? 'customer_id' : 'invoice_id',
    partitions: count,
    cleanup: 'delete',
    compatibility: 'BACKWARD',
    rawTable: `raw_${entity}`,
  });
  const topics = [entry('customers', partitions), entry('invoices', 3)];
  const deadLetterTopics = [{ topic: `${name}.dlq`, partitions: 1 }];
  writeFileSync(path.join(folder, 'topics.yaml'), stringify({ topics, deadLetterTopics }));
  return loadCatalog(folder);
}

/** The stack's registry behind a server that answers nobody else. */
async function registryBehindLogin(username: string, password: string): Promise<string> {
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const { origin, pathname } = new URL(registryUrl());
  const url = await serverOf((request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401).end('{"message":"who are you"}');
      return;
    }
    const options = { method: request.method ?? 'GET', headers: request.headers };
    const forwarded = sendRequest(`${origin}${request.url ?? ''}`, options, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  return `${url}${pathname}`;
}

function registryUrl(): string {
  return stack.target.schemaRegistry.url;
}

function registry() {
  return createRegistry({ url: registryUrl() });
}

async function register(topics: Catalog['topics']) {
  return registerSchemas({ registry: { url: registryUrl() }, topics });
}

async function apply(catalog: Catalog) {
  return withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) =>
    applyTopics({ admin, catalog, replicationFactor: 1 }),
  );
}

async function setTopic(topic: string, settings: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) => {
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] });
  });
}

async function serverAnswering(status: number, body: string): Promise<string> {
  return serverOf((_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  });
}

async function serverOf(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
