import { readFileSync } from 'node:fs';
import path from 'node:path';
import { quoteString, type ClickHouse } from '../clickhouse/client.ts';
import { projectRoot } from '../core/home.ts';
import type { Target } from '../targets/load-target.ts';
import { paymentsTopic, sinkTables } from './connect-sink.ts';
import { countInserts, type LandingTables } from './time-landing.ts';

export const engineTables: LandingTables = {
  raw: 'engine_payments',
  ledger: 'engine_ledger',
  inserts: 'bench_engine_inserts',
};

/**
 * The settings that were fastest on two cores: a consumer and a thread for each core, polls and blocks as large
 * as they pay, and a flush that does not wait long for the last block to fill.
 */
const engineSettings = {
  kafka_num_consumers: 2,
  kafka_thread_per_consumer: 1,
  kafka_poll_max_batch_size: 65_536,
  kafka_max_block_size: 200_000,
  kafka_flush_interval_ms: 2000,
} as const;

/**
 * ClickHouse's own way to read Kafka, beside the sink: the same topic into a table with the same definition, with
 * the same views upon it.
 */
export class KafkaEngine {
  readonly #target: Target;
  readonly #clickhouse: ClickHouse;

  constructor(target: Target, clickhouse: ClickHouse) {
    this.#target = target;
    this.#clickhouse = clickhouse;
  }

  /** Makes the tables and the views. */
  async prepare(): Promise<void> {
    const { raw, ledger } = engineTables;
    await this.#clickhouse.command(`CREATE TABLE ${raw} AS ${sinkTables.raw}`);
    await this.#clickhouse.command(`CREATE TABLE ${ledger} AS ${sinkTables.ledger}`);
    await this.#clickhouse.command(ledgerFeed());
    await countInserts(this.#clickhouse, engineTables);
  }

  async reset(): Promise<void> {
    for (const table of Object.values(engineTables))
      await this.#clickhouse.command(`TRUNCATE TABLE ${table}`);
  }

  /** A group of its own each time, so that it begins with the oldest record. */
  async start(): Promise<void> {
    const columns = await this.#clickhouse.query(
      `SELECT name, type FROM system.columns
       WHERE database = currentDatabase() AND table = {raw:String} AND NOT startsWith(name, 'kafka_')
       ORDER BY position`,
      { params: { raw: engineTables.raw } },
    );
    const settings = {
      kafka_broker_list: this.#target.kafka.brokers.join(','),
      kafka_topic_list: paymentsTopic,
      kafka_group_name: `bench-engine-${Date.now()}`,
      kafka_format: 'AvroConfluent',
      format_avro_schema_registry_url: this.#target.schemaRegistry.url,
      ...engineSettings,
    };
    await this.#clickhouse.command(
      `CREATE TABLE engine_queue (${columns.map(({ name, type }) => `${String(name)} ${String(type)}`).join(', ')})
       ENGINE = Kafka
       SETTINGS ${Object.entries(settings)
         .map(([name, value]) => `${name} = ${typeof value === 'number' ? value : quoteString(value)}`)
         .join(', ')}`,
    );
    await this.#clickhouse.command(
      `CREATE MATERIALIZED VIEW engine_feed TO ${engineTables.raw} AS
       SELECT *, _topic AS kafka_topic, toInt32(_partition) AS kafka_partition, toInt64(_offset) AS kafka_offset,
              assumeNotNull(_timestamp_ms) AS kafka_timestamp
       FROM engine_queue`,
    );
  }

  async stop(): Promise<void> {
    await this.#clickhouse.command('DROP VIEW engine_feed SYNC');
    await this.#clickhouse.command('DROP TABLE engine_queue SYNC');
  }
}

/** The ledger's view as its migration defines it, between the engine's tables. */
function ledgerFeed(): string {
  const file = path.join(projectRoot, 'clickhouse/migrations/0007_ledger_payments.sql');
  return readFileSync(file, 'utf8')
    .replaceAll(/^--.*$/gm, '')
    .replace(' ledger_payments ', ` ${engineTables.ledger}_feed `)
    .replace(' TO ledger ', ` TO ${engineTables.ledger} `)
    .replace('FROM raw_payments', `FROM ${engineTables.raw}`);
}
