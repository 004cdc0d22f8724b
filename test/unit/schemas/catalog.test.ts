import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { folderWith, payments, problemsOf, type CatalogFile } from './catalog-copy.ts';

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
