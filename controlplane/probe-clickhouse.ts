import type { ClickHouse } from '../clickhouse/client.ts';
import { PipelineError, isAbort, messageOf } from '../core/errors.ts';

/** Whether ClickHouse could take rows, as far as one can tell without writing any. */
export type ClickHouseState =
  | { state: 'ready'; reason: null }
  /** It answers, but refuses inserts until something has been freed: too many parts, no disk, no memory. */
  | { state: 'overloaded'; reason: string }
  /** The database is not there or has no tables: the official sink then says that it is not connected. */
  | { state: 'unprepared'; reason: string }
  | { state: 'refused'; reason: string }
  | { state: 'unreachable'; reason: string }
  | { state: 'unknown'; reason: string };

/**
 * Partitions at the number of parts from which an insert is refused (error 252), and disks without space
 * (error 243). A table's own setting wins over the server's.
 */
const shortages = `
  WITH
      (SELECT value FROM system.merge_tree_settings WHERE name = 'parts_to_throw_insert') AS server_limit,
      limits AS (
          SELECT name, toUInt64OrZero(
              coalesce(nullIf(extract(engine_full, 'parts_to_throw_insert = (\\\\d+)'), ''), server_limit)) AS most
          FROM system.tables WHERE database = {database:String}
      ),
      partitions AS (
          SELECT table, partition_id, count() AS parts FROM system.parts
          WHERE active AND database = {database:String} GROUP BY table, partition_id
      )
  SELECT concat(table, ' has ', toString(parts), ' parts in one partition; inserts are refused from ', toString(most)) AS what
  FROM partitions INNER JOIN limits ON name = table
  WHERE most > 0 AND parts >= most
  UNION ALL
  SELECT concat('the disk ', name, ' has ', formatReadableSize(unreserved_space), ' left') AS what
  FROM system.disks
  WHERE total_space > 0 AND unreserved_space < {minFreeBytes:UInt64}`;

/** Below this a merge of modest size no longer fits. */
const minFreeBytes = 64 * 1024 * 1024;

const tableCount = 'SELECT count() AS tables FROM system.tables WHERE database = {database:String}';

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
  const options = { params: { database, minFreeBytes }, ...(signal === undefined ? {} : { signal }) };
  try {
    const [counted] = await clickhouse.query(tableCount, options);
    if (Number(counted?.['tables']) === 0) {
      return { state: 'unprepared', reason: `ClickHouse has no tables in the database ${database}` };
    }
    const [shortage] = await clickhouse.query(shortages, options);
    return shortage === undefined
      ? { state: 'ready', reason: null }
      : { state: 'overloaded', reason: String(shortage['what']) };
  } catch (error) {
    const state = stateOf(error);
    // A user who may insert need not be allowed to look into the system tables, and servers differ in them.
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
