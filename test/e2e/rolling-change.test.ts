import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { stringify } from 'yaml';
import { describeStatement, toTables } from '../../clickhouse/describe-tables.ts';
import { planMigrations } from '../../clickhouse/scaffold/plan-migrations.ts';
import { toExisting } from '../../clickhouse/scaffold/read-existing.ts';
import { waitFor } from '../../core/wait.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';
import { judgeEvolution } from '../../schemas/evolution/judge.ts';
import { kafkaCoordinates, rawTableOf } from '../../schemas/raw-table.ts';
import { envelope } from '../../schemas/schema-rules.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { openContractStream, type ContractStream } from '../support/contract-stream.ts';

const target = loadTarget('embedded', { ...process.env, ...inject('stackEnv') });
const name = `rolling-${randomUUID().slice(0, 8)}`;
const entity = name.replace('-', '_');
const timeoutMs = 90_000;

let stream: ContractStream;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'rolling-'));
  stream = await openContractStream(target, name);
});
afterAll(async () => {
  await stream.stop();
  rmSync(folder, { recursive: true });
});

const status = (...symbols: string[]) => ({
  type: 'enum',
  name: 'NoteStatus',
  symbols: [...symbols, 'unknown'],
  default: 'unknown',
});
const price = (precision: number) => ({ type: 'bytes', logicalType: 'decimal', precision, scale: 2 });
const before = [
  { name: 'note_id', type: 'string' },
  { name: 'status', type: status('open') },
  { name: 'price', type: price(10) },
  { name: 'views', type: 'int' },
];
/** Every compatible change at once: new fields, a symbol, more digits, a number that got wider. */
const after = [
  { name: 'note_id', type: 'string' },
  { name: 'status', type: status('open', 'done') },
  { name: 'price', type: price(20) },
  { name: 'views', type: 'long' },
  { name: 'remark', type: ['null', 'string'], default: null },
  { name: 'rating', type: 'int', default: 3 },
];

/** The stream as a catalog has it. */
function topicOf(fields: readonly object[]): CatalogTopic {
  mkdirSync(path.join(folder, 'avro'), { recursive: true });
  const described = [...envelope, ...fields].map((field) => ({ doc: 'A field.', ...field }));
  const schema = { type: 'record', name: 'Note', namespace: 'app', doc: 'A note.', fields: described };
  writeFileSync(path.join(folder, 'avro/notes.avsc'), JSON.stringify(schema));
  const entry = { topic: name, schema: 'avro/notes.avsc', key: 'note_id', id: 'note_id', partitions: 1 };
  const rest = { cleanup: 'delete', compatibility: 'BACKWARD', rawTable: `raw_${entity}` };
  writeFileSync(path.join(folder, 'topics.yaml'), stringify({ topics: [{ ...entry, ...rest }] }));
  return loadCatalog(folder).topics[0]!;
}

/** Applies what the scaffold would write; returns the names. */
async function migrate(topic: CatalogTopic): Promise<string[]> {
  const { table, problems } = rawTableOf(topic);
  const tables = toTables(await stream.clickhouse.query(describeStatement), 'the stack');
  const plan = planMigrations([table], toExisting(tables), kafkaCoordinates);
  expect([...problems, ...plan.problems]).toEqual([]);
  for (const { sql } of plan.migrations) await stream.clickhouse.command(sql);
  return plan.migrations.map((migration) => migration.name.replace(entity, 'notes'));
}

let count = 0;
function note(fields: object): object {
  count += 1;
  const now = Date.now();
  const head = { event_id: randomUUID(), event_type: 'note.written', occurred_at: now, produced_at: now };
  return { ...head, entity_version: 1, is_deleted: 0, note_id: `note_${count}`, ...fields };
}
const old = () => note({ status: 'open', price: '12345678.90', views: 7 });
const fresh = () =>
  note({ status: 'done', price: '123456789012345678.90', views: 5_000_000_000, remark: 'new', rating: 5 });

it(
  'old and new producers write at once through a rolling change: nothing is lost, defaults are right',
  async () => {
    const first = topicOf(before);
    expect(await migrate(first)).toEqual(['raw_notes', 'ledger_notes']);
    await stream.createTopics([name]);
    const writeOld = await stream.writerOf(name, first.definition);
    const settings = { topics: name, topic2TableMap: `${name}=${first.rawTable}` };
    await stream.connect(settings);

    // The old producer never stops.
    let rolling = true;
    let oldRecords = 0;
    const write = async () => {
      while (rolling) {
        await writeOld(Array.from({ length: 20 }, old));
        oldRecords += 20;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    };
    const writing = write();
    const rows = () => stream.clickhouse.query(`SELECT count() AS count FROM ${first.rawTable}`);
    const landed = (least: number) =>
      waitFor(async () => Number((await rows())[0]?.['count']) >= least, {
        what: `${least} rows`,
        timeoutMs,
      });
    await landed(20);

    const second = topicOf(after);
    const history = [{ label: 'version 1', definition: first.definition }];
    const judged = judgeEvolution({ level: 'BACKWARD', next: second.definition, history });
    expect(judged.filter(({ level }) => level === 'error')).toEqual([]);

    // The table, and with it the cast that a wider number needs: the one step during which the
    // connector waits. Stopped, not paused: a paused task may go on for a moment with its old configuration.
    await stream.set('stop');
    expect(await migrate(second)).toEqual([
      'raw_notes_add_remark',
      'raw_notes_add_rating',
      'raw_notes_widen_price',
      'raw_notes_widen_views',
    ]);
    await stream.connect(
      {
        ...settings,
        transforms: 'coordinates,widen',
        'transforms.widen.type': 'org.apache.kafka.connect.transforms.Cast$Value',
        'transforms.widen.spec': 'views:int64',
      },
      'STOPPED',
    );
    await stream.set('resume');
    // The registry, and then the producers, one after the other.
    const writeNew = await stream.writerOf(name, second.definition);
    const newRecords = 200;
    for (let sent = 0; sent < newRecords; sent += 20) await writeNew(Array.from({ length: 20 }, fresh));
    await landed(oldRecords + newRecords);
    rolling = false;
    await writing;
    await landed(oldRecords + newRecords);

    const found = await stream.clickhouse.query(
      `SELECT status, toString(price) AS price, views, remark, rating, count() AS count, uniqExact(note_id) AS notes
     FROM ${first.rawTable} FINAL GROUP BY ALL ORDER BY status`,
    );
    const one = (records: number) => ({ count: String(records), notes: String(records) });
    expect(found).toEqual([
      {
        status: 'done',
        price: '123456789012345678.9',
        views: '5000000000',
        remark: 'new',
        rating: 5,
        ...one(newRecords),
      },
      { status: 'open', price: '12345678.9', views: '7', remark: null, rating: 3, ...one(oldRecords) },
    ]);
    expect(await stream.deadLetters()).toEqual([]);
    // Nothing is left to migrate.
    expect(await migrate(second)).toEqual([]);
  },
  timeoutMs * 3,
);
