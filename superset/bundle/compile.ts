import { stringify } from 'yaml';
import { columnsOf, chartsOf } from '../declare/references.ts';
import type { Assets, Chart, Dashboard, Dataset } from '../declare/shapes.ts';
import { chartParams, colorScheme } from './chart-params.ts';
import { fillPlaceholders, type Currencies } from './currencies.ts';
import { nativeFilters } from './filters.ts';
import { numberFormat } from './formats.ts';
import { positionOf, textsOf } from './position.ts';
import { uuidOf } from './uuids.ts';

/** By this, what the project has made is told from what people have made, and is removed again. */
export const mark = 'Billing analytics pipeline';

/** A column as ClickHouse has it; its comment is dbt's description. */
export interface ModelColumn {
  name: string;
  type: string;
  comment: string;
}

export interface BundleContext {
  /** SQLAlchemy URI of ClickHouse as Superset reaches it, password included. */
  databaseUri: string;
  /** The database of the models. */
  schema: string;
  columns: ReadonlyMap<string, readonly ModelColumn[]>;
  currencies: Currencies;
  /** A page with an anchor for every definition. */
  definitionsUrl: string;
}

export const databaseUuid = uuidOf('database', 'billing');

/** The files of an import bundle by path, in Superset's export format 1.0.0. Equal declarations give equal files. */
export function compileBundle(assets: Assets, context: BundleContext): Map<string, string> {
  const files: [string, unknown][] = [
    ['metadata.yaml', { version: '1.0.0', type: 'assets' }],
    ['databases/billing.yaml', databaseFile(context)],
    ...assets.datasets.map((dataset): [string, unknown] => [
      `datasets/billing/${dataset.id}.yaml`,
      datasetFile(dataset, assets, context),
    ]),
    ...assets.dashboards.flatMap((dashboard) => [
      ...chartsOf(dashboard).map((chart): [string, unknown] => [
        `charts/${dashboard.id}--${chart.id}.yaml`,
        chartFile(chart, dashboard, assets, context),
      ]),
      [`dashboards/${dashboard.id}.yaml`, dashboardFile(dashboard, assets, context)] as [string, unknown],
    ]),
  ];
  return new Map(
    files.map(([path, content]) => [
      path,
      stringify(content, { lineWidth: 0, aliasDuplicateObjects: false }),
    ]),
  );
}

const managed = { version: '1.0.0', is_managed_externally: true };

function databaseFile({ databaseUri }: BundleContext): unknown {
  return {
    ...managed,
    uuid: databaseUuid,
    database_name: 'Billing (ClickHouse)',
    sqlalchemy_uri: databaseUri,
    cache_timeout: null,
    expose_in_sqllab: true,
    allow_run_async: false,
    allow_ctas: false,
    allow_cvas: false,
    allow_dml: false,
    allow_csv_upload: false,
    extra: {
      allows_virtual_table_explore: true,
      metadata_params: {},
      engine_params: {},
      schemas_allowed_for_csv_upload: [],
    },
  };
}

function datasetFile(dataset: Dataset, { dashboards }: Assets, context: BundleContext): unknown {
  const { columns, currencies, schema } = context;
  const own = columns.get(dataset.model) ?? [];
  const shown = new Set(
    dashboards.flatMap((dashboard) => [
      ...chartsOf(dashboard)
        .filter((chart) => chart.dataset === dataset.id)
        .flatMap(columnsOf),
      ...dashboard.filters.map(({ column }) => column),
    ]),
  );
  const certification = {
    certified_by: mark,
    details: 'Defined in superset/assets and checked with every change.',
  };
  const fill = (text: string) => fillPlaceholders(text, currencies);
  return {
    ...managed,
    uuid: uuidOf('dataset', dataset.id),
    database_uuid: databaseUuid,
    table_name: dataset.model,
    schema,
    description: fill(dataset.about),
    main_dttm_col: dataset.time ?? null,
    currency_code_column: own.some(({ name }) => name === 'currency') ? 'currency' : null,
    filter_select_enabled: true,
    offset: 0,
    cache_timeout: null,
    params: null,
    template_params: null,
    extra: { certification },
    normalize_columns: false,
    always_filter_main_dttm: false,
    columns: [
      ...own.map(({ name, type, comment }) => ({
        column_name: name,
        verbose_name: dataset.titles[name] ?? null,
        description: comment,
        type,
        is_dttm: /^(Nullable\()?(Date|DateTime)/.test(type),
        is_active: true,
        groupby: true,
        filterable: true,
        expression: null,
        // Certified is what a dashboard stands on.
        extra: shown.has(name) || name === dataset.time ? { certification } : {},
      })),
      ...Object.entries(dataset.calculated).map(([name, { title, expression, means, type }]) => ({
        column_name: name,
        verbose_name: title,
        description: fill(means),
        type,
        is_dttm: type === 'Date',
        is_active: true,
        groupby: true,
        filterable: true,
        expression: fill(expression),
        extra: { certification },
      })),
    ],
    metrics: Object.entries(dataset.metrics).map(([name, metric]) => {
      const { d3, currency } = numberFormat(metric.format, currencies.reporting);
      return {
        metric_name: name,
        verbose_name: fill(metric.title),
        metric_type: null,
        expression: fill(metric.expression),
        description: fill(metric.means),
        d3format: d3,
        ...(currency && { currency }),
        extra: { certification },
        warning_text: null,
      };
    }),
  };
}

function chartFile(
  chart: Chart,
  dashboard: Dashboard,
  { datasets }: Assets,
  context: BundleContext,
): unknown {
  const { currencies, definitionsUrl } = context;
  const dataset = datasets.find(({ id }) => id === chart.dataset);
  if (dataset === undefined) throw new Error(`Chart ${chart.id} has no dataset`);
  const means = ('metrics' in chart ? chart.metrics : 'metric' in chart ? [chart.metric] : [])
    .map((name) => dataset.metrics[name])
    .filter((metric) => metric !== undefined);
  const definitions = means.map(
    ({ title, means: meaning, definition }) =>
      `**${title}**: ${meaning} [Definition](${definitionsUrl}#${definition})`,
  );
  const params = chartParams(chart, dataset, currencies);
  return {
    ...managed,
    uuid: uuidOf('chart', dashboard.id, chart.id),
    dataset_uuid: uuidOf('dataset', dataset.id),
    slice_name: fillPlaceholders(chart.title, currencies),
    description: fillPlaceholders(
      [chart.about ?? '', ...definitions].filter(Boolean).join('\n\n'),
      currencies,
    ),
    certified_by: mark,
    certification_details: fillPlaceholders(
      [chart.about ?? '', ...means.map(({ title, means: meaning }) => `${title}: ${meaning}`)]
        .filter(Boolean)
        .join(' '),
      currencies,
    ),
    viz_type: params.viz_type,
    params,
    query_context: null,
    cache_timeout: null,
  };
}

function dashboardFile(
  dashboard: Dashboard,
  assets: Assets,
  { currencies, definitionsUrl }: BundleContext,
): unknown {
  const fill = (text: string) => fillPlaceholders(text, currencies);
  const texts = textsOf(dashboard, assets, definitionsUrl);
  const position = positionOf(
    {
      ...dashboard,
      rows: dashboard.rows.map((row) => ({
        ...row,
        charts: row.charts.map((chart) => ({ ...chart, title: fill(chart.title) })),
      })),
    },
    { title: dashboard.title, introduction: fill(texts.introduction), definitions: fill(texts.definitions) },
  );
  return {
    ...managed,
    uuid: uuidOf('dashboard', dashboard.id),
    dashboard_title: dashboard.title,
    slug: dashboard.id,
    description: fill(dashboard.about),
    css: '',
    certified_by: mark,
    certification_details: 'Declared in superset/assets: changes are reviewed there.',
    published: true,
    position,
    metadata: {
      color_scheme: colorScheme,
      label_colors: assets.colors,
      shared_label_colors: [],
      refresh_frequency: 60,
      timed_refresh_immune_slices: [],
      expanded_slices: {},
      cross_filters_enabled: true,
      filter_bar_orientation: 'HORIZONTAL',
      native_filter_configuration: nativeFilters(dashboard, currencies),
      default_filters: '{}',
      chart_configuration: {},
      global_chart_configuration: { scope: { rootPath: ['ROOT_ID'], excluded: [] }, chartsInScope: [] },
    },
  };
}
