import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { loadMigrations } from '../../../clickhouse/migration-files.ts';
import { withMigrationLock } from '../../../clickhouse/migration-lock.ts';
import { placeStatement } from '../../../clickhouse/placement.ts';
import { migrate, migrationStatus } from '../../../clickhouse/migrate.ts';
import { ledgerViewOf } from '../../../clickhouse/scaffold/migration-sql.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { startClickHouseEndpoint, type TestEndpoint } from '../../support/clickhouse-endpoint.ts';
import { runCli } from '../../support/run-cli.ts';

let endpoint: TestEndpoint;
const folders: string[] = [];
const clients: ClickHouse[] = [];

beforeAll(async () => {
  endpoint = await startClickHouseEndpoint();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await endpoint.stop();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A target with a database of its own, which does not exist yet. */
function newTarget() {
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  return { clickhouse: { url: endpoint.url, user: 'default', password: '', database } };
}

function connect(target: ReturnType<typeof newTarget>): ClickHouse {
  const client = createClickHouse(target);
  clients.push(client);
  return client;
}

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'migrations-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

const tablesOf = async (clickhouse: ClickHouse) =>
  (
    await clickhouse.query('SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name')
  ).map(({ name }) => name);

const table = (name: string) => `CREATE TABLE IF NOT EXISTS ${name} (x Int8) ENGINE = MergeTree ORDER BY x`;

describe('migrate', () => {
  it('creates the database and everything in it, and changes nothing the second time', async () => {
    const target = newTarget();
    const names = loadMigrations().map(({ name }) => name);
    expect(await migrationStatus(target)).toEqual(
      names.map((name) => ({ name, state: 'pending', appliedAt: null })),
    );

    const reported: string[] = [];
    const first = await migrate(target, { onApplied: (name) => reported.push(name) });
    expect(first).toEqual({ database: target.clickhouse.database, applied: names, total: names.length });
    expect(reported).toEqual(names);

    expect((await migrate(target)).applied).toEqual([]);
    for (const { state, appliedAt } of await migrationStatus(target)) {
      expect(state).toBe('applied');
      expect(appliedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    const rawTables = loadCatalog().topics.map(({ rawTable }) => rawTable);
    expect(await tablesOf(connect(target))).toEqual(
      ['ledger', 'schema_migrations', ...rawTables, ...rawTables.map(ledgerViewOf)].sort(),
    );
  });

  it('is safe to run from several processes at once: each migration is applied by exactly one', async () => {
    const target = newTarget();
    const env = {
      ...process.env,
      CLICKHOUSE_URL: endpoint.url,
      CLICKHOUSE_DATABASE: target.clickhouse.database,
      PIPELINE_TARGET: 'embedded',
    };
    expect((await runCli(env, 'clickhouse:status')).exitCode).toBe(2);
    const runs = await Promise.all([1, 2, 3].map(() => runCli(env, 'clickhouse:migrate', '--json')));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    const applied = runs.flatMap(({ stdout }) => (JSON.parse(stdout) as { applied: string[] }).applied);
    expect(applied).toEqual(loadMigrations().map(({ name }) => name));

    expect((await runCli(env, 'clickhouse:status')).exitCode).toBe(0);
    const clickhouse = connect(target);
    expect(await clickhouse.query('SELECT count() AS n FROM schema_migrations')).toEqual([
      { n: String(applied.length) },
    ]);
    expect(await tablesOf(clickhouse)).not.toContain('schema_migrations_lock');
  });

  it('names the line of a migration that fails, does not record it, and continues there when it is corrected', async () => {
    const target = newTarget();
    const folder = folderOf({
      '0001_a.sql': table('a'),
      '0002_b.sql': '-- why\nCREATE TABLE IF NOT EXISTS b\n(x Int8 NONSENSE) ENGINE = MergeTree ORDER BY x\n',
      '0003_c.sql': table('c'),
    });
    await expect(migrate(target, { folder })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('0002_b.sql failed') as string,
      where: 'clickhouse/migrations/0002_b.sql:3',
    });
    expect((await migrationStatus(target, { folder })).map(({ state }) => state)).toEqual([
      'applied',
      'pending',
      'pending',
    ]);
    writeFileSync(path.join(folder, '0002_b.sql'), table('b'));
    expect((await migrate(target, { folder })).applied).toEqual(['0002_b', '0003_c']);
  });

  it('continues after a process that died between a statement and its record', async () => {
    const target = newTarget();
    const folder = folderOf({ '0001_a.sql': table('a'), '0002_b.sql': table('b') });
    await migrate(target, { folder: folderOf({ '0001_a.sql': table('a') }) });
    await connect(target).command(table('b'));
    expect((await migrate(target, { folder })).applied).toEqual(['0002_b']);
  });

  it('refuses a file that was edited after it was applied, and applies nothing', async () => {
    const target = newTarget();
    const folder = folderOf({ '0001_a.sql': table('a') });
    await migrate(target, { folder });
    writeFileSync(path.join(folder, '0001_a.sql'), `${table('a')} -- harmless?`);
    writeFileSync(path.join(folder, '0002_b.sql'), table('b'));
    const refused = { code: 'MIGRATION_HISTORY', where: 'clickhouse/migrations/0001_a.sql' };
    await expect(migrate(target, { folder })).rejects.toMatchObject(refused);
    await expect(migrationStatus(target, { folder })).rejects.toMatchObject(refused);
    expect(await tablesOf(connect(target))).not.toContain('b');
  });

  it('keeps one history whatever engines the target has', async () => {
    const target = newTarget();
    const shared = { clickhouse: { ...target.clickhouse, engines: 'shared' as const } };
    await migrate(shared);
    // As another target sees the same tables: nothing is pending, and nothing was edited.
    expect((await migrate(target)).applied).toEqual([]);
    expect((await migrationStatus(shared)).every(({ state }) => state === 'applied')).toBe(true);
    const engines = await connect(target).query(
      `SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND name IN ('ledger', 'raw_customers')`,
    );
    const [ledger, raw] = engines
      .sort((a, b) => String(a['name']).localeCompare(String(b['name'])))
      .map(({ engine_full: text }) => String(text));
    expect(ledger).toContain('replicated_deduplication_window = 0');
    expect(raw).toContain(' replicated_deduplication_window = 10000');
  });

  it('writes statements for a cluster that ClickHouse understands', async () => {
    const clickhouse = connect({ clickhouse: { ...newTarget().clickhouse, database: 'default' } });
    for (const { name, statement } of loadMigrations()) {
      const placed = placeStatement(statement, { engines: 'replicated', cluster: 'main' });
      await expect(clickhouse.query(`EXPLAIN AST ${placed}`), name).resolves.not.toHaveLength(0);
    }
  });

  it('refuses a history from which a record was removed', async () => {
    const target = newTarget();
    const files = { '0001_a.sql': table('a'), '0002_b.sql': table('b') };
    const folder = folderOf(files);
    await migrate(target, { folder });
    await connect(target).command(`DELETE FROM schema_migrations WHERE name = '0001_a'`);
    await expect(migrate(target, { folder })).rejects.toMatchObject({ code: 'MIGRATION_HISTORY' });
  });
});

describe('withMigrationLock', () => {
  const lockTable = 'schema_migrations_lock';

  async function newDatabase() {
    const target = newTarget();
    await migrate(target, { folder: folderOf({ '0001_a.sql': table('a') }) });
    return connect(target);
  }

  it('lets one in at a time', async () => {
    const clickhouse = await newDatabase();
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await clickhouse.query('SELECT sleep(0.05)');
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withMigrationLock(clickhouse, work)));
    expect(most).toBe(1);
    expect(await tablesOf(clickhouse)).not.toContain(lockTable);
  });

  it('waits for a living holder, says who it is, and gives up at the deadline', async () => {
    const clickhouse = await newDatabase();
    const holders: string[] = [];
    await withMigrationLock(clickhouse, async () => {
      const second = withMigrationLock(clickhouse, () => Promise.resolve(), {
        timeoutMs: 300,
        onWait: (holder) => holders.push(holder),
      });
      await expect(second).rejects.toMatchObject({ code: 'TIMED_OUT' });
    });
    expect(holders).toEqual([expect.stringContaining(`process ${process.pid}`)]);
  });

  it('takes over from a holder that died, not before its lease has run out', async () => {
    const clickhouse = await newDatabase();
    const diedAt = performance.now();
    await clickhouse.command(
      `CREATE TABLE ${lockTable} (holder_id String, renewed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'))
       ENGINE = MergeTree ORDER BY renewed_at COMMENT 'dead somewhere, process 1'`,
    );
    const taken = withMigrationLock(clickhouse, () => Promise.resolve('done'), { leaseMs: 1500 });
    await expect(taken).resolves.toBe('done');
    expect(performance.now() - diedAt).toBeGreaterThanOrEqual(1500);
  });

  it('keeps the lock of a holder that works for longer than its lease', async () => {
    const clickhouse = await newDatabase();
    await withMigrationLock(
      clickhouse,
      async (lock) => {
        const second = withMigrationLock(clickhouse, () => Promise.resolve(), {
          leaseMs: 1200,
          timeoutMs: 3000,
        });
        await expect(second).rejects.toMatchObject({ code: 'TIMED_OUT' });
        await lock.assertHeld();
      },
      { leaseMs: 1200 },
    );
  });

  it('stops a holder whose lock was taken over, and leaves the new holder alone', async () => {
    const clickhouse = await newDatabase();
    const overtaken = withMigrationLock(clickhouse, async (lock) => {
      const [row] = await clickhouse.query(
        `SELECT splitByChar(' ', comment)[1] AS id FROM system.tables
         WHERE database = currentDatabase() AND name = '${lockTable}'`,
      );
      const broken = `${lockTable}_${String(row?.['id'])}`;
      await clickhouse.command(`RENAME TABLE ${lockTable} TO ${broken}`);
      await clickhouse.command(`CREATE TABLE ${lockTable} AS ${broken} COMMENT 'other somewhere, process 2'`);
      await lock.assertHeld();
    });
    await expect(overtaken).rejects.toMatchObject({ code: 'MIGRATION_LOCK_LOST', retryable: true });
    expect(await tablesOf(clickhouse)).toContain(lockTable);
  });
});
