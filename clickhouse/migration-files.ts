import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { InvalidInputError, messageOf, type Problem } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { readText } from '../core/parse.ts';
import { splitStatements } from './sql-statements.ts';

/** A file of `clickhouse/migrations/`, or its row in the table of applied migrations. */
export interface MigrationIdentity {
  /** File name without `.sql`, such as `0004_ledger`. */
  name: string;
  /** SHA-256 of the file's text, line endings normalised. */
  checksum: string;
  /** SHA-256 over the chain of the migration before, the name and the checksum: stands for the whole history. */
  chain: string;
}

export interface Migration extends MigrationIdentity {
  /** The file's one statement. It names no database, so that the connection decides. */
  statement: string;
}

export const migrationsFolder = path.join(projectRoot, 'clickhouse', 'migrations');

/**
 * Reads the migrations in their order.
 *
 * @throws InvalidInputError listing every file that is misnamed, out of sequence or not exactly one statement
 */
export function loadMigrations(folder = migrationsFolder): Migration[] {
  const what = 'The migrations are not valid';
  const problems: Problem[] = [];
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
  const migrations: Migration[] = [];
  let chain = '';
  for (const [index, file] of files.entries()) {
    problems.push(...numberProblems(files, index));
    const text = readText(path.join(folder, file), what).replaceAll('\r\n', '\n');
    const statement = soleStatement(text, file, problems);
    const name = path.basename(file, '.sql');
    const checksum = sha256(text);
    chain = sha256(`${chain}\n${name}\n${checksum}`);
    migrations.push({ name, checksum, chain, statement });
  }
  if (problems.length > 0) throw new InvalidInputError({ what, where: folder, problems });
  return migrations;
}

function numberProblems(files: readonly string[], index: number): Problem[] {
  const file = files[index] ?? '';
  const found = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(file)?.[1];
  if (found === undefined) return [{ path: file, message: 'expected a name such as 0001_raw_customers.sql' }];
  const before = files[index - 1];
  if (before?.startsWith(`${found}_`)) {
    return [{ path: file, message: `has the same number as ${before}` }];
  }
  const expected = Number(before?.slice(0, 4) ?? 0) + 1;
  if (Number(found) === expected || Number.isNaN(expected)) return [];
  return [
    {
      path: file,
      message: `expected number ${String(expected).padStart(4, '0')}: a file is missing, or this one has the wrong number`,
    },
  ];
}

function soleStatement(text: string, file: string, problems: Problem[]): string {
  try {
    const statements = splitStatements(text);
    if (statements.length === 1) return statements[0] ?? '';
    problems.push({
      path: file,
      message: `holds ${statements.length} statements; a migration is exactly one, so that it either happened or did not`,
    });
  } catch (error) {
    problems.push({ path: file, message: messageOf(error) });
  }
  return '';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
