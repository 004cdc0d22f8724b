import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import {
  ask,
  send,
  startClickHouseEndpoint,
  withQuery,
  type TestEndpoint,
} from '../../support/clickhouse-endpoint.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'endpoint-durability-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const rounds = 10;
const rowsOfInsert = 2000;

/** One insert: ids from `first` on, as RowBinary of Int64 and String. */
function rowsFrom(first: number): Buffer {
  const row = Buffer.alloc(8 + 1 + 40, 'x');
  row.writeUInt8(40, 8);
  return Buffer.concat(
    Array.from({ length: rowsOfInsert }, (_, index) => {
      row.writeBigInt64LE(BigInt(first + index), 0);
      return Buffer.from(row);
    }),
  );
}

test(`kill -9 during inserts loses no acknowledged row, ${rounds} times`, async () => {
  const dataFolder = path.join(folder, 'data');
  const acknowledged: number[] = [];
  let next = 0;
  for (let round = 0; round < rounds; round += 1) {
    const endpoint = await startClickHouseEndpoint({ dataFolder });
    if (round === 0) {
      await ask(endpoint, 'CREATE TABLE events (id Int64, body String) ENGINE = MergeTree ORDER BY id');
    }
    await expectAcknowledged(endpoint, acknowledged);
    const before = acknowledged.length;
    let killed = false;
    const insertUntilKilled = async () => {
      while (!killed) {
        const first = next;
        next += rowsOfInsert;
        const answer = await send(
          endpoint,
          withQuery('INSERT INTO events FORMAT RowBinary'),
          rowsFrom(first),
        ).catch(() => undefined);
        if (answer?.status === 200) acknowledged.push(first);
      }
    };
    const inserting = Promise.all([insertUntilKilled(), insertUntilKilled(), insertUntilKilled()]);
    // At another moment each time: with inserts on their way in, in the engine, and being answered.
    await waitFor(() => acknowledged.length >= before + 5 + round * 3, {
      what: 'inserts',
      timeoutMs: 20_000,
      pollIntervalMs: 1,
    });
    await endpoint.kill();
    killed = true;
    await inserting;
  }
  const endpoint = await startClickHouseEndpoint({ dataFolder });
  await expectAcknowledged(endpoint, acknowledged);
  expect(acknowledged.length).toBeGreaterThan(100);
  await endpoint.stop();
});

/** Every acknowledged insert is there as a whole, and every other one as a whole or not at all. */
async function expectAcknowledged(endpoint: TestEndpoint, acknowledged: readonly number[]): Promise<void> {
  const path = '/?default_format=TSV';
  const answer = await ask(
    endpoint,
    `SELECT intDiv(id, ${rowsOfInsert}) * ${rowsOfInsert} AS first, count(), uniqExact(id) FROM events GROUP BY first`,
    path,
  );
  const inserts = answer
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t').map(Number));
  expect(inserts.filter(([, rows, ids]) => rows !== rowsOfInsert || ids !== rowsOfInsert)).toEqual([]);
  const there = new Set(inserts.map(([first]) => first));
  expect(acknowledged.filter((first) => !there.has(first))).toEqual([]);
}
