import type { Problem } from '../../core/errors.ts';
import type { Assets, Chart, Dashboard, Dataset } from './shapes.ts';

/** The charts of a dashboard, in reading order. */
export function chartsOf({ rows }: Dashboard): Chart[] {
  return rows.flatMap(({ charts }) => charts);
}

/** The metrics a chart shows. */
export function metricsOf(chart: Chart): string[] {
  if ('metrics' in chart) return chart.metrics;
  return 'metric' in chart ? [chart.metric] : [];
}

/** The columns a chart groups, shows or compares by. */
export function columnsOf(chart: Chart): string[] {
  const shown = (() => {
    switch (chart.kind) {
      case 'number':
        return [];
      case 'line':
      case 'area':
      case 'bar':
        return [chart.over, chart.by];
      case 'heatmap':
        return [chart.x, chart.y];
      case 'table':
        return chart.by;
      case 'rows':
        return [...chart.columns, chart.newest];
      default:
        return [chart.by];
    }
  })();
  return [...shown, ...chart.where.map(({ column }) => column)].filter((name) => name !== undefined);
}

/** What the files say of each other, as opposed to what a model has: pure. */
export function findReferenceProblems({ datasets, dashboards }: Assets): Problem[] {
  const known = new Map(datasets.map((dataset) => [dataset.id, dataset]));
  return dashboards.flatMap((dashboard) => {
    const problems: Problem[] = [];
    const at = `dashboards/${dashboard.id}.yaml`;
    const report = (path: string, message: string) => problems.push({ path: `${at}: ${path}`, message });
    const seen = new Set<string>();
    dashboard.rows.forEach((row, index) => {
      const width = row.charts.reduce((sum, chart) => sum + chart.width, 0);
      if (width > 12)
        report(`rows[${String(index)}]`, `its charts are ${String(width)} columns wide, a row has 12`);
      for (const chart of row.charts) {
        if (seen.has(chart.id)) report(chart.id, 'another chart has this id');
        seen.add(chart.id);
        for (const message of judgeChart(chart, known.get(chart.dataset))) report(chart.id, message);
      }
    });
    for (const { column, dataset } of dashboard.filters) {
      if (!known.has(dataset)) report(`filters: ${column}`, `there is no dataset ${dataset}`);
    }
    return problems;
  });
}

function judgeChart(chart: Chart, dataset: Dataset | undefined): string[] {
  if (dataset === undefined) return [`there is no dataset ${chart.dataset}`];
  const problems = metricsOf(chart)
    .filter((name) => !(name in dataset.metrics))
    .map((name) => `dataset ${dataset.id} has no metric ${name}`);
  const needsTime = 'grain' in chart && chart.grain !== undefined;
  if (needsTime && dataset.time === undefined) problems.push(`dataset ${dataset.id} has no time column`);
  if (chart.kind === 'line' || chart.kind === 'area' || chart.kind === 'bar') {
    if ((chart.grain === undefined) === (chart.over === undefined)) {
      problems.push('it needs either grain or over');
    }
  }
  return problems;
}
