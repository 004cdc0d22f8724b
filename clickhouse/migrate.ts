import { PipelineError, messageOf } from '../core/errors.ts';
import type { Target } from '../targets/load-target.ts';
import { ClickHouseQueryError, createClickHouse, quoteIdentifier, type ClickHouse } from './client.ts';
import { loadMigrations, type Migration, type MigrationIdentity } from './migration-files.ts';
import { withMigrationLock, type LockOptions } from './migration-lock.ts';
import { pendingMigrations } from './migration-plan.ts';
import { placeStatement, type Placement } from './placement.ts';

export interface MigrateOptions extends Omit<LockOptions, 'placement'> {
  /** Default `clickhouse/migrations/`. */
  folder?: string;
  /** Called after each migration that was applied. */
  onApplied?: (name: string) => void;
}

export interface MigrateResult {
  database: string;
  /** What this run applied, in order. */
  applied: string[];
  /** How many are applied now, those of earlier runs included. */
  total: number;
}

export interface MigrationStatus {
  name: string;
  state: 'applied' | 'pending';
  /** ISO 8601, UTC; null while pending. */
  appliedAt: string | null;
}

interface AppliedMigration extends MigrationIdentity {
  appliedAt: string;
}

/**
 * Creates the database and applies what is not applied yet, in order. Runs at once are safe: one applies, the
 * others wait and find nothing to do. After a failure or a crash, the next run continues.
 *
 * @throws InvalidInputError when files are misnamed, out of sequence or not one statement
 * @throws PipelineError `MIGRATION_HISTORY`, `MIGRATION_FAILED`, `MIGRATION_LOCK_LOST`, `TIMED_OUT` (the lock)
 */
export async function migrate(
  target: Pick<Target, 'clickhouse'>,
  { folder, onApplied, ...lockOptions }: MigrateOptions = {},
): Promise<MigrateResult> {
  const migrations = loadMigrations(folder);
  await createDatabase(target, lockOptions.signal);
  const clickhouse = createClickHouse(target);
  const placement = target.clickhouse;
  try {
    const result = { database: clickhouse.database, applied: [] as string[], total: migrations.length };
    if (pendingMigrations(migrations, await readApplied(clickhouse, placement)).length === 0) return result;
    await withMigrationLock(
      clickhouse,
      async (lock) => {
        await clickhouse.command(placeStatement(history, placement));
        for (const migration of pendingMigrations(migrations, await readApplied(clickhouse, placement))) {
          await lock.assertHeld();
          await apply(clickhouse, migration, placement, lockOptions.signal);
          result.applied.push(migration.name);
          onApplied?.(migration.name);
        }
      },
      { ...lockOptions, placement },
    );
    return result;
  } finally {
    await clickhouse.close();
  }
}

/** Which migrations are applied. Changes nothing; throws `MIGRATION_HISTORY` like {@link migrate}. */
export async function migrationStatus(
  target: Pick<Target, 'clickhouse'>,
  { folder, signal }: Pick<MigrateOptions, 'folder' | 'signal'> = {},
): Promise<MigrationStatus[]> {
  const migrations = loadMigrations(folder);
  const clickhouse = createClickHouse(target);
  try {
    const applied = await readApplied(clickhouse, target.clickhouse, signal);
    pendingMigrations(migrations, applied);
    return migrations.map(({ name }, index) => {
      const appliedAt = applied[index]?.appliedAt;
      return { name, state: appliedAt === undefined ? 'pending' : 'applied', appliedAt: appliedAt ?? null };
    });
  } finally {
    await clickhouse.close();
  }
}

async function createDatabase(target: Pick<Target, 'clickhouse'>, signal?: AbortSignal): Promise<void> {
  const server = createClickHouse(target, { database: 'default' });
  try {
    const name = target.clickhouse.database;
    const options = signal === undefined ? {} : { signal };
    const found = await server.query('SELECT 1 FROM system.databases WHERE name = {name:String}', {
      params: { name },
      ...options,
    });
    // Asked first, because a user may be allowed to use the database but not to create one.
    if (found.length === 0) {
      const statement = `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(name)}`;
      await server.command(placeStatement(statement, target.clickhouse), options);
    }
  } finally {
    await server.close();
  }
}

const history = `
    CREATE TABLE IF NOT EXISTS schema_migrations
    (
        name String COMMENT 'File of clickhouse/migrations/, without .sql.',
        checksum FixedString(64) COMMENT 'SHA-256 of the file.',
        chain FixedString(64) COMMENT 'SHA-256 over the chain before, the name and the checksum.',
        applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was applied, UTC.'
    )
    ENGINE = ReplacingMergeTree(applied_at)
    ORDER BY name
    COMMENT 'Applied migrations: written by npm run clickhouse:migrate, never by hand.'`;

/** In order. No database and no table mean that nothing was applied. */
async function readApplied(
  clickhouse: ClickHouse,
  { engines = 'local' }: Placement,
  signal?: AbortSignal,
): Promise<AppliedMigration[]> {
  const unknownTable = '60';
  const unknownDatabase = '81';
  try {
    // Behind one address there may be another replica each time, and this one may not have heard yet.
    if (engines === 'replicated') {
      await clickhouse.command(
        'SYSTEM SYNC REPLICA schema_migrations',
        signal === undefined ? {} : { signal },
      );
    }
    const rows = await clickhouse.query(
      `SELECT name, checksum, chain, formatDateTime(applied_at, '%Y-%m-%dT%H:%i:%SZ') AS applied
       FROM schema_migrations FINAL ORDER BY name`,
      {
        // The same for ClickHouse Cloud, which has a setting for it.
        ...(engines === 'shared' ? { settings: { select_sequential_consistency: '1' } } : {}),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    return rows.map((row) => ({
      name: String(row['name']),
      checksum: String(row['checksum']),
      chain: String(row['chain']),
      appliedAt: String(row['applied']),
    }));
  } catch (error) {
    if (!(error instanceof ClickHouseQueryError)) throw error;
    if ([unknownTable, unknownDatabase].includes(error.clickhouseCode)) return [];
    throw error;
  }
}

/**
 * A statement that took effect and was not recorded, because the process died in between, is applied again by
 * the next run: that is why every migration says IF NOT EXISTS.
 */
async function apply(
  clickhouse: ClickHouse,
  migration: Migration,
  placement: Placement,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await clickhouse.command(
      placeStatement(migration.statement, placement),
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    if (!(error instanceof ClickHouseQueryError)) throw error;
    throw new PipelineError('MIGRATION_FAILED', {
      what: `The migration ${migration.name}.sql failed: ${messageOf(error.cause).trim()} (code ${error.clickhouseCode})`,
      where: `clickhouse/migrations/${migration.name}.sql${lineOf(migration.statement, error)}`,
      todo: 'Those before it are applied, it is not recorded: correct it and run the command again.',
      retryable: error.retryable,
      cause: error,
    });
  }
  const { name, checksum, chain } = migration;
  await clickhouse.insert('schema_migrations', [{ name, checksum, chain }]);
}

/** ClickHouse says at which character a syntax error is; people look for lines. */
function lineOf(statement: string, error: PipelineError): string {
  const position = /failed at position (\d+)/.exec(error.message)?.[1];
  return position === undefined ? '' : `:${statement.slice(0, Number(position)).split('\n').length}`;
}
