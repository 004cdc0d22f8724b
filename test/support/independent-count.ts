import { createClickHouse } from '../../clickhouse/client.ts';
import { waitFor } from '../../core/wait.ts';
import { eventIdOf } from '../../producers/delivery/wire-format.ts';
import type { Catalog } from '../../schemas/catalog.ts';
import { createKafka } from '../../targets/kafka.ts';
import type { Target } from '../../targets/load-target.ts';

/** What is there, counted without anything of the reconciliation. */
export interface IndependentCount {
  /** Records on the broker, by `topic/partition`. */
  records: ReadonlyMap<string, number>;
  /** Ids of the records that have one, by topic. */
  events: ReadonlyMap<string, ReadonlySet<string>>;
  /** Records in dead letter topics. */
  letters: number;
  /** Distinct ids of the rows, by topic. */
  rows: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads every topic with a plain consumer, from its beginning to its end, and every raw table with a GROUP BY. */
export async function countIndependently(target: Target, catalog: Catalog): Promise<IndependentCount> {
  const names = catalog.topics.map(({ topic }) => topic);
  const letterNames = catalog.deadLetterTopics.map(({ topic }) => topic);
  const kafka = createKafka(target, { clientId: 'independent-count' });
  const [admin, consumer] = [kafka.admin(), kafka.consumer({ groupId: `count-${crypto.randomUUID()}` })];
  const ends = new Map<string, number>();
  const records = new Map<string, number>();
  const events = new Map(names.map((name) => [name, new Set<string>()]));
  let letters = 0;
  await Promise.all([admin.connect(), consumer.connect()]);
  try {
    for (const topic of [...names, ...letterNames]) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
        if (low !== high) ends.set(`${topic}/${String(partition)}`, Number(high));
    }
    await consumer.subscribe({ topics: [...names, ...letterNames], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch: { topic, partition, messages } }) => {
        const key = `${topic}/${String(partition)}`;
        for (const { offset, value } of messages) {
          if (Number(offset) >= (ends.get(key) ?? 0)) continue;
          const own = events.get(topic);
          if (own === undefined) letters += 1;
          else records.set(key, (records.get(key) ?? 0) + 1);
          const id = eventIdOf(value);
          if (id !== undefined) own?.add(id);
          if (Number(offset) === (ends.get(key) ?? 0) - 1) ends.delete(key);
        }
        return Promise.resolve();
      },
    });
    await waitFor(() => ends.size === 0, { what: 'the last record of each partition', timeoutMs: 60_000 });
  } finally {
    await Promise.all([admin.disconnect(), consumer.disconnect()]);
  }
  return { records, events, letters, rows: await readRows(target, catalog) };
}

async function readRows(target: Target, catalog: Catalog): Promise<Map<string, Set<string>>> {
  const clickhouse = createClickHouse(target);
  const rows = new Map<string, Set<string>>();
  try {
    for (const { topic, rawTable } of catalog.topics) {
      const ids = await clickhouse.query(
        `SELECT toString(event_id) AS id FROM ${rawTable} GROUP BY event_id`,
      );
      rows.set(topic, new Set(ids.map(({ id }) => String(id))));
    }
  } finally {
    await clickhouse.close();
  }
  return rows;
}
