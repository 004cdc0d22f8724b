import type { Problem } from '../core/errors.ts';
import { tablesByTopic, topicsOf, type DesiredConnector } from './connector-config.ts';
import { coordinateFields } from './declaration-rules.ts';

/** A topic as the preflight needs it: the fields its records have. */
export interface TopicFields {
  topic: string;
  fields: readonly string[];
}

/**
 * What keeps the tables from taking the connectors' records. Connect's own validation never contacts
 * ClickHouse: without this, a missing table shows up as a failed task, and a missing column not at all, because
 * the sink drops fields without one silently.
 *
 * @param tables the columns of each table of the connectors' database
 */
export function findTableProblems(
  connectors: readonly DesiredConnector[],
  topics: readonly TopicFields[],
  tables: ReadonlyMap<string, ReadonlySet<string>>,
): Problem[] {
  return connectors.flatMap((connector) => {
    const mapping = tablesByTopic(connector);
    return topicsOf(connector).flatMap((topic) => {
      const table = mapping.get(topic) ?? topic;
      const columns = tables.get(table);
      const path = `${connector.name}.config.topic2TableMap`;
      if (columns === undefined) {
        return [{ path, message: `${connector.config['database'] ?? 'default'}.${table} does not exist` }];
      }
      const fields = topics.find((one) => one.topic === topic)?.fields ?? [];
      const missing = [...fields, ...Object.values(coordinateFields)].filter((field) => !columns.has(field));
      return missing.length === 0
        ? []
        : [
            {
              path,
              message: `${table} lacks the columns ${missing.join(', ')}, which records of ${topic} have`,
            },
          ];
    });
  });
}
