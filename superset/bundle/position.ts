import { chartsOf, metricsOf } from '../declare/references.ts';
import type { Assets, Dashboard } from '../declare/shapes.ts';
import { uuidOf } from './uuids.ts';

/** One part of a dashboard's layout, as Superset keeps it. */
interface Part {
  id: string;
  type: string;
  children: string[];
  parents?: string[];
  meta?: Record<string, unknown>;
}

export type Position = Record<string, Part | string>;

export interface Texts {
  title: string;
  /** Markdown. */
  introduction: string;
  definitions: string;
}

/** Pixels of one unit of Superset's grid. */
const unit = 8;
const textLine = 22;

/**
 * The layout: what the dashboard is about, its rows, and what its numbers mean. Charts have the numbers 1, 2, ... here,
 * which an import replaces by those it gives.
 */
export function positionOf(dashboard: Dashboard, texts: Texts): Position {
  const rows: Part[] = [];
  const leaves: Part[] = [];
  const addRow = (id: string, children: Part[]) => {
    const parents = ['ROOT_ID', 'GRID_ID'];
    rows.push({
      id,
      type: 'ROW',
      children: children.map((child) => child.id),
      parents,
      meta: { background: 'BACKGROUND_TRANSPARENT' },
    });
    for (const child of children) leaves.push({ ...child, parents: [...parents, id] });
  };
  const markdown = (id: string, code: string, pixels: number): Part => ({
    id,
    type: 'MARKDOWN',
    children: [],
    meta: { code, width: 12, height: Math.ceil(pixels / unit) },
  });
  addRow('ROW-introduction', [markdown('MARKDOWN-introduction', texts.introduction, 2 * textLine)]);
  const numbers = new Map(chartsOf(dashboard).map((chart, index) => [chart.id, index + 1]));
  dashboard.rows.forEach((row, index) => {
    if (row.heading !== undefined) {
      rows.push({
        id: `HEADER-${String(index)}`,
        type: 'HEADER',
        children: [],
        parents: ['ROOT_ID', 'GRID_ID'],
        meta: { text: row.heading, headerSize: 'MEDIUM_HEADER', background: 'BACKGROUND_TRANSPARENT' },
      });
    }
    addRow(
      `ROW-${String(index)}`,
      row.charts.map((chart) => ({
        id: `CHART-${chart.id}`,
        type: 'CHART',
        children: [],
        meta: {
          chartId: numbers.get(chart.id),
          uuid: uuidOf('chart', dashboard.id, chart.id),
          sliceName: chart.title,
          width: chart.width,
          height: row.height,
        },
      })),
    );
  });
  const lines = texts.definitions.split('\n').filter((line) => line !== '').length;
  addRow('ROW-definitions', [markdown('MARKDOWN-definitions', texts.definitions, lines * textLine + 40)]);
  const parts: Part[] = [
    { id: 'ROOT_ID', type: 'ROOT', children: ['GRID_ID'] },
    { id: 'GRID_ID', type: 'GRID', children: rows.map(({ id }) => id), parents: ['ROOT_ID'] },
    { id: 'HEADER_ID', type: 'HEADER', children: [], meta: { text: texts.title } },
    ...rows,
    ...leaves,
  ];
  return { DASHBOARD_VERSION_KEY: 'v2', ...Object.fromEntries(parts.map((part) => [part.id, part])) };
}

/** What a dashboard is about, and what each of its numbers counts, with a link to the full definition. */
export function textsOf(
  dashboard: Dashboard,
  { datasets }: Pick<Assets, 'datasets'>,
  definitionsUrl: string,
): Texts {
  const known = new Map(datasets.map((dataset) => [dataset.id, dataset]));
  const lines = new Map<string, string>();
  for (const chart of chartsOf(dashboard)) {
    for (const name of metricsOf(chart)) {
      const metric = known.get(chart.dataset)?.metrics[name];
      if (metric === undefined) continue;
      const { title, means, definition } = metric;
      lines.set(title, `- **${title}**: ${means} [Definition](${definitionsUrl}#${definition})`);
    }
  }
  const sorted = [...lines].sort(([a], [b]) => a.localeCompare(b, 'en')).map(([, line]) => line);
  return {
    title: dashboard.title,
    introduction: `${dashboard.about} [How every number is defined](${definitionsUrl})`,
    definitions: ['#### What the numbers mean', '', ...sorted].join('\n'),
  };
}
