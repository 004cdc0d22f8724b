import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Session, drainPending } from 'chdb';

/** Runs one statement; the rows of a SELECT as objects. */
export type RunStatement = (sql: string) => Record<string, unknown>[];

/**
 * Runs `use` with an empty engine inside this process and removes it afterwards: a second instead of the ten that a
 * server of its own takes. For trusted statements only, one after the other.
 *
 * @throws what the engine says of a statement, and what `use` throws
 */
export async function withThrowAwayEngine<T>(use: (run: RunStatement) => T): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'engine-'));
  const session = new Session(path.join(folder, 'data'));
  try {
    // The database `default` refuses some kinds of views.
    session.query('CREATE DATABASE migrated');
    session.query('USE migrated');
    return use((sql) =>
      session
        .query(sql, 'JSONEachRow')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    );
  } finally {
    session.close();
    await drainPending();
    await rm(folder, { recursive: true, force: true });
  }
}
