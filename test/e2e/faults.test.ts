import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../clickhouse/client.ts';
import { isClean, total, waitUntilReconciled } from '../../controlplane/reconcile.ts';
import { readTopicOffsets, type TopicOffsets } from '../../controlplane/topic-offsets.ts';
import { resolveHome } from '../../core/home.ts';
import { waitFor } from '../../core/wait.ts';
import type { FaultShares } from '../../producers/delivery/fault-shares.ts';
import { FaultyPublisher } from '../../producers/delivery/faulty-publisher.ts';
import { connectPublisher } from '../../producers/delivery/publisher.ts';
import type { BillingEvent } from '../../producers/events.ts';
import { historyEvents } from '../../producers/lives/history.ts';
import { run } from '../../producers/runs/run.ts';
import { createScenario } from '../../producers/scenario/scenario.ts';
import { loadScenarioSettings } from '../../producers/scenario/settings.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';
import { lookUpSchemaIds } from '../../schemas/register.ts';
import { withKafkaAdmin } from '../../targets/kafka.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { runCli } from '../support/run-cli.ts';

const env = { ...process.env, ...inject('stackEnv') };
const target = loadTarget('embedded', env);
const home = resolveHome(env);
const catalog = loadCatalog();
const deadLetterNames = catalog.deadLetterTopics.map(({ topic }) => topic);
const settings = loadScenarioSettings();
const landTimeoutMs = 60_000;

let clickhouse: ClickHouse;

beforeAll(() => {
  clickhouse = createClickHouse(target);
});
afterAll(async () => {
  await clickhouse.close();
});

/** Half a year of some customers' lives. `produced_at` is the same in all of its records and in no others. */
interface Story {
  seed: number;
  producedAt: number;
  events: readonly BillingEvent[];
}

let stories = 0;

function tellStory(customers = 40): Story {
  stories += 1;
  const producedAt = Date.UTC(2025, 9, 1) + stories;
  const seed = 7000 + stories;
  const scenario = createScenario(seed, settings, { now: () => producedAt });
  const range = { first: 0, count: customers, startAt: Date.UTC(2025, 2, 1), endAt: Date.UTC(2025, 8, 1) };
  return { seed, producedAt, events: [...historyEvents(scenario, range)].flat() };
}

/** Produces a story as every run produces, and waits until all of it landed or is a dead letter. */
async function produce({ seed, producedAt, events }: Story, faults: FaultShares) {
  const clock = { now: () => producedAt };
  const result = await run({ target, catalog, home, seed, clock, faults }, ({ send }) =>
    send(events.length, async (publish) => {
      for (const event of events) await publish(event);
    }),
  );
  return { result, reconciled: await untilReconciled() };
}

async function untilReconciled() {
  const { partitions } = await waitUntilReconciled({ target, catalog, timeoutMs: landTimeoutMs });
  expect(isClean(partitions), 'nothing is missing').toBe(true);
  return partitions;
}

/** Topics of a story with their events. */
function byTopic({ events }: Story): [CatalogTopic, BillingEvent[]][] {
  return catalog.topics
    .map((topic): [CatalogTopic, BillingEvent[]] => [
      topic,
      events.filter((event) => event.topic === topic.topic),
    ])
    .filter(([, own]) => own.length > 0);
}

/** Rows of a story in the raw table of one of its topics, repeated deliveries collapsed. */
async function rowsOf(topic: CatalogTopic, { producedAt }: Story, select: string, groupBy = '') {
  return clickhouse.query(
    `SELECT ${select} FROM ${topic.rawTable} AS t FINAL
     WHERE t.produced_at = fromUnixTimestamp64Milli({producedAt:Int64}) ${groupBy}`,
    { params: { producedAt } },
  );
}

/** Whatever befell the story on its way: each of its events is there once. */
async function expectEveryEventOnce(story: Story): Promise<void> {
  for (const [topic, events] of byTopic(story)) {
    const [counted] = await rowsOf(topic, story, 'count() AS rows, uniqExact(t.event_id) AS events');
    const expected = String(events.length);
    expect({ topic: topic.topic, ...counted }).toEqual({
      topic: topic.topic,
      rows: expected,
      events: expected,
    });
  }
}

describe('the stream suffers', () => {
  test('duplicates: every event counts once, and every delivery is accounted for', async () => {
    const story = tellStory();
    const { result, reconciled } = await produce(story, { duplicates: 0.1 });
    expect(result.faults?.duplicates).toBeGreaterThan(story.events.length * 0.05);
    expect(result.total).toBe(story.events.length + result.faults!.duplicates);
    expect(total(reconciled, 'produced')).toBe(total(reconciled, 'landed') + total(reconciled, 'dlq'));
    await expectEveryEventOnce(story);
  });

  test('late events: each lands in its own month, and no other month changes', async () => {
    const story = tellStory();
    const [payments, events] = byTopic(story).find(([{ topic }]) => topic === 'billing.payments')!;
    const months = new Map(events.map(({ at, record }) => [record['event_id'], monthOf(at)]));
    const landedMonths = async () => {
      await untilReconciled();
      const rows = await rowsOf(payments, story, 'toString(t.event_id) AS id, _partition_id AS month');
      return new Map(rows.map((row) => [row['id'], row['month']]));
    };
    const schemaIds = await lookUpSchemaIds({
      registry: target.schemaRegistry,
      topics: catalog.topics,
    });
    const publisher = await connectPublisher({ target, catalog, schemaIds });
    try {
      const faulty = new FaultyPublisher(publisher, { shares: { late: 0.02 }, catalog, seed: 1, run: 1 });
      for (const event of story.events) await faulty.publish(event);
      await publisher.flush();
      const inTime = await landedMonths();
      await faulty.release();
      await publisher.flush();

      const late = [...months].filter(([id]) => !inTime.has(id));
      expect(late.length).toBeGreaterThan(0);
      const newest = [...inTime.values()].sort().at(-1);
      expect(late.filter(([, month]) => month !== newest).length).toBeGreaterThan(0);
      expect(await landedMonths()).toEqual(new Map([...inTime, ...late]));
      expect(new Map([...inTime, ...late])).toEqual(months);
      await expectEveryEventOnce(story);
    } finally {
      await publisher.close();
    }
  });

  test('versions out of order: the latest version is the state, wherever it came', async () => {
    const story = tellStory();
    const { result } = await produce(story, { 'out-of-order': 0.2 });
    expect(result.faults?.['out-of-order']).toBeGreaterThan(0);
    expect(result.total).toBe(story.events.length);
    let swapped = 0;
    for (const [topic, events] of byTopic(story)) {
      const latest = new Map(
        events.map(({ record }) => [String(record[topic.id]), String(record['event_id'])]),
      );
      const rows = await rowsOf(
        topic,
        story,
        `toString(t.${topic.id}) AS id, toString(argMax(t.event_id, t.entity_version)) AS latest,
         argMax(t.event_id, t.kafka_offset) != argMax(t.event_id, t.entity_version) AS came_before_another`,
        'GROUP BY id',
      );
      expect(new Map(rows.map((row) => [row['id'], row['latest']]))).toEqual(latest);
      swapped += rows.filter((row) => row['came_before_another'] === 1).length;
    }
    expect(swapped).toBeGreaterThan(0);
    await expectEveryEventOnce(story);
  });

  test('bytes that are no record and unknown schemas: dead letters that say why, and nothing else is disturbed', async () => {
    const story = tellStory();
    const before = await deadLetterOffsets();
    const { result, reconciled } = await produce(story, { malformed: 0.03, 'unknown-schema': 0.03 });
    const { malformed, 'unknown-schema': unknown } = result.faults!;
    expect(malformed).toBeGreaterThan(0);
    expect(unknown).toBeGreaterThan(0);
    expect(result.total).toBe(story.events.length + malformed + unknown);
    await expectEveryEventOnce(story);

    const letters = await readDeadLetters(before);
    expect(letters.length).toBe(malformed + unknown);
    for (const letter of letters) {
      expect(letter).toMatchObject({ stage: 'VALUE_CONVERTER' });
      expect(letter['exception.message']).not.toBe('');
      expect(catalog.topics.map(({ topic }) => topic)).toContain(letter['topic']);
    }
    const places = letters.map((letter) => `${letter['topic']}/${letter['partition']}/${letter['offset']}`);
    expect(new Set(places).size).toBe(places.length);
    expect(total(reconciled, 'dlq')).toBeGreaterThanOrEqual(letters.length);
    await expectRunning();
  });

  test('an oversized record: it is refused, reported and kept, and its neighbours are sent', async () => {
    const story = tellStory();
    const events = story.events.slice(0, 30);
    const { result } = await produce({ ...story, events }, { oversized: 0.1 });
    expect(result.total).toBe(events.length);
    expect(result.refused.length).toBe(result.faults?.oversized);
    expect(result.refused.length).toBeGreaterThan(0);
    await expectEveryEventOnce({ ...story, events });
  });

  test('nothing is injected where nobody asks for it, and a record of its own that is too large is kept whole', async () => {
    const story = tellStory();
    const events = story.events.slice(0, 30);
    const [event] = events as [BillingEvent];
    const eventType = 'x'.repeat(9 * 1024 * 1024);
    const eventId = '01890000-0000-7000-8000-00000000000f';
    const oversized = { ...event, record: { ...event.record, event_id: eventId, event_type: eventType } };
    const { result } = await produce({ ...story, events: [event, oversized, ...events.slice(1)] }, {});
    expect(result.total).toBe(events.length);
    expect(result.refused).toMatchObject([{ topic: event.topic, eventId }]);
    const [{ bytes, maxBytes, file }] = result.refused as [(typeof result.refused)[0]];
    expect(bytes).toBeGreaterThan(maxBytes);
    const { type } = catalog.topics.find(({ topic }) => topic === event.topic)!;
    expect(type.fromBuffer(readFileSync(file).subarray(5))).toMatchObject({
      event_id: eventId,
      event_type: eventType,
    });
    await expectEveryEventOnce({ ...story, events });
  });
});

test('the command injects what it is asked for, says what it did, and everything is accounted for', async () => {
  const flags = ['--rate', '300', '--duration', '3', '--seed', '7999', '--json'];
  const faults = '--faults=duplicates=0.1,malformed=0.01,oversized=0.002';
  const { exitCode, stdout, stderr } = await runCli(env, 'produce', ...flags, faults);
  expect(exitCode, stderr).toBe(0);
  const printed = JSON.parse(stdout) as {
    total: number;
    faults: Record<string, number>;
    refused: { topic: string; eventId: string; bytes: number; file: string }[];
  };
  expect(printed.faults['duplicates']).toBeGreaterThan(0);
  expect(printed.faults['late']).toBe(0);
  expect(printed.refused.length).toBe(printed.faults['oversized']);
  for (const { eventId } of printed.refused) expect(stderr).toContain(`Not sent: ${eventId}`);

  await untilReconciled();
  expect(await runCli(env, 'reconcile')).toMatchObject({ exitCode: 0 });
  await expectRunning();

  const unknown = await runCli(env, 'produce', '--faults', 'latte=0.1');
  expect(unknown).toMatchObject({ exitCode: 1 });
  expect(unknown.stderr).toContain('latte: there is no such fault');
});

function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7).replace('-', '');
}

/** Every connector and task runs, and has nothing left to do. */
async function expectRunning(): Promise<void> {
  const states = await waitFor(
    async () => {
      const { stdout } = await runCli(env, 'connectors:status', '--json');
      const connectors = JSON.parse(stdout) as { lag: number; state: string; tasks: { state: string }[] }[];
      // A worker commits its offsets at intervals.
      if (connectors.some(({ lag }) => lag !== 0)) return undefined;
      return connectors.flatMap(({ state, tasks }) => [state, ...tasks.map((task) => task.state)]);
    },
    { what: 'no lag', timeoutMs: landTimeoutMs },
  );
  expect(new Set(states)).toEqual(new Set(['RUNNING']));
}

async function deadLetterOffsets(): Promise<TopicOffsets[]> {
  return withKafkaAdmin(target, { clientId: 'faults-test' }, async (admin) => [
    ...(await readTopicOffsets(admin, deadLetterNames)).values(),
  ]);
}

/** The dead letters written since, as Connect's headers tell of them. */
async function readDeadLetters(since: readonly TopicOffsets[]): Promise<Record<string, string>[]> {
  const now = await deadLetterOffsets();
  const ranges = now.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, high }) => ({
      partition,
      low: since.find((one) => one.topic === topic)?.partitions[partition]?.high ?? 0,
      high,
    })),
  }));
  const letters: Record<string, string>[] = [];
  const collect = (headers: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name.replace('__connect.errors.', ''),
        Buffer.isBuffer(value) ? value.toString() : '',
      ]),
    );
  await readTopics(
    target,
    ranges,
    (_topic, _partition, { headers }) => letters.push(collect(headers ?? {})),
    {
      timeoutMs: landTimeoutMs,
    },
  );
  return letters;
}
