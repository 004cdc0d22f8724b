import { columnsRead } from './identifiers.ts';
import { columnsOf } from './references.ts';
import type { Assets } from './shapes.ts';

/** Something in the assets that speaks of a column its model does not have. */
export interface MissingColumn {
  /** File below `superset/assets/`, and where in it. */
  file: string;
  at: readonly (string | number)[];
  /** What speaks of it. */
  subject: string;
  model: string;
  /** Undefined where the model itself is missing. */
  column: string | undefined;
}

/**
 * Every column that a dataset, a chart or a filter speaks of and that its model lacks. Pure: `columns` is what dbt
 * documents, or what the server has.
 */
export function findMissingColumns(
  { datasets, dashboards }: Assets,
  columns: ReadonlyMap<string, ReadonlySet<string>>,
): MissingColumn[] {
  const missing: MissingColumn[] = [];
  const available = new Map<string, ReadonlySet<string>>();
  for (const dataset of datasets) {
    const { id, model } = dataset;
    const file = `datasets/${id}.yaml`;
    const own = columns.get(model);
    if (own === undefined) {
      missing.push({ file, at: ['model'], subject: id, model, column: undefined });
      continue;
    }
    const demand = (names: readonly string[], at: MissingColumn['at'], subject = id) => {
      for (const column of names) if (!own.has(column)) missing.push({ file, at, subject, model, column });
    };
    if (dataset.time !== undefined) demand([dataset.time], ['time']);
    for (const name of Object.keys(dataset.titles)) demand([name], ['titles', name]);
    const expressions = [
      ...Object.entries(dataset.calculated).map(
        ([name, one]) => ['calculated', name, one.expression] as const,
      ),
      ...Object.entries(dataset.metrics).map(([name, one]) => ['metrics', name, one.expression] as const),
    ];
    for (const [kind, name, expression] of expressions) {
      const read = expression.includes('{units}') ? ['currency'] : [];
      demand([...read, ...columnsRead(expression)], [kind, name, 'expression'], `${id}.${name}`);
    }
    available.set(id, new Set([...own, ...Object.keys(dataset.calculated)]));
  }
  const models = new Map(datasets.map(({ id, model }) => [id, model]));
  for (const dashboard of dashboards) {
    const file = `dashboards/${dashboard.id}.yaml`;
    const demand = (names: readonly string[], dataset: string, at: MissingColumn['at'], subject: string) => {
      const own = available.get(dataset);
      const model = models.get(dataset) ?? dataset;
      for (const column of names) {
        if (own !== undefined && !own.has(column)) missing.push({ file, at, subject, model, column });
      }
    };
    dashboard.filters.forEach(({ column, dataset }, index) => {
      demand([column], dataset, ['filters', index, 'column'], `${dashboard.id}: filter ${column}`);
    });
    dashboard.rows.forEach((row, rowIndex) => {
      row.charts.forEach((chart, index) => {
        const at = ['rows', rowIndex, 'charts', index];
        demand(columnsOf(chart), chart.dataset, at, `${dashboard.id}: ${chart.id}`);
      });
    });
  }
  return missing;
}
