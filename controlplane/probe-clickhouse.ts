import type { ClickHouse } from '../clickhouse/client.ts';
import { PipelineError, isAbort, messageOf } from '../core/errors.ts';

/** Whether ClickHouse could take rows, as far as one can tell without writing any. */
export type ClickHouseState =
  | { state: 'ready'; reason: null }
  /** It answers, but refuses inserts until something has been freed: too many parts, no disk, no memory. */
  | { state: 'overloaded'; reason: string }
  | { state: 'refused'; reason: string }
  | { state: 'unreachable'; reason: string }
  | { state: 'unknown'; reason: string };

export const clickHouseUnknown: ClickHouseState = { state: 'unknown', reason: 'not asked yet' };

/**
 * Partitions at the number of parts from which an insert is refused (error 252), and disks without space
 * (error 243). A table's own setting wins over the server's. `quotient` 0 turns the setting off.
 */
const shortages = `
  SELECT concat(parts.table, ' has ', toString(parts.active), ' parts in one partition; inserts are refused from ',
                toString(threshold)) AS what
  FROM (
      SELECT database, table, max(active) AS active
      FROM (
          SELECT database, table, partition_id, count() AS active FROM system.parts
          WHERE active AND database = {database:String} GROUP BY ALL
      )
      GROUP BY database, table
  ) AS parts
  INNER JOIN (
      SELECT database, name,
             toUInt64OrZero(coalesce(
                 nullIf(extract(engine_full, 'parts_to_throw_insert = (\\\\d+)'), ''),
                 (SELECT value FROM system.merge_tree_settings WHERE name = 'parts_to_throw_insert'))) AS threshold
      FROM system.tables WHERE database = {database:String}
  ) AS tables ON tables.database = parts.database AND tables.name = parts.table
  WHERE threshold > 0 AND active >= threshold
  UNION ALL
  SELECT concat('the disk ', name, ' has ', formatReadableSize(unreserved_space), ' left') AS what
  FROM system.disks
  WHERE total_space > 0 AND unreserved_space < {minFreeBytes:UInt64}`;

/** Below this a merge of modest size no longer fits. */
const minFreeBytes = 64 * 1024 * 1024;

/** Codes that say "not now" about room: queries, memory, disk, parts. */
const capacityCodes = /\(code (?:202|241|243|252)\)$/;

/** Logs in and looks whether inserts would be refused. Never throws, except when interrupted. */
export async function probeClickHouse(
  clickhouse: ClickHouse,
  database: string,
  signal?: AbortSignal,
): Promise<ClickHouseState> {
  try {
    await clickhouse.query('SELECT 1', signal === undefined ? {} : { signal });
  } catch (error) {
    return stateOf(error);
  }
  try {
    const rows = await clickhouse.query(shortages, {
      params: { database, minFreeBytes },
      ...(signal === undefined ? {} : { signal }),
    });
    const [first] = rows;
    return first === undefined
      ? { state: 'ready', reason: null }
      : { state: 'overloaded', reason: String(first['what']) };
  } catch (error) {
    const state = stateOf(error);
    // A user who may insert need not be allowed to look into the system tables.
    return state.state === 'refused' || state.state === 'unknown' ? { state: 'ready', reason: null } : state;
  }
}

function stateOf(error: unknown): ClickHouseState {
  if (isAbort(error) || !(error instanceof PipelineError)) throw error;
  const reason = messageOf(error);
  if (error.code === 'CLICKHOUSE_AUTHENTICATION') return { state: 'refused', reason };
  if (error.code === 'CLICKHOUSE_UNREACHABLE') return { state: 'unreachable', reason };
  return capacityCodes.test(reason) ? { state: 'overloaded', reason } : { state: 'unknown', reason };
}
