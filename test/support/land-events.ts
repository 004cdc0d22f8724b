import type { ClickHouse } from '../../clickhouse/client.ts';
import type { BillingEvent } from '../../producers/events.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';

const rowsPerInsert = 20_000;

/** Where the next record of each topic and partition goes. */
const nextOffsets = new WeakMap<ClickHouse, Map<string, number>>();

/**
 * Lands events in the raw tables as the connectors would, without a broker: every topic's partitions are counted
 * up, and what is landed again gets new offsets, as a record that was sent twice does.
 */
export async function landEvents(clickhouse: ClickHouse, events: readonly BillingEvent[]): Promise<void> {
  const topics = new Map(loadCatalog().topics.map((topic) => [topic.topic, topic]));
  const offsets = nextOffsets.get(clickhouse) ?? new Map<string, number>();
  nextOffsets.set(clickhouse, offsets);
  const landedAt = new Date();
  const rows = new Map<string, object[]>();
  for (const { topic: name, record } of events) {
    const topic = topics.get(name)!;
    const partition = partitionOf(topic, record);
    const slot = `${name}/${partition}`;
    const offset = offsets.get(slot) ?? 0;
    offsets.set(slot, offset + 1);
    const row = {
      ...asColumns(record),
      kafka_topic: name,
      kafka_partition: partition,
      kafka_offset: offset,
      kafka_timestamp: landedAt,
    };
    const ofTable = rows.get(topic.rawTable);
    if (ofTable === undefined) rows.set(topic.rawTable, [row]);
    else ofTable.push(row);
  }
  for (const [table, ofTable] of rows) {
    for (let begin = 0; begin < ofTable.length; begin += rowsPerInsert) {
      await clickhouse.insert(table, ofTable.slice(begin, begin + rowsPerInsert), {
        // Prices of products begin long before any customer: more months than ClickHouse likes in one insert.
        settings: { max_partitions_per_insert_block: '1000' },
      });
    }
  }
}

/** Any partition does that is always the same one for a key. */
function partitionOf({ key, partitions }: CatalogTopic, record: BillingEvent['record']): number {
  let sum = 0;
  for (const character of String(record[key])) sum += character.charCodeAt(0);
  return sum % partitions;
}

/** Instants and days are numbers in Avro; ClickHouse would read them as seconds. */
function asColumns(record: BillingEvent['record']): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(record)) {
    if (typeof value !== 'number') row[field] = value;
    else if (field.endsWith('_at')) row[field] = new Date(value);
    else if (field.endsWith('_date')) row[field] = new Date(value * 86_400_000).toISOString().slice(0, 10);
    else row[field] = value;
  }
  return row;
}
