import type { Chart, Dataset } from '../declare/shapes.ts';
import { fillPlaceholders, type Currencies } from './currencies.ts';
import { numberFormat } from './formats.ts';
import { supersetTimeRange } from './time-range.ts';

const grainCodes = { hour: 'PT1H', day: 'P1D', week: 'P1W', month: 'P1M' } as const;

export const colorScheme = 'supersetColors';
const sequentialScheme = 'schemeYlGnBu';
/** Superset's own blue-green. */
const accent = { r: 31, g: 168, b: 201, a: 1 };

export interface ChartParams {
  viz_type: string;
  [setting: string]: unknown;
}

/** What Superset calls form data: the settings of one chart in its own words. */
export function chartParams(chart: Chart, dataset: Dataset, currencies: Currencies): ChartParams {
  return {
    ...kindParams(chart, dataset, currencies),
    adhoc_filters: filtersOf(chart, dataset),
    color_scheme: colorScheme,
    extra_form_data: {},
  };
}

function filtersOf(chart: Chart, { time }: Dataset): unknown[] {
  const fixed = chart.where.map(({ column, is }) => ({
    clause: 'WHERE',
    expressionType: 'SIMPLE',
    subject: column,
    operator: Array.isArray(is) ? 'IN' : '==',
    comparator: is,
  }));
  if (time === undefined) return fixed;
  // The dashboard's time range takes this one's place.
  const range = {
    clause: 'WHERE',
    expressionType: 'SIMPLE',
    subject: time,
    operator: 'TEMPORAL_RANGE',
    comparator: supersetTimeRange(chart.time ?? 'all'),
  };
  return [...fixed, range];
}

function kindParams(chart: Chart, dataset: Dataset, currencies: Currencies): ChartParams {
  const formatOf = (metric: string) =>
    numberFormat(dataset.metrics[metric]?.format ?? 'count', currencies.reporting);
  switch (chart.kind) {
    case 'number': {
      const { d3, currency } = formatOf(chart.metric);
      const shown = {
        metric: chart.metric,
        y_axis_format: d3,
        ...(currency && { currency_format: currency }),
      };
      if (chart.grain === undefined) {
        return { viz_type: 'big_number_total', ...shown, header_font_size: 0.4, subtitle_font_size: 0.15 };
      }
      return {
        viz_type: 'big_number',
        ...shown,
        x_axis: dataset.time,
        time_grain_sqla: grainCodes[chart.grain],
        aggregation: chart.shows === 'whole' ? 'raw' : 'LAST_VALUE',
        show_trend_line: true,
        start_y_axis_at_zero: true,
        color_picker: accent,
        header_font_size: 0.5,
        subheader_font_size: 0.125,
        time_format: 'smart_date',
        rolling_type: 'None',
      };
    }
    case 'line':
    case 'area':
    case 'bar':
      return seriesParams(chart, dataset, formatOf(chart.metrics[0] ?? ''));
    case 'donut':
      return {
        viz_type: 'pie',
        groupby: [chart.by],
        metric: chart.metric,
        row_limit: 25,
        sort_by_metric: true,
        donut: true,
        innerRadius: 45,
        outerRadius: 72,
        label_type: 'key_percent',
        labels_outside: true,
        show_labels: true,
        show_labels_threshold: 2,
        show_legend: false,
        show_total: true,
        number_format: formatOf(chart.metric).d3,
      };
    case 'map':
      return {
        viz_type: 'world_map',
        entity: chart.by,
        country_fieldtype: 'cca2',
        metric: chart.metric,
        row_limit: 300,
        show_bubbles: false,
        color_by: 'metric',
        linear_color_scheme: sequentialScheme,
        y_axis_format: formatOf(chart.metric).d3,
      };
    case 'heatmap':
      return {
        viz_type: 'heatmap_v2',
        x_axis: chart.x,
        groupby: chart.y,
        metric: chart.metric,
        row_limit: 10_000,
        sort_x_axis: 'alpha_asc',
        sort_y_axis: 'alpha_desc',
        normalize_across: 'heatmap',
        linear_color_scheme: sequentialScheme,
        legend_type: 'continuous',
        show_legend: false,
        show_values: true,
        show_percentage: false,
        left_margin: 'auto',
        bottom_margin: 'auto',
        value_bounds: [null, null],
        xscale_interval: 1,
        xAxisLabelRotation: 45,
        yscale_interval: 1,
        y_axis_format: formatOf(chart.metric).d3,
      };
    case 'table':
      return {
        viz_type: 'table',
        query_mode: 'aggregate',
        groupby: chart.by,
        metrics: chart.metrics,
        timeseries_limit_metric: chart.metrics[0],
        order_desc: true,
        row_limit: chart.limit,
        server_page_length: 10,
        show_cell_bars: false,
        table_timestamp_format: 'smart_date',
      };
    case 'rows':
      return {
        viz_type: 'table',
        query_mode: 'raw',
        all_columns: chart.columns.map((name) => shownColumn(name, dataset, currencies)),
        order_by_cols: [JSON.stringify([chart.newest, false])],
        row_limit: chart.limit,
        include_search: true,
        column_config: Object.fromEntries(
          Object.values(dataset.calculated)
            .filter(({ type }) => type === 'Float64')
            .map(({ title }) => [title, { d3NumberFormat: ',.2f' }]),
        ),
        show_cell_bars: false,
        table_timestamp_format: '%Y-%m-%d %H:%M',
      };
  }
}

/** Superset 6.1 takes a calculated column for one of the table where rows are not grouped: its expression is spelled out. */
function shownColumn(name: string, { calculated }: Dataset, currencies: Currencies): unknown {
  const column = calculated[name];
  if (column === undefined) return name;
  return {
    expressionType: 'SQL',
    label: column.title,
    sqlExpression: fillPlaceholders(column.expression, currencies),
  };
}

type SeriesChart = Extract<Chart, { kind: 'line' | 'area' | 'bar' }>;

function seriesParams(
  chart: SeriesChart,
  dataset: Dataset,
  { d3, currency }: ReturnType<typeof numberFormat>,
): ChartParams {
  const vizTypes = { line: 'echarts_timeseries_line', area: 'echarts_area', bar: 'echarts_timeseries_bar' };
  const isOverTime = chart.grain !== undefined;
  const hasSeries = chart.by !== undefined || chart.metrics.length > 1;
  return {
    viz_type: vizTypes[chart.kind],
    ...(isOverTime
      ? { x_axis: dataset.time, time_grain_sqla: grainCodes[chart.grain ?? 'month'] }
      : {
          x_axis: chart.over,
          x_axis_sort: chart.isOrdered ? chart.over : chart.metrics[0],
          // Horizontal bars are drawn from the bottom: what is to be read first comes last.
          x_axis_sort_asc: chart.isOrdered !== chart.isHorizontal,
          xAxisForceCategorical: true,
        }),
    metrics: chart.metrics,
    groupby: chart.by === undefined ? [] : [chart.by],
    row_limit: 10_000,
    truncate_metric: true,
    show_empty_columns: true,
    stack: chart.isStacked ? 'Stack' : null,
    orientation: chart.isHorizontal ? 'horizontal' : 'vertical',
    only_total: true,
    show_value: !isOverTime && !hasSeries,
    show_legend: hasSeries,
    legendType: 'scroll',
    legendOrientation: 'top',
    rich_tooltip: true,
    showTooltipTotal: chart.isStacked,
    tooltipSortByMetric: true,
    tooltipTimeFormat: 'smart_date',
    x_axis_time_format: 'smart_date',
    // Axes are for orientation: short numbers; the tooltip has the metric's own format.
    y_axis_format: d3 === ',d' || currency !== undefined ? 'SMART_NUMBER' : d3,
    ...(currency && currency.symbol !== 'AUTO' && { currency_format: currency }),
    y_axis_bounds: chart.bounds ?? [null, null],
    logAxis: chart.isLogarithmic,
    truncateYAxis: chart.bounds !== undefined,
    markerEnabled: false,
    opacity: chart.kind === 'area' ? 0.5 : 0.2,
    comparison_type: 'values',
    annotation_layers: [],
    rolling_type: null,
    sort_series_type: 'sum',
    sort_series_ascending: false,
  };
}
