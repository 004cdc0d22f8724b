import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { compileBundle } from '../../../superset/bundle/compile.ts';
import { fillPlaceholders, readCurrencies } from '../../../superset/bundle/currencies.ts';
import { supersetTimeRange } from '../../../superset/bundle/time-range.ts';
import { uuidOf } from '../../../superset/bundle/uuids.ts';
import { columnsRead } from '../../../superset/declare/identifiers.ts';
import { findMissingColumns } from '../../../superset/declare/judge-columns.ts';
import { assetsFolder, readAssets } from '../../../superset/declare/read-assets.ts';
import { columnsOf, chartsOf } from '../../../superset/declare/references.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The assets with one text of one file replaced. */
function changed(file: string, from: string, to: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'assets-'));
  folders.push(folder);
  cpSync(assetsFolder, folder, { recursive: true });
  const at = path.join(folder, file);
  const text = readFileSync(at, 'utf8');
  expect(text).toContain(from);
  writeFileSync(at, text.replace(from, to));
  return folder;
}

test('every metric and every chart links to a section that docs/metrics.md has', () => {
  const headings = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
  );
  for (const { metrics } of readAssets().datasets) {
    for (const { definition } of Object.values(metrics)) expect(headings).toContain(definition);
  }
});

test.each([
  ['dashboards/operations.yaml', 'metric: landed', 'metric: lost', 'dataset pipeline has no metric lost'],
  ['dashboards/operations.yaml', 'dataset: pipeline', 'dataset: pipe', 'there is no dataset pipe'],
  ['dashboards/operations.yaml', 'width: 3', 'width: 12', 'columns wide, a row has 12'],
  ['dashboards/operations.yaml', 'id: landed', 'id: freshness', 'another chart has this id'],
  ['datasets/mrr.yaml', 'format: money', 'format: gold', 'mrr.yaml: metrics.mrr.format'],
  ['colors.yaml', "captured: '#", "captured: 'x", 'colors.yaml: captured: expected a colour'],
])('a mistake in %s is named: %s -> %s', (file, from, to, message) => {
  let problems: string[] = [];
  try {
    readAssets(changed(file, from, to));
  } catch (error) {
    problems = (error as { problems: { path: string; message: string }[] }).problems.map(
      (problem) => `${problem.path}: ${problem.message}`,
    );
  }
  expect(problems.join('\n')).toContain(message);
});

test('the columns that an expression reads are told from functions, words and texts', () => {
  expect(
    columnsRead("sumIf(open_minor / {units}, opened_at <= now64(3) AND kind = 'a b' OR NOT is_legal)"),
  ).toEqual(['open_minor', 'opened_at', 'kind', 'is_legal']);
  expect(columnsRead("multiIf(due_at >= now64(3) - INTERVAL 30 DAY, 'it''s due', 'x')")).toEqual(['due_at']);
  expect(columnsRead('count()')).toEqual([]);
});

test('a column or a model that is gone is found wherever the files speak of it', () => {
  const assets = readAssets();
  const all = new Map(
    assets.datasets.map((dataset) => [
      dataset.model,
      new Set([
        ...(dataset.time === undefined ? [] : [dataset.time]),
        ...Object.keys(dataset.titles),
        ...Object.values({ ...dataset.calculated, ...dataset.metrics }).flatMap(({ expression }) =>
          columnsRead(expression),
        ),
        ...assets.dashboards.flatMap((dashboard) => [
          ...chartsOf(dashboard)
            .filter((chart) => chart.dataset === dataset.id)
            .flatMap(columnsOf),
          ...dashboard.filters.map(({ column }) => column),
        ]),
        'currency',
      ]),
    ]),
  );
  expect(findMissingColumns(assets, all)).toEqual([]);
  all.get('mart_revenue_daily')?.delete('country');
  all.delete('mart_mrr_month');
  const missing = findMissingColumns(assets, all).map(({ subject, model, column }) => [
    subject,
    model,
    column,
  ]);
  expect(missing).toContainEqual(['billing-overview: revenue-by-country', 'mart_revenue_daily', 'country']);
  expect(missing).toContainEqual(['mrr', 'mart_mrr_month', undefined]);
});

test('equal declarations give an equal bundle, with every id once', () => {
  const context = {
    databaseUri: 'clickhousedb://default:planted@127.0.0.1:8123/billing',
    schema: 'billing',
    columns: new Map(),
    currencies: readCurrencies(),
    definitionsUrl: 'http://127.0.0.1:8088/definitions/',
  };
  const [first, second] = [compileBundle(readAssets(), context), compileBundle(readAssets(), context)];
  expect([...first]).toEqual([...second]);
  const ids = [...first.values()].flatMap((text) => /^uuid: (\S+)$/m.exec(text)?.[1] ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...first.values()].filter((text) => text.includes('planted'))).toHaveLength(1);
  // No placeholder is left.
  for (const text of first.values()) expect(text).not.toMatch(/\{(units|reporting_\w+)\}/);
});

test('ids are UUIDs of version 5 that depend on the name alone', () => {
  expect(uuidOf('chart', 'a', 'b')).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  expect(uuidOf('chart', 'a', 'b')).toBe(uuidOf('chart', 'a', 'b'));
  expect(uuidOf('chart', 'a', 'b')).not.toBe(uuidOf('chart', 'a', 'c'));
});

test('minor units follow ISO 4217, and the reporting currency that of dbt', () => {
  const currencies = {
    reporting: 'JPY',
    exponents: new Map([
      ['USD', 2],
      ['JPY', 0],
      ['KWD', 3],
    ]),
  };
  expect(fillPlaceholders('x / {reporting_units} {reporting_currency}', currencies)).toBe('x / 1 JPY');
  expect(fillPlaceholders('{units}', currencies)).toBe("transform(currency, ['JPY', 'KWD'], [1, 1000], 100)");
  expect(readCurrencies().exponents.get('KWD')).toBe(3);
});

test('time ranges include today', () => {
  expect(supersetTimeRange('all')).toBe('No filter');
  expect(supersetTimeRange('24 hours')).toBe('DATEADD(DATETIME("now"), -24, hour) : now');
  expect(supersetTimeRange('90 days')).toBe(
    'DATEADD(DATETIME("today"), -89, day) : DATEADD(DATETIME("today"), 1, day)',
  );
  expect(supersetTimeRange('12 months')).toContain(
    'DATETRUNC(DATEADD(DATETIME("today"), -12, month), month)',
  );
});
