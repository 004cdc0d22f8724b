import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { tablesSchema, type DescribedTables } from '../clickhouse/describe-tables.ts';
import type { Migration } from '../clickhouse/migration-files.ts';
import { check } from '../core/parse.ts';
import { replaceFile } from '../core/replace-file.ts';

/** Of the cached file: another form is another number. */
const form = 1;

export interface CachedTables {
  /** The pipeline's cache folder. */
  cache: string;
  migrations: readonly Migration[];
  /** Works the tables out, where they are not cached. */
  describe: () => Promise<DescribedTables>;
}

/** The tables that the migrations make; worked out once for each state of the migrations. */
export async function readMigratedTables({
  cache,
  migrations,
  describe,
}: CachedTables): Promise<DescribedTables> {
  const chain = migrations.at(-1)?.chain ?? 'none';
  const key = createHash('sha256').update(`${form}\n${chain}`).digest('hex').slice(0, 32);
  const folder = path.join(cache, 'contracts');
  const file = path.join(folder, `tables-${key}.json`);
  const cached = readCached(file);
  if (cached !== undefined) return cached;
  const tables = await describe();
  try {
    mkdirSync(folder, { recursive: true });
    replaceFile(file, JSON.stringify(tables));
  } catch {
    // A cache that can not be written only costs time.
  }
  return tables;
}

function readCached(file: string): DescribedTables | undefined {
  try {
    return check(tablesSchema, JSON.parse(readFileSync(file, 'utf8'))).value;
  } catch {
    return undefined;
  }
}
