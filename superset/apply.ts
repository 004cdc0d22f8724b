import { z } from 'zod';
import { createClickHouse } from '../clickhouse/client.ts';
import { PipelineError } from '../core/errors.ts';
import type { Target } from '../targets/load-target.ts';
import { databaseUri, type DashboardSettings } from './api/access.ts';
import { connectSuperset, type Superset } from './api/client.ts';
import { findDatabase, listMarked, removeAssets, type Asset } from './api/inventory.ts';
import { applyRoles, removeRoles } from './api/roles.ts';
import { checkVersion } from './api/version.ts';
import { compileBundle, type BundleContext } from './bundle/compile.ts';
import { readCurrencies } from './bundle/currencies.ts';
import { uuidOf } from './bundle/uuids.ts';
import { zipBundle } from './bundle/zip.ts';
import { chartsOf } from './declare/references.ts';
import type { Assets } from './declare/shapes.ts';
import { readModelColumns } from './live-columns.ts';

export interface ApplyOptions {
  assets: Assets;
  target: Target;
  settings: DashboardSettings;
  /** Also removes what carries the project's mark and is no longer declared. */
  prune?: boolean;
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
}

export interface Applied {
  url: string;
  /** Null where the server does not tell. */
  version: string | null;
  dashboards: { title: string; url: string; isNew: boolean }[];
  charts: number;
  datasets: number;
  /** Null where the server does not manage roles through its API. */
  roles: string[] | null;
  removed: Asset[];
  /** Carries the mark, is not declared, and is still there: without --prune, or because people have built on it. */
  leftOver: Asset[];
  /** False where this Superset would answer filters within a month wrongly at the grain of months: docs/dashboards.md. */
  filtersWithinGrain: boolean;
}

/**
 * Makes the declared dashboards so, on any Superset that its API reaches. What is equal stays as it is: ids and links
 * do not change.
 *
 * @throws PipelineError those of Superset's and ClickHouse's clients, `SUPERSET_VERSION`, `MODELS_MISSING`
 */
export async function applyDashboards(options: ApplyOptions): Promise<Applied> {
  const { assets, target, settings, prune = false, signal, onProgress } = options;
  const connection = signal === undefined ? {} : { signal };
  const superset = await connectSuperset(settings.access, connection);
  const version = await checkVersion(superset);
  const clickhouse = createClickHouse(target);
  const context: BundleContext = {
    databaseUri: databaseUri(target, settings.clickhouseUrl),
    schema: target.clickhouse.database,
    columns: await readModelColumns(clickhouse, assets, signal).finally(() => clickhouse.close()),
    currencies: readCurrencies(),
    definitionsUrl: settings.definitionsUrl,
  };
  const before = await listMarked(superset);
  onProgress?.('Importing datasets, charts and dashboards');
  await importBundle(superset, context, assets);

  const present = await listMarked(superset);
  onProgress?.('Setting the roles of the viewers');
  const roles = await applyRoles(superset, assets, present, (id) => uuidOf('dataset', id));
  const declared = declaredUuids(assets);
  const undeclared = present.filter(({ uuid }) => !declared.has(uuid));
  const leftOver = prune ? await removeAssets(superset, undeclared) : undeclared;
  const known = new Set(before.map(({ uuid }) => uuid));
  return {
    url: superset.url,
    version: version ?? null,
    dashboards: assets.dashboards.map(({ id, title }) => ({
      title,
      url: `${superset.url}/superset/dashboard/${id}/`,
      isNew: !known.has(uuidOf('dashboard', id)),
    })),
    charts: assets.dashboards.flatMap(chartsOf).length,
    datasets: assets.datasets.length,
    roles: roles ?? null,
    removed: undeclared.filter((asset) => !leftOver.includes(asset)),
    leftOver,
    filtersWithinGrain: await filtersWithinGrain(superset, assets, present),
  };
}

/** Removes all that carries the project's mark, its connection and its roles; returns what people have built on. */
export async function removeDashboards(
  { access }: Pick<DashboardSettings, 'access'>,
  signal?: AbortSignal,
): Promise<{ removed: Asset[]; kept: Asset[]; roles: string[] }> {
  const superset = await connectSuperset(access, signal === undefined ? {} : { signal });
  const marked = await listMarked(superset);
  const kept = await removeAssets(superset, marked);
  const roles = await removeRoles(superset);
  const database = await findDatabase(superset);
  if (database !== undefined && kept.length === 0) {
    await superset.send('DELETE', `/api/v1/database/${String(database)}`);
  }
  return { removed: marked.filter((asset) => !kept.includes(asset)), kept, roles };
}

async function importBundle(superset: Superset, context: BundleContext, assets: Assets): Promise<void> {
  const form = new FormData();
  form.set('bundle', new Blob([await zipBundle(compileBundle(assets, context))]), 'billing.zip');
  try {
    await superset.upload('/api/v1/assets/import/', form);
  } catch (error) {
    if (!(error instanceof PipelineError) || !/clickhousedb|NoSuchModule|load.*driver/i.test(error.message))
      throw error;
    throw new PipelineError('SUPERSET_DRIVER', {
      what: 'This Superset has no driver for ClickHouse',
      where: superset.url,
      todo: 'Install the Python package clickhouse-connect into its environment, and restart it.',
      cause: error,
    });
  }
}

function declaredUuids({ datasets, dashboards }: Assets): Set<string> {
  return new Set([
    ...datasets.map(({ id }) => uuidOf('dataset', id)),
    ...dashboards.flatMap((dashboard) => [
      uuidOf('dashboard', dashboard.id),
      ...chartsOf(dashboard).map((chart) => uuidOf('chart', dashboard.id, chart.id)),
    ]),
  ]);
}

/** Asks for the SQL of a chart by month: an alias that is the filtered column's own name would take its place in WHERE. */
async function filtersWithinGrain(
  superset: Superset,
  { datasets }: Assets,
  present: readonly Asset[],
): Promise<boolean> {
  const probe = datasets.find(({ time, metrics }) => time !== undefined && Object.keys(metrics).length > 0);
  const dataset = present.find(
    ({ kind, uuid }) => kind === 'dataset' && uuid === uuidOf('dataset', probe?.id ?? ''),
  );
  if (probe?.time === undefined || dataset === undefined) return true;
  const answer = await superset.send('POST', '/api/v1/chart/data', {
    datasource: { id: dataset.id, type: 'table' },
    result_type: 'query',
    result_format: 'json',
    queries: [
      {
        columns: [
          {
            timeGrain: 'P1M',
            columnType: 'BASE_AXIS',
            sqlExpression: probe.time,
            label: probe.time,
            expressionType: 'SQL',
          },
        ],
        metrics: Object.keys(probe.metrics).slice(0, 1),
        filters: [{ col: probe.time, op: 'TEMPORAL_RANGE', val: '2020-01-15 : 2020-03-15' }],
      },
    ],
  });
  const { result } = z.object({ result: z.array(z.looseObject({ query: z.string() })) }).parse(answer);
  return !new RegExp(`AS [\`"]?${probe.time}[\`"]?[\\s,]`).test(result[0]?.query ?? '');
}
