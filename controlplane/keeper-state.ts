import { z } from 'zod';
import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { PipelineError } from '../core/errors.ts';
import { parseWith } from '../core/parse.ts';
import type { Target } from '../targets/load-target.ts';
import { topicsOf, type ConnectorConfig } from './connector-config.ts';

/**
 * What the sink keeps with exactlyOnce: one row for each topic and partition, in a KeeperMap table of the
 * connector's database (KeeperStateProvider of ClickHouse/clickhouse-kafka-connect). The table is called as
 * `zkDatabase` says, although that is documented as a database; its key is `<topic>-<partition>`. A batch that
 * does not lie behind the row's range is dropped or fails the task, so the rows have to go before offsets move back.
 */
export interface KeeperState {
  /** `database.table` */
  table: string;
  rows: readonly KeeperRow[];
}

export interface KeeperRow {
  key: string;
  /** Of the last block; both ends belong to it. */
  minOffset: number;
  maxOffset: number;
  /** BEFORE_PROCESSING while a block is on its way, AFTER_PROCESSING once it has landed. */
  state: string;
}

const defaultTable = 'connect_state';
const rowsSchema = z.array(
  z.object({
    key: z.string(),
    minOffset: z.coerce.number(),
    maxOffset: z.coerce.number(),
    state: z.string(),
  }),
);

export function isExactlyOnce(config: ConnectorConfig): boolean {
  return config['exactlyOnce'] === 'true';
}

/**
 * Reads the rows of the connector's topics; none where it has never run.
 *
 * @throws PipelineError `OTHER_CLICKHOUSE` where the connector writes to another server than the target's
 */
export async function readKeeperState(
  target: Target,
  config: ConnectorConfig,
  signal?: AbortSignal,
): Promise<KeeperState> {
  requireSameServer(target, config);
  return withStateTable(target, config, (clickhouse, table) => read(clickhouse, table, config, signal));
}

/**
 * Removes these rows and makes sure that they are gone.
 *
 * @throws PipelineError `STATE_NOT_REMOVED`
 */
export async function removeKeeperState(
  target: Target,
  config: ConnectorConfig,
  { rows }: KeeperState,
  signal?: AbortSignal,
): Promise<void> {
  if (rows.length === 0) return;
  await withStateTable(target, config, async (clickhouse, table) => {
    await clickhouse.command('ALTER TABLE {table:Identifier} DELETE WHERE key IN {keys:Array(String)}', {
      params: { table, keys: rows.map(({ key }) => key) },
      settings: { mutations_sync: '2' },
      ...(signal === undefined ? {} : { signal }),
    });
    const left = await read(clickhouse, table, config, signal);
    if (left.rows.length === 0) return;
    throw new PipelineError('STATE_NOT_REMOVED', {
      what: `${String(left.rows.length)} rows of the sink's state are still there`,
      where: `${left.table} at ${clickhouse.url}`,
      todo: 'Make sure that the connector is stopped everywhere, then run the command again.',
    });
  });
}

async function withStateTable<T>(
  target: Target,
  config: ConnectorConfig,
  work: (clickhouse: ClickHouse, table: string) => Promise<T>,
): Promise<T> {
  const clickhouse = createClickHouse(target, { database: config['database'] || 'default' });
  try {
    return await work(clickhouse, config['zkDatabase'] || defaultTable);
  } finally {
    await clickhouse.close();
  }
}

async function read(
  clickhouse: ClickHouse,
  table: string,
  config: ConnectorConfig,
  signal: AbortSignal | undefined,
): Promise<KeeperState> {
  const options = { params: { table }, ...(signal === undefined ? {} : { signal }) };
  const name = `${clickhouse.database}.${table}`;
  const [exists] = await clickhouse.query(
    'SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    options,
  );
  if (exists === undefined) return { table: name, rows: [] };
  const rows = await clickhouse.query(
    'SELECT key, minOffset, maxOffset, state FROM {table:Identifier} ORDER BY key',
    options,
  );
  const known = parseWith(rowsSchema, rows, "This is not the table of the sink's state", name);
  const topics = new Set(topicsOf({ config }));
  return { table: name, rows: known.filter(({ key }) => topics.has(key.replace(/-\d+$/, ''))) };
}

/** Another ClickHouse may have a table of that name, too. */
function requireSameServer({ clickhouse }: Target, config: ConnectorConfig): void {
  const { hostname, host } = new URL(clickhouse.url);
  if (config['hostname'] === hostname) return;
  throw new PipelineError('OTHER_CLICKHOUSE', {
    what: `The connector writes to the ClickHouse at ${config['hostname'] ?? 'nowhere'}, the target names ${host}`,
    where: clickhouse.url,
    todo: 'Name the target that it was applied to (--target), or correct CLICKHOUSE_URL.',
  });
}
