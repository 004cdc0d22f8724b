import { retry } from '../../../core/retry.ts';
import { waitFor } from '../../../core/wait.ts';
import { isLegal, transitions, type Machine } from '../../../producers/scenario/state-machines.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import type { Target } from '../../../targets/load-target.ts';
import { readTopics, type TopicRange } from '../../../targets/read-topics.ts';

/** Bytes in front of every record: the magic byte and the schema's id. */
const headerBytes = 5;

const catalog = loadCatalog();

/** A record as any reader of the topics sees it. */
export interface BrokerRecord {
  topic: string;
  partition: number;
  key: string;
  /** As it is on the broker. */
  value: Buffer;
  fields: Readonly<Record<string, unknown>>;
}

/** Records of each topic that has any, from the broker's end offsets. */
export async function countRecords(target: Target): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { topic, partitions } of await readRanges(target)) {
    const count = partitions.reduce((sum, { high }) => sum + high, 0);
    if (count > 0) counts[topic] = count;
  }
  return counts;
}

/** Waits until the topics hold at least `count` records. */
export async function waitForRecords(target: Target, count: number): Promise<void> {
  await waitFor(async () => sum(await countRecords(target)) >= count, {
    what: `${count} records`,
    timeoutMs: 30_000,
  });
}

/** Every record of every topic. */
export async function readRecords(target: Target): Promise<BrokerRecord[]> {
  const types = new Map(catalog.topics.map(({ topic, type }) => [topic, type]));
  const records = new Map<string, BrokerRecord>();
  await readTopics(
    target,
    await readRanges(target),
    (topic, partition, message) => {
      const value = message.value!;
      const fields = types.get(topic)?.fromBuffer(value.subarray(headerBytes)) as BrokerRecord['fields'];
      const record = { topic, partition, key: String(message.key), value, fields };
      records.set(`${topic}/${partition}/${message.offset}`, record);
    },
    { timeoutMs: 60_000 },
  );
  return [...records.values()];
}

/** What is wrong with the records as a whole: versions, transitions and references, whatever their order. */
export function problemsOf(records: readonly BrokerRecord[]): string[] {
  const problems: string[] = [];
  const entries = new Map(catalog.topics.map((entry) => [entry.topic, entry]));
  const entities = new Map<string, BrokerRecord[]>();
  for (const record of records) {
    const name = `${record.topic} ${String(record.fields[entries.get(record.topic)!.id])}`;
    entities.set(name, [...(entities.get(name) ?? []), record]);
  }
  for (const [name, states] of entities) {
    const entry = entries.get(states[0]!.topic)!;
    const machine = entry.topic.replace(/^billing\./, '').replace(/s$/, '');
    states.sort((a, b) => Number(a.fields['entity_version']) - Number(b.fields['entity_version']));
    let before = 'none';
    for (const [index, { fields }] of states.entries()) {
      if (Number(fields['entity_version']) !== index + 1) {
        problems.push(`${name}: version ${String(fields['entity_version'])} in place of ${index + 1}`);
      }
      const status = String(fields['status']);
      if (machine in transitions && !isLegal(machine as Machine, before, status)) {
        problems.push(`${name}: ${before} -> ${status}`);
      }
      before = status;
      for (const [field, parent] of Object.entries(entry.references)) {
        const id = fields[field];
        if (typeof id === 'string' && !entities.has(`${parent} ${id}`)) {
          problems.push(`${name}: there is no ${parent} ${id}`);
        }
      }
    }
  }
  return problems;
}

/** What `after` has more than `before`. */
export function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([topic, count]): [string, number] => [topic, count - (before[topic] ?? 0)])
      .filter(([, count]) => count !== 0),
  );
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

async function readRanges(target: Target): Promise<TopicRange[]> {
  // A broker that has just started still elects leaders.
  return retry(
    async () =>
      withKafkaAdmin(target, { clientId: 'test' }, async (admin) =>
        Promise.all(
          catalog.topics.map(async ({ topic }) => ({
            topic,
            partitions: (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
              partition,
              low: 0,
              high: Number(high),
            })),
          })),
        ),
      ),
    { retries: 10 },
  );
}
