import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { InvalidInputError } from '../../../core/errors.ts';
import { projectRoot } from '../../../core/home.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';

interface CatalogFile {
  topics: Record<string, unknown>[];
  deadLetterTopics: Record<string, unknown>[];
}

interface SchemaFile {
  doc?: string;
  fields: { name: string; type: unknown; doc?: string; default?: unknown }[];
}

const payments = 'avro/billing.payments.avsc';
const customers = 'avro/billing.customers.avsc';
const catalog = loadCatalog();

describe('loadCatalog', () => {
  it('loads the catalog with everything that is derived from it', () => {
    const { topics, deadLetterTopics } = catalog;
    expect(topics.map(({ topic, key, partitions }) => [topic, key, partitions])).toEqual(
      expect.arrayContaining([
        ['billing.customers', 'customer_id', 6],
        ['billing.invoices', 'customer_id', 6],
        ['billing.payments', 'customer_id', 12],
      ]),
    );
    for (const { topic, subject, retentionMs, type, fields } of topics) {
      expect(subject).toBe(`${topic}-value`);
      expect(retentionMs).toBe(-1);
      expect(type.isValid({})).toBe(false);
      expect(fields[0]?.name).toBe('event_id');
    }
    expect(deadLetterTopics.map(({ topic }) => topic)).toContain('billing.payments.dlq');
  });

  it.each<[string, (catalog: CatalogFile) => unknown, string, RegExp]>([
    [
      'a topic listed twice',
      (c) => c.topics.push({ ...entry(c, 'customers') }),
      `topics[${catalog.topics.length}].topic`,
      /used twice/,
    ],
    [
      'a raw table used twice',
      (c) => (entry(c, 'payments')['rawTable'] = 'raw_customers'),
      at('payments', 'rawTable'),
      /used twice/,
    ],
    [
      'a schema used twice',
      (c) => (entry(c, 'payments')['schema'] = customers),
      at('payments', 'schema'),
      /used twice/,
    ],
    [
      'a key that is no field',
      (c) => (entry(c, 'customers')['key'] = 'nobody'),
      at('customers', 'key'),
      /no field "nobody"/,
    ],
    [
      'a key that is no string',
      (c) => (entry(c, 'customers')['key'] = 'signup_at'),
      at('customers', 'key'),
      /must be a string/,
    ],
    [
      'a key that may be null',
      (c) => (entry(c, 'customers')['key'] = 'company'),
      at('customers', 'key'),
      /never null/,
    ],
    [
      'an entry without the id of its entity',
      (c) => delete entry(c, 'payments')['id'],
      at('payments', 'id'),
      /expected string/,
    ],
    [
      'an id that is no field',
      (c) => (entry(c, 'payments')['id'] = 'nobody'),
      at('payments', 'id'),
      /billing\.payments\.avsc has no field "nobody"/,
    ],
    [
      'an id that is an enumeration',
      (c) => (entry(c, 'payments')['id'] = 'status'),
      at('payments', 'id'),
      /must be a string/,
    ],
    [
      'an id that may be null',
      (c) => (entry(c, 'invoices')['id'] = 'order_id'),
      at('invoices', 'id'),
      /never null/,
    ],
    [
      'a reference from no field',
      (c) => (entry(c, 'payments')['references'] = { nobody_id: 'billing.customers' }),
      at('payments', 'references.nobody_id'),
      /no field "nobody_id"/,
    ],
    [
      'a reference that is no string',
      (c) => (entry(c, 'payments')['references'] = { amount_minor: 'billing.customers' }),
      at('payments', 'references.amount_minor'),
      /must be a string/,
    ],
    [
      'a reference to a topic that is not there',
      (c) => (entry(c, 'payments')['references'] = { invoice_id: 'billing.bills' }),
      at('payments', 'references.invoice_id'),
      /"billing\.bills" is not listed above billing\.payments/,
    ],
    [
      'a reference to a topic that comes later',
      (c) => (entry(c, 'invoices')['references'] = { number: 'billing.payments' }),
      at('invoices', 'references.number'),
      /"billing\.payments" is not listed above billing\.invoices/,
    ],
    [
      'a reference to the topic itself',
      (c) => (entry(c, 'invoices')['references'] = { invoice_id: 'billing.invoices' }),
      at('invoices', 'references.invoice_id'),
      /not listed above/,
    ],
    [
      'a reference to nothing that could be a topic',
      (c) => (entry(c, 'invoices')['references'] = { customer_id: 'Customers!' }),
      at('invoices', 'references.customer_id'),
      /lower case/,
    ],
    [
      'compaction by another entity',
      (c) => (entry(c, 'payments')['cleanup'] = 'compact'),
      at('payments', 'cleanup'),
      /payment_id/,
    ],
    [
      'an unknown cleanup',
      (c) => (entry(c, 'customers')['cleanup'] = 'burn'),
      at('customers', 'cleanup'),
      /delete/,
    ],
    [
      'an unknown compatibility',
      (c) => (entry(c, 'customers')['compatibility'] = 'SOME'),
      at('customers', 'compatibility'),
      /BACKWARD/,
    ],
    ['no partitions', (c) => (entry(c, 'customers')['partitions'] = 0), at('customers', 'partitions'), />=1/],
    [
      'a retention of a second',
      (c) => (entry(c, 'customers')['retentionMs'] = 1000),
      at('customers', 'retentionMs'),
      /-1/,
    ],
    [
      'a misspelt key',
      (c) => (entry(c, 'customers')['partition'] = 6),
      at('customers', 'partition'),
      /unknown key/,
    ],
    [
      'a raw table without its prefix',
      (c) => (entry(c, 'customers')['rawTable'] = 'customers'),
      at('customers', 'rawTable'),
      /raw_/,
    ],
    [
      'a dead letter topic with another name',
      (c) => (c.deadLetterTopics[0]!['topic'] = 'x'),
      'deadLetterTopics[0].topic',
      /\.dlq/,
    ],
    [
      'a dead letter topic listed twice',
      (c) => (c.deadLetterTopics[1]!['topic'] = c.deadLetterTopics[0]!['topic']),
      'deadLetterTopics[1].topic',
      /used twice/,
    ],
    ['no topics at all', (c) => (c.topics = []), 'topics', />=1/],
  ])('reports %s', (_, change, path, message) => {
    expect(problemsOf(folderWith({ catalog: change }))).toContainEqual({
      path: `topics.yaml: ${path}`,
      message: expect.stringMatching(message) as string,
    });
  });

  it.each<[string, (schema: SchemaFile) => void, string, RegExp]>([
    ['a record without a doc', (s) => delete s.doc, 'doc', /missing/],
    ['a field without a doc', (s) => (field(s, 'country').doc = ' '), 'fields[19].doc', /country/],
    [
      'a name that is not snake_case',
      (s) => (field(s, 'country').name = 'countryCode'),
      'fields[19].name',
      /snake_case/,
    ],
    [
      'an enum without a default',
      (s) => delete (field(s, 'method').type as { default?: string }).default,
      'fields[10].type.default',
      /PaymentMethodType/,
    ],
    [
      'an enum whose default is no symbol',
      (s) => ((field(s, 'method').type as { default?: string }).default = 'cash'),
      '(schema)',
      /default/,
    ],
    [
      'a union whose null comes last',
      (s) => (field(s, 'country').type = ['string', 'null']),
      'fields[19].type',
      /\["null", T\]/,
    ],
    [
      'an optional field without a default',
      (s) => (field(s, 'country').type = ['null', 'string']),
      'fields[19].default',
      /null/,
    ],
    ['money that is a double', (s) => (field(s, 'amount_minor').type = 'double'), 'fields[12].type', /long/],
    ['money without a currency', (s) => (field(s, 'currency').name = 'coin'), 'fields[12]', /"currency"/],
    [
      'a time that is not called _at',
      (s) => (field(s, 'initiated_at').name = 'initiated'),
      'fields[21].type',
      /_at/,
    ],
    [
      'a name in _at that is no time',
      (s) => (field(s, 'country').name = 'country_at'),
      'fields[19].type',
      /timestamp-millis/,
    ],
    [
      'a name in _date that is no date',
      (s) => (field(s, 'country').name = 'country_date'),
      'fields[19].type',
      /date/,
    ],
    ['an envelope in another order', (s) => s.fields.reverse(), 'fields[0]', /"event_id"/],
    [
      'an envelope with another type',
      (s) => (field(s, 'is_deleted').type = 'boolean'),
      'fields[5].type',
      /"int"/,
    ],
    [
      'a field that Connect adds',
      (s) => (field(s, 'country').name = 'kafka_offset'),
      'fields[19].name',
      /Connect/,
    ],
    [
      'a shared type that differs',
      (s) => (field(s, 'region').type as { symbols: string[] }).symbols.push('moon'),
      'fields[20].type',
      /billing\.Region differs/,
    ],
    ['a type that does not exist', (s) => (field(s, 'country').type = 'text'), '(schema)', /text/],
    ['a field without a name', (s) => (field(s, 'country').name = ''), 'fields[19].name', /./],
  ])('reports %s', (_, change, at, message) => {
    expect(problemsOf(folderWith({ schema: change }))).toContainEqual({
      path: `${payments}: ${at}`,
      message: expect.stringMatching(message) as string,
    });
  });

  it('reports the problems of every file at once', () => {
    const folder = folderWith({
      catalog: (c) => (entry(c, 'customers')['partitions'] = 'many'),
      schema: (s) => delete s.doc,
    });
    expect(problemsOf(folder).map((problem) => problem.path)).toEqual([
      `topics.yaml: ${at('customers', 'partitions')}`,
      `${payments}: doc`,
    ]);
    const withSyntax = folderWith({ schema: (s) => delete s.doc });
    writeFileSync(path.join(withSyntax, customers), '{\n  "type": "record",\n  "name": }\n');
    expect(problemsOf(withSyntax).map((problem) => problem.path)).toEqual([
      `${customers}: line 3`,
      `${payments}: doc`,
    ]);
  });

  it('reports a schema that is not there', () => {
    const folder = folderWith({ catalog: (c) => (c.topics[0]!['schema'] = 'avro/nothing.avsc') });
    expect(problemsOf(folder)).toContainEqual({
      path: 'avro/nothing.avsc: (file)',
      message: expect.stringContaining('no such file') as string,
    });
  });

  it('reports the line of a YAML syntax error', () => {
    const folder = folderWith({});
    writeFileSync(path.join(folder, 'topics.yaml'), 'topics:\n  - topic: [a\n');
    expect(problemsOf(folder)[0]?.path).toMatch(/^line \d+$/);
  });
});

function entry({ topics }: CatalogFile, entity: string): Record<string, unknown> {
  return topics.find(({ topic }) => topic === `billing.${entity}`)!;
}

/** The path of a key of that entity's entry in the catalog as it is. */
function at(entity: string, key: string): string {
  return `topics[${catalog.topics.findIndex(({ topic }) => topic === `billing.${entity}`)}].${key}`;
}

function field(schema: SchemaFile, name: string): SchemaFile['fields'][number] {
  return schema.fields.find((candidate) => candidate.name === name)!;
}

/** A copy of the catalog with some changes; those of `schema` are made to the payments. */
function folderWith(changes: {
  catalog?: (catalog: CatalogFile) => unknown;
  schema?: (schema: SchemaFile) => unknown;
}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'catalog-'));
  cpSync(path.join(projectRoot, 'schemas', 'avro'), path.join(folder, 'avro'), { recursive: true });
  const catalog = parse(
    readFileSync(path.join(projectRoot, 'schemas', 'topics.yaml'), 'utf8'),
  ) as CatalogFile;
  changes.catalog?.(catalog);
  writeFileSync(path.join(folder, 'topics.yaml'), stringify(catalog));
  const file = path.join(folder, payments);
  const schema = JSON.parse(readFileSync(file, 'utf8')) as SchemaFile;
  changes.schema?.(schema);
  writeFileSync(file, JSON.stringify(schema, null, 2));
  return folder;
}

function problemsOf(folder: string): InvalidInputError['problems'] {
  try {
    loadCatalog(folder);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  throw new Error('the catalog was accepted');
}
