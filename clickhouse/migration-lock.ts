import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { PipelineError } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import { ClickHouseQueryError, quoteIdentifier, quoteString, type ClickHouse } from './client.ts';
import { placeStatement, type Placement } from './placement.ts';

export interface LockOptions {
  /** How long to wait for another holder. Default 120000. */
  timeoutMs?: number;
  /** A holder that does not renew for so long is taken for dead. Default 20000. */
  leaseMs?: number;
  signal?: AbortSignal;
  /** Where the lock's table lives; default: on one server. */
  placement?: Placement;
  /** Called once, with who holds the lock, when it is not to be had at once. */
  onWait?: (holder: string) => void;
}

export interface MigrationLock {
  /** @throws PipelineError `MIGRATION_LOCK_LOST` when the lease ran out, so that another run may have started */
  assertHeld(): Promise<void>;
}

interface Holder {
  id: string;
  /** Who it is, for people. */
  description: string;
  ageMs: number;
}

const lockTable = 'schema_migrations_lock';
/** A lock that was taken from its holder stays as a table of this name. */
const brokenTable = (id: string) => `${lockTable}_${id}`;

const unknownTable = '60';
const tableAlreadyExists = '57';

/**
 * Runs `work` while holding the one lock of the database. Plain ClickHouse has no locks and no transactions;
 * what it has is that creating or renaming a table to a name that is taken fails, whoever tries at once.
 *
 * - Taking: create the lock's table. Its comment says who holds it; it comes into being with the table.
 * - Renewing: insert a row with the holder's id. Only rows with the id of the comment count, and only the
 *   server's clock.
 * - Breaking a dead holder's lock: rename the table to a name that contains the dead holder's id. Of all who
 *   saw that holder die, one succeeds; a late one finds the name taken and can't rename the next holder's lock.
 * - Releasing: the same rename, then drop. A holder that overstayed its lease leaves the renamed table, for the
 *   late ones; it is removed an hour later.
 *
 * On a cluster all of it runs ON CLUSTER: the servers carry such statements out in one order, that of Keeper's queue.
 */
export async function withMigrationLock<T>(
  clickhouse: ClickHouse,
  work: (lock: MigrationLock) => Promise<T>,
  { timeoutMs = 120_000, leaseMs = 20_000, signal, onWait, placement = {} }: LockOptions = {},
): Promise<T> {
  const place = { clickhouse, placement };
  const id = randomUUID().replaceAll('-', '');
  let told = false;
  await waitFor(
    async () => {
      if (await create(place, id)) return true;
      const holder = await currentHolder(clickhouse);
      if (holder !== undefined && holder.ageMs > leaseMs) await setAside(place, holder.id);
      else if (holder !== undefined && !told) {
        told = true;
        onWait?.(holder.description);
      }
      return false;
    },
    {
      what: 'the lock of the migrations, which another run holds',
      timeoutMs,
      pollIntervalMs: 250,
      ...(signal === undefined ? {} : { signal }),
      todo: 'Let the other run finish, then run the command again.',
    },
  );

  let overstayed = false;
  let renewedAt = performance.now();
  const renew = async () => {
    const startedAt = performance.now();
    await clickhouse.insert(lockTable, [{ holder_id: id }]);
    if (performance.now() - renewedAt > leaseMs) overstayed = true;
    renewedAt = startedAt;
  };
  // A renewal that fails is not reported here: the lease runs out, and assertHeld says so.
  const heartbeat = setInterval(() => void renew().catch(() => undefined), leaseMs / 4);
  try {
    return await work({
      assertHeld: async () => {
        await renew().catch((error: unknown) => {
          if (!isQueryError(error, unknownTable)) throw error;
        });
        if (!overstayed && (await currentHolder(clickhouse))?.id === id) return;
        throw new PipelineError('MIGRATION_LOCK_LOST', {
          what: `This run stood still for more than ${leaseMs / 1000} s, so another one may have taken over`,
          where: clickhouse.url,
          todo: 'Run the command again: it continues after what is applied.',
          retryable: true,
        });
      },
    });
  } finally {
    clearInterval(heartbeat);
    overstayed ||= performance.now() - renewedAt > leaseMs;
    await release(place, id, overstayed);
  }
}

/** The database, and where its tables live. */
interface Place {
  clickhouse: ClickHouse;
  placement: Placement;
}

/** True when the lock is now ours. */
async function create({ clickhouse, placement }: Place, id: string): Promise<boolean> {
  const statement = `CREATE TABLE ${lockTable} (holder_id String, renewed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
       ENGINE = MergeTree ORDER BY renewed_at
       COMMENT ${quoteString(`${id} ${hostname()}, process ${process.pid}`)}`;
  try {
    await clickhouse.command(placeStatement(statement, placement));
    return true;
  } catch (error) {
    if (isQueryError(error, tableAlreadyExists)) return false;
    throw error;
  }
}

async function currentHolder(clickhouse: ClickHouse): Promise<Holder | undefined> {
  // The table's time has whole seconds, cut off. Its end is taken: a holder that has not yet renewed would
  // otherwise look up to a second older than it is, and a short lease would run out before its first renewal.
  const [table] = await clickhouse.query(
    `SELECT comment, (toUnixTimestamp(metadata_modification_time) + 1) * 1000 AS created_ms
     FROM system.tables WHERE database = currentDatabase() AND name = {lock:String}`,
    { params: { lock: lockTable } },
  );
  if (table === undefined) return undefined;
  const [id = '', ...description] = String(table['comment']).split(' ');
  try {
    const [row] = await clickhouse.query(
      `SELECT toUnixTimestamp64Milli(now64(3)) - greatest({created:Int64}, toUnixTimestamp64Milli(max(renewed_at))) AS age_ms
       FROM ${lockTable} WHERE holder_id = {id:String}`,
      { params: { id, created: table['created_ms'] } },
    );
    return { id, description: description.join(' '), ageMs: Number(row?.['age_ms']) };
  } catch (error) {
    if (isQueryError(error, unknownTable)) return undefined;
    throw error;
  }
}

/** Takes the lock away from the holder with this id, unless somebody did so before. Returns who did it: us? */
async function setAside({ clickhouse, placement }: Place, id: string): Promise<boolean> {
  const statement = `RENAME TABLE ${lockTable} TO ${quoteIdentifier(brokenTable(id))}`;
  try {
    await clickhouse.command(placeStatement(statement, placement));
    return true;
  } catch (error) {
    if (isQueryError(error, tableAlreadyExists) || isQueryError(error, unknownTable)) return false;
    throw error;
  }
}

async function release(place: Place, id: string, overstayed: boolean): Promise<void> {
  const { clickhouse, placement } = place;
  const drop = async (table: string) =>
    clickhouse.command(placeStatement(`DROP TABLE IF EXISTS ${quoteIdentifier(table)}`, placement));
  try {
    if ((await setAside(place, id)) && !overstayed) {
      await drop(brokenTable(id));
    }
    const left = await clickhouse.query(
      `SELECT name FROM system.tables
       WHERE database = currentDatabase() AND startsWith(name, {prefix:String})
         AND metadata_modification_time < now() - INTERVAL 1 HOUR`,
      { params: { prefix: `${lockTable}_` } },
    );
    for (const { name } of left) {
      await drop(String(name));
    }
  } catch {
    // The lease runs out by itself; failing here would hide what the work returned or threw.
  }
}

function isQueryError(error: unknown, clickhouseCode: string): boolean {
  return error instanceof ClickHouseQueryError && error.clickhouseCode === clickhouseCode;
}
