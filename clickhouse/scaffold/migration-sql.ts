import { quoteString } from '../client.ts';

/** A column as a migration writes it. */
export interface ColumnDefinition {
  name: string;
  type: string;
  codec: string;
  comment: string;
  /** What rows and records of before the column have, as the schema writes it; undefined where there is none. */
  fallback?: string | number | boolean | null;
}

/** A raw table as a migration writes it. */
export interface TableDefinition {
  /** `raw_<entity>` */
  name: string;
  topic: string;
  /** Path of the schema in `schemas/`. */
  schema: string;
  /** Column of the Kafka key. */
  key: string;
  comment: string;
  /** The record's fields; its Kafka coordinates follow them. */
  columns: readonly ColumnDefinition[];
}

/** The view that feeds the ledger from a raw table. */
export function ledgerViewOf(table: string): string {
  return table.replace(/^raw_/, 'ledger_');
}

/** `coordinates` are the columns that Connect fills. */
export function createTable(table: TableDefinition, coordinates: readonly ColumnDefinition[]): string {
  const columns = [...table.columns, ...coordinates].map((column) => `    ${columnSql(column)}`);
  // Immutable fields only: a redelivered event meets itself in the same partition, under the same key.
  const order = [...new Set(['event_type', 'toDate(occurred_at)', table.key, 'event_id'])];
  return `-- One row per event of ${table.topic}, as schemas/${table.schema} describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS ${table.name}
(
${columns.join(',\n')}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (${order.join(', ')})
-- Remembers the sink's deduplication tokens: an insert repeated after a lost answer is dropped.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT ${quoteString(table.comment)}
`;
}

export function createLedgerView(table: string): string {
  return `-- Enters every row that reaches ${table} into the ledger, before the raw table collapses duplicates.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${ledgerViewOf(table)} TO ledger AS
SELECT
    kafka_topic AS topic,
    kafka_partition AS partition,
    toStartOfHour(now('UTC')) AS hour,
    groupBitmapState(toUInt64(kafka_offset)) AS offsets,
    count() AS rows,
    min(now64(3, 'UTC')) AS first_landed_at,
    max(now64(3, 'UTC')) AS last_landed_at
FROM ${table}
GROUP BY topic, partition, hour
`;
}

/** @param after the column it stands behind */
export function addColumn(table: TableDefinition, column: ColumnDefinition, after: string): string {
  return `-- Rows and records from before schemas/${table.schema} had ${column.name} get its default.
ALTER TABLE ${table.name} ADD COLUMN IF NOT EXISTS ${columnSql(column, defaultSql(column))} AFTER ${after}
`;
}

export function modifyColumn(table: TableDefinition, name: string, type: string): string {
  return `-- schemas/${table.schema} has a wider type now. Apply it before a producer has that schema; where a number got
-- wider, see "Widening a number" in docs/schema-evolution.md first.
ALTER TABLE ${table.name} MODIFY COLUMN IF EXISTS ${name} ${type}
`;
}

export function commentColumn(table: TableDefinition, { name, comment }: ColumnDefinition): string {
  return `-- As schemas/${table.schema} describes it now.
ALTER TABLE ${table.name} COMMENT COLUMN IF EXISTS ${name} ${quoteString(comment)}
`;
}

function columnSql({ name, type, codec, comment }: ColumnDefinition, fallback = ''): string {
  return `${name} ${type}${fallback} COMMENT ${quoteString(comment)} CODEC(${codec})`;
}

/** Empty for a column that null fits: it is null without saying so. */
function defaultSql({ type, fallback }: ColumnDefinition): string {
  if (fallback === null || fallback === undefined) return '';
  if (typeof fallback === 'string') return ` DEFAULT ${quoteString(fallback)}`;
  const value = String(fallback);
  // Avro counts milliseconds and days since 1970.
  if (type.startsWith('DateTime64')) return ` DEFAULT fromUnixTimestamp64Milli(${value}, 'UTC')`;
  return type === 'Date32' ? ` DEFAULT toDate32('1970-01-01') + ${value}` : ` DEFAULT ${value}`;
}
