import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { accessStatements } from '../../../clickhouse/access.ts';
import { projectRoot } from '../../../core/home.ts';
import { parseWith, readYaml } from '../../../core/parse.ts';

const modelsSchema = z.object({
  models: z
    .array(z.object({ name: z.string(), columns: z.array(z.object({ name: z.string() })).default([]) }))
    .default([]),
});

/** Columns of each model that dbt builds, by its YAML. */
function documentedModels(): Map<string, Set<string>> {
  const folder = path.join(projectRoot, 'dbt', 'models');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.yml'),
  );
  return new Map(
    files.flatMap((file) => {
      const at = path.join(folder, file);
      const { models } = parseWith(modelsSchema, readYaml(at, 'not YAML'), 'not models', at);
      return models.map(
        ({ name, columns }) => [name, new Set(columns.map((column) => column.name))] as const,
      );
    }),
  );
}

const grant = /SELECT(?:\(([^)]*)\))? ON (\w+)/g;
/** `[role, table, columns]`; no columns means all. */
const granted = accessStatements().flatMap((statement) => {
  const role = /\bTO (\w+) WITH REPLACE OPTION/.exec(statement)?.[1];
  if (role === undefined) return [];
  return [...statement.matchAll(grant)].map(
    ([, columns, table = '']) => [role, table, columns?.split(', ') ?? []] as const,
  );
});
const models = documentedModels();

describe('the rights of the readers', () => {
  it('name models and columns that dbt builds', () => {
    expect(granted.length).toBeGreaterThan(50);
    for (const [role, table, columns] of granted) {
      expect([...models.keys()], `${role} reads ${table}`).toContain(table);
      for (const column of columns) expect([...(models.get(table) ?? [])], table).toContain(column);
    }
  });

  it('give every fact, dimension and mart to the analyst, and nobody a raw or staging table', () => {
    const shown = [...models.keys()].filter((name) => /^(fact|dim|mart)_/.test(name)).sort();
    const analyst = granted.filter(([role]) => role === 'billing_analyst').map(([, table]) => table);
    expect([...analyst].sort()).toEqual(shown);
    expect(granted.filter(([, table]) => !/^(fact|dim|mart)_/.test(table))).toEqual([]);
  });

  it('keep mail addresses and names from whoever does not answer customers', () => {
    const readersOf = (column: string) =>
      granted
        .filter(
          ([, table, columns]) =>
            table === 'dim_customer' && (columns.length === 0 || columns.includes(column)),
        )
        .map(([role]) => role);
    expect(readersOf('email')).toEqual(['billing_support']);
    expect(readersOf('name')).toEqual(['billing_finance', 'billing_support']);
    const personal = ['email', 'name', 'company', 'city'];
    const elsewhere = [...models].filter(
      ([model, columns]) => /^(fact|mart|dim)_/.test(model) && personal.some((column) => columns.has(column)),
    );
    // Plans and products have names, too.
    expect(
      elsewhere
        .map(([model]) => model)
        .filter((model) => !/^dim_(plan|product|currency|customer)$/.test(model)),
    ).toEqual([]);
  });

  it('restrict regional support in every table of customers that support reads', () => {
    const policies = accessStatements().filter((statement) => statement.includes('ROW POLICY'));
    const ofCustomers = granted
      .filter(([role, table]) => role === 'billing_support' && models.get(table)?.has('customer_id') === true)
      .map(([, table]) => table)
      .sort();
    for (const region of ['north_america', 'europe', 'asia_pacific']) {
      const restricted = policies
        .filter((policy) => policy.endsWith(`TO billing_support_${region}`))
        .flatMap((policy) => [...(/ ON\s+([\w,\s]+?)\s+USING/.exec(policy)?.[1]?.split(/,\s+/) ?? [])])
        .sort();
      expect(restricted, region).toEqual(ofCustomers);
    }
    const withoutCustomer = granted.filter(
      ([role, table]) => role === 'billing_support' && models.get(table)?.has('customer_id') !== true,
    );
    expect(withoutCustomer.map(([, table]) => table)).toEqual([
      'dim_plan',
      'dim_product',
      'dim_date',
      'dim_currency',
    ]);
  });

  it('say where they run on a cluster', () => {
    const statements = accessStatements("it's one");
    expect(statements.filter((statement) => !statement.includes(String.raw`ON CLUSTER 'it\'s one'`))).toEqual(
      [],
    );
  });
});
