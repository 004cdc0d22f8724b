import { readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../../core/home.ts';
import { readText } from '../../../core/parse.ts';
import { transitions } from '../../../producers/scenario/state-machines.ts';
import { formatMinor } from '../../../cli/format-money.ts';

const dbtFolder = path.join(projectRoot, 'dbt');

const dataTests = z.array(z.union([z.string(), z.record(z.string(), z.unknown())])).default([]);
const nodeSchema = z.object({
  name: z.string(),
  description: z.string().default(''),
  data_tests: dataTests,
  columns: z
    .array(z.object({ name: z.string(), description: z.string().default(''), data_tests: dataTests }))
    .default([]),
});
const fileSchema = z.object({
  models: z.array(nodeSchema).default([]),
  seeds: z.array(nodeSchema).default([]),
  snapshots: z.array(nodeSchema).default([]),
  sources: z.array(z.object({ name: z.string(), tables: z.array(nodeSchema) })).default([]),
  unit_tests: z.array(z.object({ name: z.string(), model: z.string() })).default([]),
  exposures: z.array(z.object({ name: z.string(), description: z.string() })).default([]),
});
type Node = z.infer<typeof nodeSchema>;

interface Project {
  /** Everything that becomes a table or a view: models, seeds, snapshots. */
  nodes: Node[];
  sources: Node[];
  unitTested: Set<string>;
  exposures: string[];
}

let project: Project;

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(path.join(dbtFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => path.join(dbtFolder, folder, file));
}

const namesOf = (folder: string, ending: string) =>
  filesOf(folder, ending).map((file) => path.basename(file, ending));

const textOf = (file: string) => readText(file, 'A file of the dbt project can not be read');

/** Names of the tests of a model or of a column: `unique`, `not_null`, `relationships` and so on. */
const testNames = (tests: Node['data_tests']) =>
  tests.flatMap((test) => (typeof test === 'string' ? [test] : Object.keys(test)));

beforeAll(() => {
  const files = ['models', 'seeds', 'snapshots']
    .flatMap((folder) => filesOf(folder, '.yml'))
    .map((file) => fileSchema.parse(parse(textOf(file))));
  project = {
    nodes: files.flatMap(({ models, seeds, snapshots }) => [...models, ...seeds, ...snapshots]),
    sources: files.flatMap(({ sources }) => sources.flatMap(({ tables }) => tables)),
    unitTested: new Set(files.flatMap((file) => file.unit_tests.map(({ model }) => model))),
    exposures: files.flatMap((file) => file.exposures.map(({ name }) => name)),
  };
});

describe('the dbt project', () => {
  it('documents every model, seed and snapshot once', () => {
    const files = [
      ...namesOf('models', '.sql'),
      ...namesOf('seeds', '.csv'),
      ...namesOf('snapshots', '.yml'),
    ];
    expect(project.nodes.map(({ name }) => name).sort()).toEqual(files.sort());
    expect(project.nodes.filter(({ description }) => description.length < 15)).toEqual([]);
  });

  it('documents every column there is a line for, and has columns of every model', () => {
    for (const { name, columns } of [...project.nodes, ...project.sources]) {
      expect(columns.length, name).toBeGreaterThan(0);
      expect(
        columns.filter(({ description }) => description === '').map((column) => `${name}.${column.name}`),
      ).toEqual([]);
      expect(new Set(columns.map((column) => column.name)).size, name).toBe(columns.length);
    }
  });

  it('documents every column of every raw table', () => {
    const migrations = readdirSync(path.join(projectRoot, 'clickhouse', 'migrations')).map((file) =>
      textOf(path.join(projectRoot, 'clickhouse', 'migrations', file)),
    );
    for (const { name, columns } of project.sources) {
      const created = migrations.find((sql) => new RegExp(`CREATE TABLE IF NOT EXISTS ${name}\\b`).test(sql));
      const added = migrations.flatMap((sql) => [
        ...sql.matchAll(new RegExp(`ALTER TABLE ${name}\\s+ADD COLUMN IF NOT EXISTS (\\w+)`, 'g')),
      ]);
      const inFile = [...(created ?? '').matchAll(/^ {4}(\w+) .*COMMENT '/gm)].map((match) => match[1]);
      expect(columns.map((column) => column.name).sort(), name).toEqual(
        [...inFile, ...added.map((match) => match[1])].sort(),
      );
    }
  });

  it('tests the key of every model, and more of nine out of ten', () => {
    const keyed = project.nodes.filter(
      ({ data_tests: own, columns }) =>
        testNames(own).includes('unique_combination') ||
        columns.some(
          ({ data_tests: tests }) =>
            testNames(tests).includes('unique') && testNames(tests).includes('not_null'),
        ),
    );
    const unkeyed = project.nodes.filter((node) => !keyed.includes(node)).map(({ name }) => name);
    // A row of these is a row that landed: they have no key.
    expect(unkeyed.sort()).toEqual(['stg_landings', 'stg_subscription_deliveries']);
    const tested = project.nodes.filter(
      ({ data_tests: own, columns }) =>
        own.length > 0 || columns.some(({ data_tests: tests }) => tests.length > 0),
    );
    expect(tested.length / project.nodes.length).toBeGreaterThanOrEqual(0.9);
  });

  it('tests every mart that an answer reads on cases made for it', () => {
    const folder = path.join(projectRoot, 'clickhouse', 'answers');
    const read = new Set(
      readdirSync(folder).flatMap(
        (file) => textOf(path.join(folder, file)).match(/\b(mart|fact)_\w+/g) ?? [],
      ),
    );
    // Its one measure is a set, which dbt can't compare: the answer that counts it is tested.
    const untestable = ['mart_paying_customers_daily'];
    const untested = [...read].filter((name) => !project.unitTested.has(name) && !untestable.includes(name));
    expect(untested).toEqual([]);
  });

  it('names the dashboards that read it', () => {
    expect(project.exposures.sort()).toEqual([
      'billing_overview',
      'collections_and_support',
      'operations',
      'subscriptions',
    ]);
  });

  it('reads sources in staging only', () => {
    const readers = filesOf('models', '.sql').filter((file) => textOf(file).includes('source('));
    expect(readers.filter((file) => !file.includes(`${path.sep}staging${path.sep}`))).toEqual([]);
  });
});

describe('the seeds', () => {
  const rowsOf = (seed: string) =>
    textOf(path.join(dbtFolder, 'seeds', `${seed}.csv`))
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));

  it('allow the transitions that the generators make, and no other', () => {
    const tables: Record<string, Record<string, readonly string[]>> = transitions;
    const allowed = Object.entries(tables).flatMap(([machine, table]) =>
      Object.entries(table).flatMap(([from, successors]) =>
        successors.map((to) => [machine.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), from, to]),
      ),
    );
    expect(rowsOf('legal_transitions').sort()).toEqual(allowed.sort());
  });

  it('give each currency the digits that amounts are printed with', () => {
    for (const [currency = '', , exponent] of rowsOf('currencies')) {
      const [, fraction = ''] = formatMinor(0n, currency).split('.');
      expect([currency, exponent]).toEqual([currency, String(fraction.length)]);
    }
  });
});
