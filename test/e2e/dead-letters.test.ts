import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { ensureAccount, openAccount } from '../../controlplane/dlq/account.ts';
import { headersForReplay, headerText, originHeader, readLetters } from '../../controlplane/dlq/letters.ts';
import { replayLetters } from '../../controlplane/dlq/replay.ts';
import { createConnectClient } from '../../controlplane/kafka-connect/connect-client.ts';
import { isClean, total, waitUntilReconciled } from '../../controlplane/reconcile.ts';
import { readTopicOffsets, type TopicOffsets } from '../../controlplane/topic-offsets.ts';
import { waitFor } from '../../core/wait.ts';
import { resolveStackSettings, startStack, stopStack } from '../../embedded/stack.ts';
import { connectPublisher } from '../../producers/delivery/publisher.ts';
import type { BillingEvent } from '../../producers/events.ts';
import { historyEvents } from '../../producers/lives/history.ts';
import { createScenario } from '../../producers/scenario/scenario.ts';
import { loadScenarioSettings } from '../../producers/scenario/settings.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import { createKafka } from '../../targets/kafka.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { runCli } from '../support/run-cli.ts';

/** Dead letters on the running stack: what brings them about, and what takes them back. */

const env = { ...process.env, ...inject('stackEnv') };
const target = loadTarget('embedded', env);
const catalog = loadCatalog();
const service = createConnectClient({ url: target.connect.url });
const timeoutMs = 90_000;
let clickhouse: ClickHouse;
let admin: Admin;
let schemaIds: Awaited<ReturnType<typeof lookUpSchemaIds>>;

beforeAll(async () => {
  for (const name of ['schemas:register', 'topics:apply', 'clickhouse:migrate', 'connectors:apply']) {
    const { exitCode, stderr } = await runCli(env, name);
    expect(exitCode, `${name}: ${stderr}`).toBe(0);
  }
  // Other tests leave dead letters, too.
  for (const { topic } of catalog.deadLetterTopics) {
    const { exitCode, stderr } = await runCli(env, 'dlq', 'drain', topic, '--before', 'end', '--yes');
    expect(exitCode, stderr).toBe(0);
  }
  clickhouse = createClickHouse(target);
  admin = createKafka(target, { clientId: 'dead-letters-test' }).admin();
  await admin.connect();
  schemaIds = await lookUpSchemaIds({ registry: target.schemaRegistry, topics: catalog.topics });
});
afterAll(async () => {
  await Promise.all([clickhouse.close(), admin.disconnect()]);
});

/** Events of one topic, told for this test alone. */
function eventsOf(topic: string, seed: number, count: number): BillingEvent[] {
  const scenario = createScenario(seed, loadScenarioSettings(), { now: () => Date.UTC(2025, 9, 1) });
  const range = { first: 0, count: 120, startAt: Date.UTC(2025, 2, 1), endAt: Date.UTC(2025, 8, 1) };
  const own = [...historyEvents(scenario, range)].flat().filter((event) => event.topic === topic);
  expect(own.length).toBeGreaterThanOrEqual(count);
  return own.slice(0, count);
}

async function publish(events: readonly { event: BillingEvent; value?: Buffer }[]): Promise<void> {
  const publisher = await connectPublisher({ target, catalog, schemaIds });
  try {
    for (const { event, value } of events) await publisher.publish(event, value);
    await publisher.flush();
  } finally {
    await publisher.close();
  }
}

async function bounds(topic: string): Promise<TopicOffsets> {
  const found = (await readTopicOffsets(admin, [topic])).get(topic);
  return found!;
}

const lettersOf = async (dlq: string) => readLetters(target, [await bounds(dlq)], { timeoutMs });

async function lettersBeyond(dlq: string, known: number, count: number) {
  const what = `${String(count)} dead letters in ${dlq}`;
  await waitFor(
    async () => (await bounds(dlq)).partitions.reduce((sum, { high }) => sum + high, 0) >= known + count,
    { what, timeoutMs },
  );
  return (await lettersOf(dlq)).slice(-count);
}

async function reconciled() {
  const { partitions } = await waitUntilReconciled({ target, catalog, timeoutMs });
  expect(isClean(partitions), 'nothing is missing').toBe(true);
  return partitions;
}

/** How often each event is in a raw table, and how often it was delivered. */
async function landed(table: string, events: readonly BillingEvent[]) {
  const ids = events.map(({ record }) => record['event_id']);
  const [row] = await clickhouse.query(
    `SELECT count() AS rows, uniqExact(event_id) AS events FROM ${table} FINAL WHERE event_id IN {ids:Array(UUID)}`,
    { params: { ids } },
  );
  return { rows: Number(row?.['rows']), events: Number(row?.['events']) };
}

/** For which dead letters a topic holds a replayed record, once for each record. */
async function originsIn(topic: string): Promise<string[]> {
  const origins = new Map<string, string>();
  await readTopics(
    target,
    [await bounds(topic)],
    (_topic, partition, { offset, headers }) => {
      const origin = headerText(headers, originHeader);
      if (origin !== undefined) origins.set(`${String(partition)}/${offset}`, origin);
    },
    { timeoutMs },
  );
  return [...origins.values()];
}

const high = async (dlq: string) =>
  (await bounds(dlq)).partitions.reduce((sum, { high: end }) => sum + end, 0);

test('good records of a registry that was away: two people replay them at once, and each lands exactly once', async () => {
  const [name, dlq, topic] = ['billing-payments-sink', 'billing.payments.dlq', 'billing.payments'];
  const events = eventsOf(topic, 8101, 40);
  const known = await high(dlq);
  const settings = resolveStackSettings(env);
  await stopStack(settings, { services: ['schema-registry'] });
  try {
    // A converter that has seen the schema needs no registry: new tasks have seen nothing.
    await fetch(`${target.connect.url}/connectors/${name}/restart?includeTasks=true`, { method: 'POST' });
    await waitFor(() => isRunning(name), { what: `${name} to run again`, timeoutMs });
    await publish(events.map((event) => ({ event })));
    const letters = await lettersBeyond(dlq, known, events.length);
    expect(new Set(letters.map(({ source }) => source?.topic))).toEqual(new Set([topic]));

    const shown = await runCli(env, 'dlq', 'show', dlq, '--limit', '1');
    expect(shown.stderr).toContain('Values are shown as bytes: The schema registry does not answer');
    expect(shown.stdout).toMatch(/00 00 00 00/);
    const refused = await runCli(env, 'dlq', 'replay', dlq);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('nobody can say which dead letters would fail again');
  } finally {
    await startStack(settings, { services: ['schema-registry'] });
  }

  const dry = await runCli(env, 'dlq', 'replay', dlq, '--topic', topic, '--dry-run');
  expect([dry.exitCode, dry.stdout]).toEqual([2, expect.stringContaining('Would replay 40 dead letters')]);
  const both = await Promise.all(
    [1, 2].map(() => runCli(env, 'dlq', 'replay', dlq, '--topic', topic, '--json')),
  );
  const reports = both.map(({ stdout, stderr }) => {
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout) as { replayed: { letter: string }[] };
  });
  const sent = reports.flatMap(({ replayed }) => replayed.map(({ letter }) => letter));
  expect([sent.length, new Set(sent).size]).toEqual([40, 40]);
  await reconciled();
  expect(await landed('raw_payments', events)).toEqual({ rows: 40, events: 40 });
  const origins = await originsIn(topic);
  expect([origins.length, new Set(origins).size]).toEqual([40, 40]);

  const again = await runCli(env, 'dlq', 'replay', dlq, '--topic', topic);
  expect(again.exitCode, again.stderr).toBe(0);
  expect(again.stdout).toContain('Left 40 dead letters: was replayed before');

  const before = total(await reconciled(), 'dlq');
  const unasked = await runCli(env, 'dlq', 'drain', dlq);
  expect([unasked.exitCode, unasked.stderr]).toEqual([1, expect.stringContaining('--yes')]);
  const drained = await runCli(env, 'dlq', 'drain', dlq, '--yes', '--before', 'end');
  expect(drained.exitCode, drained.stderr).toBe(0);
  expect(await lettersOf(dlq)).toEqual([]);
  expect(total(await reconciled(), 'dlq')).toBe(before);
  expect((await runCli(env, 'dlq', 'list', dlq)).stdout).toMatch(
    /billing\.payments\.dlq +0 +0 +0 +\d+ +- +-/,
  );
});

test('a record that does not fit its table goes alone or with its batch, it is known when it comes back, and its neighbours land', async () => {
  const [dlq, topic] = ['billing.core.dlq', 'billing.refunds'];
  const [first, ...good] = eventsOf(topic, 8102, 6) as [BillingEvent, ...BillingEvent[]];
  const bad = { ...first, record: { ...first.record, event_id: 'this is no UUID' } };
  const known = await high(dlq);
  await publish([bad, ...good].map((event) => ({ event })));
  const letters = await lettersBeyond(dlq, known, 1);
  expect(letters.at(-1)).toMatchObject({ source: { topic }, cause: 'poison-record', attempts: 0 });
  await reconciled();
  const written = await high(dlq);
  const { exitCode, stderr } = await runCli(env, 'dlq', 'replay', dlq, '--topic', topic);
  expect(exitCode, stderr).toBe(0);
  await lettersBeyond(dlq, written, 1);
  await reconciled();
  const again = await runCli(env, 'dlq', 'replay', dlq, '--topic', topic);
  expect([again.exitCode, again.stdout]).toEqual([2, expect.stringContaining('came back from a replay (1)')]);

  // The official sink gives up a whole batch, also when it comes back: beside the bad record the good ones stay dead.
  if (inject('sink').kind === 'official') {
    expect((await landed('raw_refunds', good)).events).toBeLessThan(5);
  }
  const repaired = await runCli(env, 'reconcile', topic, '--repair', '--dead-letters', '--yes');
  expect(repaired.exitCode, repaired.stderr).toBe(0);
  expect(repaired.stderr).toMatch(new RegExp(`${topic}/\\d+/\\d+ cannot be written: .*UUID`));
  expect(await landed('raw_refunds', good)).toEqual({ rows: 5, events: 5 });
});

test('a row that the table refuses does not keep its neighbours from landing, and lands itself once it is allowed', async () => {
  const [dlq, topic] = ['billing.core.dlq', 'billing.refunds'];
  const events = eventsOf(topic, 8105, 12) as [BillingEvent, ...BillingEvent[]];
  const [first] = events;
  const known = await high(dlq);
  const params = { id: String(first.record['event_id']) };
  await clickhouse.command(
    'ALTER TABLE raw_refunds ADD CONSTRAINT refused_here CHECK event_id != {id:UUID}',
    { params },
  );
  try {
    await publish(events.map((event) => ({ event })));
    const [letter] = await lettersBeyond(dlq, known, 1);
    expect(letter).toMatchObject({ source: { topic } });
    await reconciled();
  } finally {
    await clickhouse.command('ALTER TABLE raw_refunds DROP CONSTRAINT refused_here');
  }
  const { exitCode, stdout, stderr } = await runCli(env, 'dlq', 'replay', dlq, '--topic', topic);
  expect(stdout, stderr).toMatch(/Replayed \d+ dead letter/);
  expect(exitCode).not.toBe(1);
  await reconciled();
  expect(await landed('raw_refunds', events)).toEqual({ rows: 12, events: 12 });
});

test('what nobody can read stays, says why, and is sent only by force; one that comes back is known', async () => {
  const [dlq, topic] = ['billing.invoices.dlq', 'billing.invoices'];
  const [event] = eventsOf(topic, 8103, 1) as [BillingEvent];
  const known = await high(dlq);
  const values = [Buffer.from('no record'), Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2])];
  await publish([...values.map((value) => ({ event, value })), { event }]);
  const letters = await lettersBeyond(dlq, known, 2);
  await reconciled();
  expect(await landed('raw_invoices', [event])).toEqual({ rows: 1, events: 1 });
  expect(letters.map(({ cause }) => cause)).toEqual(['poison-record', 'poison-record']);

  const { source } = letters[0]!;
  const only = [
    '--topic',
    topic,
    '--partition',
    String(source?.partition),
    '--offset',
    String(source?.offset),
  ];
  const shown = await runCli(env, 'dlq', 'show', dlq, ...only, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject([
    { letter: letters[0]?.id, valueHex: Buffer.from('no record').toString('hex'), stage: 'VALUE_CONVERTER' },
  ]);
  const left = await runCli(env, 'dlq', 'replay', dlq, '--topic', topic, '--cause', 'poison-record');
  expect(left.exitCode).toBe(2);
  expect(left.stdout).toContain('would fail again: the registry does not know its schema');
  expect(left.stdout).toContain('would fail again: it is not in the wire format');

  const forced = await runCli(env, 'dlq', 'replay', dlq, ...only, '--force');
  expect(forced.stdout, forced.stderr).toContain('Replayed 1 dead letter');
  const [back] = await lettersBeyond(dlq, known + 2, 1);
  expect(back).toMatchObject({ attempts: 1, source: { topic, partition: source?.partition } });
  expect(back?.message).toMatchObject({
    key: letters[0]?.message.key,
    value: letters[0]?.message.value,
    timestamp: letters[0]?.message.timestamp,
  });
  await reconciled();
});

test('a replay that died after it had claimed its letters is finished by the next: what was sent is not sent again', async () => {
  const [dlq, topic] = ['billing.transactions.dlq', 'billing.transactions'];
  const [event] = eventsOf(topic, 8104, 1) as [BillingEvent];
  const known = await high(dlq);
  await publish(['one', 'two', 'three'].map((text) => ({ event, value: Buffer.from(text) })));
  const letters = await lettersBeyond(dlq, known, 3);
  await ensureAccount(admin, 1);
  const account = openAccount(target, admin);
  const producer = createKafka(target, { clientId: 'dead-letters-test' }).producer();
  await producer.connect();
  const from = (await bounds(topic)).partitions;
  const claims = letters.slice(0, 2).map(({ id, source }) => {
    const { topic: to, partition } = source!;
    const low = from.find((one) => one.partition === partition)!.high;
    return { kind: 'claim' as const, letter: id, run: 'one that died', topic: to, partition, from: low };
  });
  await account.append(producer, claims);
  // It had sent the first when it died.
  const [first] = letters;
  const { partition } = first!.source!;
  await producer.send({
    topic,
    messages: [
      { key: first!.message.key, value: first!.message.value, partition, headers: headersForReplay(first!) },
    ],
  });
  await producer.disconnect();

  const options = {
    target,
    admin,
    letters: await bounds(dlq),
    filter: { topic },
    force: true,
    takeoverMs: 500,
  };
  const report = await replayLetters(options);
  expect(report.replayed.map(({ letter }) => letter).sort()).toEqual(letters.map(({ id }) => id).sort());
  const origins = (await originsIn(topic)).filter((origin) => letters.some(({ id }) => id === origin));
  expect(origins.sort()).toEqual(letters.map(({ id }) => id).sort());
});

test('a name that is none lists the names, and an action that is none the actions', async () => {
  const none = await runCli(env, 'dlq', 'show', 'billing.nope.dlq');
  expect(none.exitCode).toBe(1);
  expect(none.stderr).toContain('There are billing.core.dlq, billing.invoices.dlq');
  expect((await runCli(env, 'dlq', 'burn', 'billing.core.dlq')).stderr).toContain(
    'list, show, replay, drain',
  );
  const away = await runCli({ ...env, KAFKA_BROKERS: '127.0.0.1:1' }, 'dlq', 'list');
  expect([away.exitCode, away.stderr]).toEqual([1, expect.stringContaining('Kafka does not answer')]);
  const bad = await runCli(env, 'dlq', 'show', 'billing.core.dlq', '--limit', 'many', '--cause', 'x');
  expect([bad.exitCode, bad.stderr]).toEqual([1, expect.stringContaining('There is no cause "x"')]);
});

async function isRunning(name: string): Promise<boolean> {
  const live = (await service.list()).get(name);
  return (
    live?.state === 'RUNNING' && live.tasks.length > 0 && live.tasks.every(({ state }) => state === 'RUNNING')
  );
}
