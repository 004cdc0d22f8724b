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
const prefix = name.replace('-', '_');
const timeoutMs = 60_000;

/** A stream of its own for each pair, and for one that may be null where ClickHouse has such a column: a batch fails as a whole. */
const landing = supportedPairs
  .flatMap(({ avro, column, values }) => {
    const plain = { avro, column, values };
    const nullable = {
      avro: ['null', avro] as AvroType,
      column: `Nullable(${column})`,
      values: [[null, null] as const, ...values],
    };
    return /^(Array|Map|Enum)/.test(column) ? [plain] : [plain, nullable];
  })
  .map((pair, index) => ({ ...pair, topic: `${name}.pair-${index}`, table: `${prefix}_pair_${index}` }));
const refused = refusedPairs.map((pair, index) => ({
  ...pair,
  topic: `${name}.refused-${index}`,
  table: `${prefix}_refused_${index}`,
}));
const recordOf = (fields: AvroRecord['fields']) =>
  ({ type: 'record', name: 'Pair', namespace: 'app', fields }) as AvroRecord;
const all = [...landing, ...refused.map((pair) => ({ ...pair, values: [[pair.value, undefined] as const] }))];

let stream: ContractStream;

beforeAll(async () => {
  stream = await openContractStream(target, name);
  await stream.createTopics(all.map(({ topic }) => topic));
  for (const { topic, table, column, avro, values } of all) {
    await stream.clickhouse.command(
      `CREATE TABLE ${table} (id Int32, a ${column}) ENGINE = MergeTree ORDER BY id`,
    );
    const fields = [
      { name: 'id', type: 'int' },
      { name: 'a', type: avro },
    ];
    const write = await stream.writerOf(topic, recordOf(fields));
    await write(values.map(([a], id) => ({ id, a })));
  }
  await stream.connect({
    topics: all.map(({ topic }) => topic).join(),
    topic2TableMap: all.map(({ topic, table }) => `${topic}=${table}`).join(),
    transforms: '',
  });
}, 180_000);
afterAll(async () => {
  await stream.stop();
});

/** What is in each table, once every record has landed or become a dead letter. */
async function outcome() {
  const records = all.reduce((sum, { values }) => sum + values.length, 0);
  const read = () =>
    stream.clickhouse.query(
      all.map(({ table }) => `SELECT '${table}' AS t, count() AS c FROM ${table}`).join(' UNION ALL '),
    );
  return waitFor(
    async () => {
      const landed = (await read()).reduce((sum, { c }) => sum + Number(c), 0);
      const letters = await stream.deadLetters();
      return landed + letters.length >= records && letters;
    },
    { what: `${records} records to land or not`, timeoutMs, pollIntervalMs: 1000 },
  );
}

it(
  'every pair of the type table lands as it was sent, null included, and no other pair does',
  async () => {
    const letters = await outcome();
    const problems: unknown[] = [];
    for (const { topic, table, column, avro, values } of landing) {
      const settings = { output_format_json_quote_decimals: 1 } as const;
      const rows = await stream.clickhouse.query(`SELECT a FROM ${table} ORDER BY id`, { settings });
      const expected = values.map(([, a]) => ({ a }));
      if (JSON.stringify(rows) === JSON.stringify(expected)) continue;
      const { reason } = letters.find((letter) => letter.topic === topic) ?? {};
      problems.push({ avro, column, rows, expected, reason });
    }
    for (const { topic, table, column, avro } of refused) {
      const rows = await stream.clickhouse.query(`SELECT a FROM ${table}`);
      if (rows.length > 0 || !letters.some((letter) => letter.topic === topic))
        problems.push({ avro, column, rows });
    }
    expect(problems).toEqual([]);
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
