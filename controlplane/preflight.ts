import { z } from 'zod';
import type { ClickHouse } from '../clickhouse/client.ts';
import type { Problem } from '../core/errors.ts';
import { parseWith } from '../core/parse.ts';
import { tablesByTopic, topicsOf, type DesiredConnector } from './connector-config.ts';
import { coordinateFields } from './declaration-rules.ts';

/** A topic as the preflight needs it: the fields its records have. */
export interface TopicFields {
  topic: string;
  fields: readonly { name: string }[];
}

/** The columns a sink may write; `required` ones have neither a default nor room for null. */
export type TableColumns = ReadonlyMap<string, { required: boolean }>;

/**
 * What keeps the tables from taking the connectors' records: a missing table would show up as a failed task; a
 * required column that the records lack sends every batch to the dead letter topic; and a field without a column
 * is not noticed at all, because the sink drops it.
 *
 * @param tables the tables of the connectors' database
 */
export function findTableProblems(
  connectors: readonly DesiredConnector[],
  topics: readonly TopicFields[],
  tables: ReadonlyMap<string, TableColumns>,
): Problem[] {
  return connectors.flatMap((connector) => {
    const mapping = tablesByTopic(connector);
    const database = connector.config['database'] ?? 'default';
    return topicsOf(connector).flatMap((topic) => {
      const table = mapping.get(topic) ?? topic;
      const columns = tables.get(table);
      const path = `${connector.name}.config.topic2TableMap`;
      if (columns === undefined) return [{ path, message: `the table ${database}.${table} does not exist` }];
      const fields = [
        ...(topics.find((one) => one.topic === topic)?.fields.map(({ name }) => name) ?? []),
        ...Object.values(coordinateFields),
      ];
      const missing = fields.filter((field) => !columns.has(field));
      const unfilled = [...columns]
        .filter(([name, { required }]) => required && !fields.includes(name))
        .map(([name]) => name);
      return [
        ...(missing.length === 0
          ? []
          : [{ path, message: `${table} has no columns for the fields ${missing.join(', ')} of ${topic}` }]),
        ...(unfilled.length === 0
          ? []
          : [{ path, message: `${table} demands ${unfilled.join(', ')}, which records of ${topic} lack` }]),
      ];
    });
  });
}

/** The tables of `database` with their columns. */
export async function readTables(
  clickhouse: ClickHouse,
  database: string,
  signal?: AbortSignal,
): Promise<Map<string, TableColumns>> {
  const rows = await clickhouse.query(
    `SELECT table, name, default_kind = '' AND NOT startsWith(type, 'Nullable') AND NOT startsWith(type, 'LowCardinality(Nullable') AS required
     FROM system.columns
     WHERE database = {database:String} AND default_kind NOT IN ('ALIAS', 'MATERIALIZED', 'EPHEMERAL')`,
    { params: { database }, ...(signal === undefined ? {} : { signal }) },
  );
  const columns = parseWith(
    columnsSchema,
    rows,
    'ClickHouse described its tables in an unknown form',
    clickhouse.url,
  );
  const tables = new Map<string, Map<string, { required: boolean }>>();
  for (const { table, name, required } of columns) {
    const known = tables.get(table) ?? new Map<string, { required: boolean }>();
    tables.set(table, known.set(name, { required: required === 1 }));
  }
  return tables;
}

const columnsSchema = z.array(z.object({ table: z.string(), name: z.string(), required: z.number() }));
