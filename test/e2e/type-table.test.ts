import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { parseColumnType } from '../../contracts/column-type.ts';
import { judgePair } from '../../contracts/judge-pair.ts';
import { fieldsOf } from '../../contracts/record-fields.ts';
import { connectTypes, typeTable } from '../../contracts/type-table.ts';
import { waitFor } from '../../core/wait.ts';
import type { AvroRecord, AvroType } from '../../schemas/read-schema.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { refusedPairs, supportedPairs } from '../fixtures/type-pairs.ts';
import { openContractStream, type ContractStream } from '../support/contract-stream.ts';

const target = loadTarget('embedded', { ...process.env, ...inject('stackEnv') });
const name = `pairs-${randomUUID().slice(0, 8)}`;
const landing = name.replace('-', '_');
const timeoutMs = 60_000;

/** One column for each pair, and one that may be null where ClickHouse has such a column. */
const columns = supportedPairs.flatMap(({ avro, column, values }, index) => {
  const plain = { name: `p${index}`, avro, column, sent: values };
  const hasNull = !/^(Array|Map)/.test(column);
  const nullable = {
    name: `n${index}`,
    avro: ['null', renamed(avro, index)] as AvroType,
    column: `Nullable(${column})`,
    sent: [[null, null] as const, ...values],
  };
  return hasNull ? [plain, nullable] : [plain];
});
const rows = Math.max(...columns.map(({ sent }) => sent.length));
const recordOf = (fields: AvroRecord['fields']) =>
  ({ type: 'record', name: 'Pairs', namespace: 'app', fields }) as AvroRecord;
const landingSchema = recordOf([
  { name: 'id', type: 'int' },
  ...columns.map((column) => ({ name: column.name, type: column.avro })),
]);
const refused = refusedPairs.map((pair, index) => ({
  ...pair,
  topic: `${name}.refused-${index}`,
  table: `${landing}_refused_${index}`,
}));

let stream: ContractStream;

beforeAll(async () => {
  stream = await openContractStream(target, name);
  const create = (table: string, definition: string) =>
    stream.clickhouse.command(`CREATE TABLE ${table} (${definition}) ENGINE = MergeTree ORDER BY tuple()`);
  await create(landing, ['id Int32', ...columns.map((one) => `${one.name} ${one.column}`)].join(', '));
  for (const { table, column } of refused) await create(table, `a ${column}`);
  const topics = [name, ...refused.map(({ topic }) => topic)];
  await stream.createTopics(topics);
  const write = await stream.writerOf(name, landingSchema);
  const records = Array.from({ length: rows }, (_, id) => ({
    id,
    ...Object.fromEntries(columns.map((column) => [column.name, at(column.sent, id)[0]])),
  }));
  await write(records);
  for (const { topic, avro, value } of refused) {
    await (
      await stream.writerOf(topic, recordOf([{ name: 'a', type: avro }]))
    )([{ a: value }]);
  }
  await stream.connect({
    topics: topics.join(),
    topic2TableMap: [`${name}=${landing}`, ...refused.map(({ topic, table }) => `${topic}=${table}`)].join(),
    transforms: '',
  });
}, 180_000);
afterAll(async () => {
  await stream.stop();
});

it(
  'every pair of the type table lands as it was sent, null included',
  async () => {
    const { clickhouse } = stream;
    const landed = await waitFor(
      async () => {
        const found = await clickhouse.query(`SELECT * FROM ${landing} ORDER BY id`, {
          settings: { output_format_json_quote_decimals: 1 },
        });
        return found.length >= rows && found;
      },
      { what: `${rows} rows in ${landing}`, timeoutMs },
    );
    const expected = Array.from({ length: rows }, (_, id) => ({
      id,
      ...Object.fromEntries(columns.map((column) => [column.name, at(column.sent, id)[1]])),
    }));
    expect(landed).toEqual(expected);
  },
  timeoutMs * 2,
);

it(
  'a pair that is not in the table goes to the dead letters, and nothing of it lands',
  async () => {
    const letters = await waitFor(
      async () => {
        const found = await stream.deadLetters();
        return found.length >= refused.length && found;
      },
      { what: 'a dead letter for each refused pair', timeoutMs },
    );
    expect([...new Set(letters)].sort()).toEqual(refused.map(({ topic }) => topic).sort());
    for (const { table } of refused) {
      expect(await stream.clickhouse.query(`SELECT count() AS count FROM ${table}`)).toEqual([
        { count: '0' },
      ]);
    }
  },
  timeoutMs * 2,
);

it('the samples are the whole table, and the check says of each what the sink does', () => {
  const sampled = new Set(
    supportedPairs.map(({ from, column }) => `${from} ${parseColumnType(column).name}`),
  );
  const listed = connectTypes.flatMap((from) =>
    Object.keys(typeTable[from]).map((column) => `${from} ${column}`),
  );
  expect([...sampled].sort()).toEqual(listed.sort());
  const judge = (avro: AvroType, type: string) => {
    const [field] = fieldsOf(recordOf([{ name: 'a', type: avro }]));
    const column = {
      name: 'a',
      type,
      comment: '',
      defaultKind: '',
      isInPartitionKey: false,
      isInSortingKey: false,
    };
    return judgePair(field!, column);
  };
  for (const { avro, column } of supportedPairs) {
    expect(judge(avro, column).filter(({ level }) => level === 'error')).toEqual([]);
  }
  for (const { avro, column } of refusedPairs) {
    expect(judge(avro, column)).toMatchObject([{ rule: 'type-refused', level: 'error' }]);
  }
});

/** A pair with fewer samples repeats its last. */
function at<T>(values: readonly T[], index: number): T {
  return values[Math.min(index, values.length - 1)]!;
}

/** A type is defined once in a schema. */
function renamed(avro: AvroType, index: number): AvroType {
  return typeof avro === 'object' && 'name' in avro ? { ...avro, name: `N${index}` } : avro;
}
