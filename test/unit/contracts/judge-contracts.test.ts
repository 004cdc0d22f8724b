import { describe, expect, it } from 'vitest';
import type { DescribedColumn } from '../../../clickhouse/describe-tables.ts';
import { judgeContracts, type Contracts } from '../../../contracts/judge-contracts.ts';
import { contractRules } from '../../../contracts/rules.ts';
import type { AvroType } from '../../../schemas/read-schema.ts';
import { column, contracts, type Config, type Stream } from './note-contracts.ts';

function found(input: Contracts): string[] {
  const judgements = judgeContracts(input);
  for (const { rule, what, todo } of judgements) {
    expect(contractRules).toHaveProperty(rule);
    expect(what).not.toMatch(/undefined|NaN|\.$/);
    expect(todo).toMatch(/\.$/);
  }
  return judgements.map(({ level, rule, path }) => `${level} ${rule} ${path}`);
}

/** A field and its column. */
function pair(type: AvroType, columnType: string, more: Partial<DescribedColumn> = {}): string[] {
  const fallback = Array.isArray(type) ? { default: null } : {};
  return found(
    contracts({ fields: [{ name: 'a', type, ...fallback }], columns: [column('a', columnType, more)] }),
  );
}

const enumOf = (...symbols: string[]) => ({ type: 'enum', name: 'E', symbols }) as AvroType;
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 4 } as AvroType;
const instant: AvroType = { type: 'long', logicalType: 'timestamp-millis' };

describe('a field on its way into its column', () => {
  it('has nothing to object to where all of it fits', () => {
    expect(found(contracts())).toEqual([]);
  });

  it.each<[string, AvroType, string, string[]]>([
    ['an int into Int64', 'int', 'Int64', ['error type-refused a']],
    ['a long into Int32', 'long', 'Int32', ['error type-refused a']],
    ['a string into a dictionary', 'string', 'LowCardinality(String)', []],
    ['an optional string into a dictionary', ['null', 'string'], 'LowCardinality(Nullable(String))', []],
    ['an int into UInt16', 'int', 'UInt16', ['warning value-range a']],
    ['a plain long into a time', 'long', "DateTime64(3, 'UTC')", ['warning value-range a']],
    ['an optional int into Int32', ['null', 'int'], 'Int32', ['error null-into-required a']],
    ['an optional int into Int64', ['null', 'int'], 'Nullable(Int64)', ['error type-refused a']],
    ['a union of two', ['int', 'string'], 'String', ['error type-refused a']],
    ['an enum into text', enumOf('x'), 'LowCardinality(String)', []],
    ['an enum into an Enum that has its symbols', enumOf('x', 'y, z'), "Enum8('y, z' = 1, 'x' = 2)", []],
    [
      'an enum into an Enum that lacks one',
      enumOf('x', 'y'),
      "Enum8('x' = 1)",
      ['error enum-symbol-missing a'],
    ],
    ['a decimal into its column', decimal, 'Decimal(20, 4)', []],
    ['a decimal into a wider column', decimal, 'Decimal(38, 12)', []],
    ['a decimal into fewer places', decimal, 'Decimal(20, 2)', ['error decimal-scale a']],
    ['a decimal into fewer digits', decimal, 'Decimal(18, 4)', ['error decimal-precision a']],
    [
      'a decimal into more places and fewer digits before them',
      decimal,
      'Decimal(20, 10)',
      ['error decimal-precision a'],
    ],
    ['milliseconds into DateTime', instant, "DateTime('UTC')", ['error type-refused a']],
    [
      'an optional enum into a nullable Enum',
      ['null', enumOf('x')],
      "Nullable(Enum8('x' = 1))",
      ['error type-refused a'],
    ],
    ['milliseconds into DateTime64(0)', instant, 'DateTime64(0)', ['warning time-precision a']],
    ['milliseconds into microseconds', instant, "DateTime64(6, 'UTC')", []],
    ['a date into Date', { type: 'int', logicalType: 'date' }, 'Date', ['warning value-range a']],
    ['a list', { type: 'array', items: 'string' }, 'Array(String)', []],
    ['a list of ints into Int64', { type: 'array', items: 'int' }, 'Array(Int64)', ['error type-refused a']],
    [
      'a list with nulls',
      { type: 'array', items: ['null', 'int'] },
      'Array(Int32)',
      ['error null-into-required a'],
    ],
    [
      'a list with nulls into Nullable',
      { type: 'array', items: ['null', 'int'] },
      'Array(Nullable(Int32))',
      [],
    ],
    ['a map', { type: 'map', values: 'double' }, 'Map(LowCardinality(String), Float64)', []],
    [
      'a record',
      { type: 'record', name: 'R', fields: [{ name: 'x', type: 'int' }] },
      'Tuple(x Int32)',
      ['error type-refused a'],
    ],
  ])('%s', (_, type, columnType, expected) => {
    expect(pair(type, columnType)).toEqual(expected);
  });

  it('is told that a default replaces its null', () => {
    expect(pair(['null', 'int'], 'Int32', { defaultKind: 'DEFAULT' })).toEqual([
      'warning null-becomes-default a',
    ]);
  });

  it('is dropped without a column, and by a column that computes itself', () => {
    const fields = [{ name: 'a', type: 'int' }];
    expect(found(contracts({ fields }))).toEqual(['error field-dropped a']);
    const columns = [column('a', 'Int32', { defaultKind: 'MATERIALIZED' })];
    expect(found(contracts({ fields, columns }))).toEqual(['error field-dropped a']);
  });
});

describe('a column that no field fills', () => {
  it.each([
    [
      'is an error where the sink would refuse every record',
      column('b', 'Int32'),
      ['error column-unfilled b'],
    ],
    [
      'is a note with a default',
      column('b', 'Int32', { defaultKind: 'DEFAULT' }),
      ['note column-unfilled b'],
    ],
    [
      'is a note where null fits',
      column('b', 'LowCardinality(Nullable(String))'),
      ['note column-unfilled b'],
    ],
    ['is nothing where it computes itself', column('b', 'Int32', { defaultKind: 'ALIAS' }), []],
  ])('%s', (_, b, expected) => {
    expect(found(contracts({ columns: [b] }))).toEqual(expected);
  });
});

describe('keys', () => {
  it('are made of what an event keeps', () => {
    const fields = [{ name: 'status', type: 'string' }];
    const columns = [column('status', 'String', { isInSortingKey: true })];
    expect(found(contracts({ fields, columns }))).toEqual(['error key-mutable status']);
    const partition = [column('status', 'String', { isInPartitionKey: true })];
    expect(judgeContracts(contracts({ fields, columns: partition }))[0]?.what).toContain('partition key');
    const input = contracts();
    input.tables['raw_notes'] = [column('note_id', 'String', { isInSortingKey: true })];
    expect(found(input)).toEqual([]);
  });
});

describe('mappings', () => {
  it.each<[string, Config, string[]]>([
    ['a topic that nobody reads', { topics: 'app.other' }, ['error topic-unmapped ']],
    ['a topic that is read and mapped nowhere', { topic2TableMap: '' }, ['error topic-unmapped ']],
    [
      "another table than the catalog's",
      { topic2TableMap: 'app.notes=raw_other' },
      ['error mapping-wrong app.notes'],
    ],
  ])('%s', (_, config, expected) => {
    expect(found(contracts({ config }))).toEqual(expected);
  });

  it('a table that no migration makes', () => {
    expect(found({ ...contracts(), tables: {} })).toEqual(['error table-missing ']);
  });
});

describe('transforms', () => {
  const connect = 'org.apache.kafka.connect.transforms.';
  const transform = (type: string, settings: Config = {}): Config => ({
    transforms: 't',
    'transforms.t.type': type.includes('.') ? type : connect + type,
    ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`transforms.t.${key}`, value])),
  });

  it.each<[string, Config, Partial<Stream>, string[]]>([
    [
      'InsertField adds the coordinates, none of which is null',
      transform('InsertField$Value', {
        'topic.field': 'kafka_topic!',
        'timestamp.field': 'kafka_timestamp',
        'offset.field': 'kafka_offset',
      }),
      {
        columns: [
          column('kafka_topic', 'String'),
          column('kafka_offset', 'Int64'),
          column('kafka_timestamp', 'DateTime64(3)'),
        ],
      },
      [],
    ],
    [
      'ReplaceField renames and removes',
      transform('ReplaceField$Value', { renames: 'a:b', exclude: 'c' }),
      {
        fields: [
          { name: 'a', type: 'int' },
          { name: 'c', type: 'int' },
        ],
        columns: [column('b', 'Int32')],
      },
      [],
    ],
    [
      'ReplaceField keeps what it includes',
      transform('ReplaceField$Value', { include: 'note_id' }),
      { fields: [{ name: 'a', type: 'int' }] },
      [],
    ],
    [
      'Cast makes an int fit an Int64',
      transform('Cast$Value', { spec: 'a:int64' }),
      { fields: [{ name: 'a', type: 'int' }], columns: [column('a', 'Int64')] },
      [],
    ],
    ['a transform of the key changes nothing', transform('ExtractField$Key', { field: 'x' }), {}, []],
    [
      'RegexRouter changes the topic',
      transform('RegexRouter', { regex: 'app.(.*)', replacement: 'x.$1' }),
      {},
      ['error topic-unmapped '],
    ],
    [
      'RegexRouter leaves others',
      transform('RegexRouter', { regex: 'web.(.*)', replacement: 'x.$1' }),
      {},
      [],
    ],
    [
      'an unknown one ends the check',
      transform('com.example.Magic'),
      {},
      ['warning transform-unknown transforms.t.type'],
    ],
    [
      'a Cast that is not understood ends it too',
      transform('Cast$Value', { spec: 'int64' }),
      {},
      ['warning transform-unknown transforms.t.type'],
    ],
    [
      'a predicate decides by the topic',
      {
        ...transform('com.example.Magic', { predicate: 'p' }),
        'predicates.p.type': `${connect}predicates.TopicNameMatches`,
        'predicates.p.pattern': 'web\\..*',
      },
      {},
      [],
    ],
    [
      'a negated predicate the other way round',
      {
        ...transform('com.example.Magic', { predicate: 'p', negate: 'true' }),
        'predicates.p.type': `${connect}predicates.TopicNameMatches`,
        'predicates.p.pattern': 'web\\..*',
      },
      {},
      ['warning transform-unknown transforms.t.type'],
    ],
    [
      'a predicate that depends on the record is unknown',
      {
        ...transform('Cast$Value', { spec: 'a:int64', predicate: 'p' }),
        'predicates.p.type': 'com.example.Maybe',
      },
      {},
      ['warning transform-unknown transforms.t.type'],
    ],
    [
      'one for tombstones does not concern records',
      {
        ...transform('com.example.Magic', { predicate: 'p' }),
        'predicates.p.type': `${connect}predicates.RecordIsTombstone`,
      },
      {},
      [],
    ],
  ])('%s', (_, config, stream, expected) => {
    expect(found(contracts({ ...stream, config }))).toEqual(expected);
  });
});
