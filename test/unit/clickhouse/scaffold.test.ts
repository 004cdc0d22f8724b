import { describe, expect, it } from 'vitest';
import type { ColumnDefinition, TableDefinition } from '../../../clickhouse/scaffold/migration-sql.ts';
import {
  planMigrations,
  type ExistingColumn,
  type ExistingTable,
} from '../../../clickhouse/scaffold/plan-migrations.ts';

const coordinates: ColumnDefinition[] = [column('kafka_offset', 'Int64')];
const columns = [
  column('event_id', 'UUID'),
  column('user_id', 'String'),
  column('remark', 'LowCardinality(String)'),
];

function column(name: string, type: string, more: Partial<ColumnDefinition> = {}): ColumnDefinition {
  return { name, type, codec: 'ZSTD(1)', comment: `The ${name}.`, ...more };
}

function table(more: readonly ColumnDefinition[] = [], key = 'user_id'): TableDefinition {
  return {
    name: 'raw_notes',
    topic: 'app.notes',
    schema: 'avro/app.notes.avsc',
    key,
    comment: "A user's note.",
    columns: [...columns, ...more],
  };
}

/** The table as `columns` make it, and its view. */
function existing(change: (columns: ExistingColumn[]) => unknown = () => undefined) {
  const live = [...columns, ...coordinates].map(({ name, type, comment }) => ({
    name,
    type,
    comment,
    hasDefault: false,
  }));
  change(live);
  return new Map<string, ExistingTable>([
    ['raw_notes', { columns: live }],
    ['ledger_notes', { columns: [] }],
  ]);
}

function plan(wanted: TableDefinition, live: ReadonlyMap<string, ExistingTable>) {
  const { migrations, problems } = planMigrations([wanted], live, coordinates);
  return { names: migrations.map(({ name }) => name), sql: migrations.map(({ sql }) => sql), problems };
}

/** The one statement for a field that is new. */
function added(more: ColumnDefinition): string | undefined {
  const { sql, problems } = plan(table([more]), existing());
  expect(problems).toEqual([]);
  return sql[0]?.split('\n')[1];
}

describe('planMigrations', () => {
  it('makes a table and its ledger view for a topic that has neither', () => {
    const { names, sql } = plan(table(), new Map());
    expect(names).toEqual(['raw_notes', 'ledger_notes']);
    expect(sql[0])
      .toBe(`-- One row per event of app.notes, as schemas/avro/app.notes.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_notes
(
    event_id UUID COMMENT 'The event_id.' CODEC(ZSTD(1)),
    user_id String COMMENT 'The user_id.' CODEC(ZSTD(1)),
    remark LowCardinality(String) COMMENT 'The remark.' CODEC(ZSTD(1)),
    kafka_offset Int64 COMMENT 'The kafka_offset.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (event_type, toDate(occurred_at), user_id, event_id)
-- Remembers the sink's deduplication tokens: an insert repeated after a lost answer is dropped.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'A user\\'s note.'
`);
    expect(sql[1]).toContain('CREATE MATERIALIZED VIEW IF NOT EXISTS ledger_notes TO ledger AS');
    expect(sql[1]).toContain('FROM raw_notes');
  });

  it('names the event id once in the order of a topic that is keyed by it', () => {
    expect(plan(table([], 'event_id'), new Map()).sql[0]).toContain(
      'ORDER BY (event_type, toDate(occurred_at), event_id)',
    );
  });

  it('finds nothing to do where all is there', () => {
    expect(plan(table(), existing())).toEqual({ names: [], sql: [], problems: [] });
  });

  it('makes a view that alone is missing', () => {
    const live = existing();
    live.delete('ledger_notes');
    expect(plan(table(), live).names).toEqual(['ledger_notes']);
  });

  it('adds each new field behind the one before it, ahead of the coordinates', () => {
    const more = [
      column('ref', 'Nullable(String)', { fallback: null }),
      column('score', 'Int32', { fallback: 7 }),
    ];
    expect(plan(table(more), existing())).toMatchObject({
      names: ['raw_notes_add_ref', 'raw_notes_add_score'],
      sql: [
        expect.stringMatching(/ADD COLUMN IF NOT EXISTS ref .* AFTER remark\n$/s) as string,
        expect.stringMatching(/ADD COLUMN IF NOT EXISTS score .* AFTER ref\n$/s) as string,
      ],
      problems: [],
    });
  });

  it.each<[string, string, string | number | boolean | null, string]>([
    ['an optional field', 'Nullable(Int64)', null, 'Nullable(Int64) COMMENT'],
    ['a text', 'LowCardinality(String)', "it's", "LowCardinality(String) DEFAULT 'it\\'s' COMMENT"],
    ['a number', 'Int64', -5, 'Int64 DEFAULT -5 COMMENT'],
    ['a boolean', 'Bool', true, 'Bool DEFAULT true COMMENT'],
    ['a decimal', 'Decimal(38, 12)', '0.000000000001', "Decimal(38, 12) DEFAULT '0.000000000001' COMMENT"],
    ['a day', 'Date32', -1, "Date32 DEFAULT toDate32('1970-01-01') + -1 COMMENT"],
    [
      'a time',
      "DateTime64(3, 'UTC')",
      5,
      "DateTime64(3, 'UTC') DEFAULT fromUnixTimestamp64Milli(5, 'UTC') COMMENT",
    ],
  ])('gives %s the default of its field', (_, type, fallback, sql) => {
    expect(added(column('extra', type, { fallback }))).toContain(`ADD COLUMN IF NOT EXISTS extra ${sql}`);
  });

  it('brings a comment up to the description of its field', () => {
    const { names, sql } = plan(
      table(),
      existing((live) => (live[2]!.comment = 'Outdated.')),
    );
    expect(names).toEqual(['raw_notes_comment_remark']);
    expect(sql[0]).toContain("ALTER TABLE raw_notes COMMENT COLUMN IF EXISTS remark 'The remark.'");
  });

  it('leaves a dictionary, room for null and columns that fill themselves alone', () => {
    const live = existing((its) => {
      its[2]!.type = 'Nullable(String)';
      its.push({ name: 'loaded_at', type: 'DateTime', comment: '', hasDefault: true });
      its.push({ name: 'note', type: 'LowCardinality(Nullable(String))', comment: '', hasDefault: false });
    });
    expect(plan(table(), live)).toEqual({ names: [], sql: [], problems: [] });
  });

  it.each([
    ['an int that became a long', 'Int32', 'Int64', 'Int64'],
    ['a float that became a double', 'Float32', 'Float64', 'Float64'],
    ['a decimal with more digits', 'Decimal(20, 2)', 'Decimal(38, 2)', 'Decimal(38, 2)'],
    ['a field that became optional', 'Int32', 'Nullable(Int32)', 'Nullable(Int32)'],
    ['an optional int that became an optional long', 'Nullable(Int32)', 'Nullable(Int64)', 'Nullable(Int64)'],
    ['a long that was optional once', 'Nullable(Int32)', 'Int64', 'Nullable(Int64)'],
    [
      'text in a dictionary that became optional',
      'LowCardinality(String)',
      'LowCardinality(Nullable(String))',
      'LowCardinality(Nullable(String))',
    ],
    [
      'text without the dictionary that its name would give it',
      'String',
      'LowCardinality(Nullable(String))',
      'Nullable(String)',
    ],
    ['an Enum that lacks a symbol', "Enum8('a' = 1)", 'LowCardinality(String)', 'LowCardinality(String)'],
  ])('widens the column of %s', (_, has, wanted, becomes) => {
    const live = existing((its) =>
      its.push({ name: 'score', type: has, comment: 'The score.', hasDefault: false }),
    );
    const { names, sql, problems } = plan(table([column('score', wanted)]), live);
    expect({ names, problems }).toEqual({ names: ['raw_notes_widen_score'], problems: [] });
    expect(sql[0]).toContain(`\nALTER TABLE raw_notes MODIFY COLUMN IF EXISTS score ${becomes}\n`);
    // Once applied, nothing is left to do.
    const after = existing((its) =>
      its.push({ name: 'score', type: becomes, comment: 'The score.', hasDefault: false }),
    );
    expect(plan(table([column('score', wanted)]), after).names).toEqual([]);
  });

  it.each<[string, TableDefinition, (live: ExistingColumn[]) => unknown, string, RegExp]>([
    [
      'a new field without a default',
      table([column('score', 'Int32')]),
      () => undefined,
      'raw_notes.score',
      /give it a default in schemas\/avro\/app\.notes\.avsc/,
    ],
    [
      'another type',
      table(),
      (live) => (live[2]!.type = 'Int32'),
      'raw_notes.remark',
      /is Int32, .* asks for LowCardinality\(String\)/,
    ],
    [
      'a narrower type',
      table([column('score', 'Int32')]),
      (live) => live.push({ name: 'score', type: 'Int64', comment: 'The score.', hasDefault: false }),
      'raw_notes.score',
      /MODIFY COLUMN score Int32/,
    ],
    [
      'another scale',
      table([column('price', 'Decimal(38, 4)')]),
      (live) =>
        live.push({ name: 'price', type: 'Decimal(38, 2)', comment: 'The price.', hasDefault: false }),
      'raw_notes.price',
      /put the new values into a field of their own/,
    ],
    [
      'a wider type in a key',
      table([column('score', 'Int64')]),
      (live) => live.push({ name: 'score', type: 'Int32', comment: '', hasDefault: false, isInKey: true }),
      'raw_notes.score',
      /part of the table's key/,
    ],
    [
      'a field that is gone',
      table(),
      (live) => live.push({ name: 'shape', type: 'String', comment: '', hasDefault: false }),
      'raw_notes.shape',
      /no such field any more.*restore the field.*gives the column a default/,
    ],
  ])('refuses %s, and says what to do', (_, wanted, change, path, message) => {
    expect(plan(wanted, existing(change)).problems).toEqual([
      { path, message: expect.stringMatching(message) as string },
    ]);
  });
});
