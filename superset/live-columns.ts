import type { ClickHouse } from '../clickhouse/client.ts';
import { InvalidInputError, PipelineError } from '../core/errors.ts';
import type { ModelColumn } from './bundle/compile.ts';
import { findMissingColumns } from './declare/judge-columns.ts';
import type { Assets } from './declare/shapes.ts';

/**
 * The columns of every model the assets read, as the server has them.
 *
 * @throws PipelineError `MODELS_MISSING` when models are not built, and InvalidInputError when columns are missing
 */
export async function readModelColumns(
  clickhouse: ClickHouse,
  assets: Assets,
  signal?: AbortSignal,
): Promise<Map<string, ModelColumn[]>> {
  const models = [...new Set(assets.datasets.map(({ model }) => model))];
  const rows = await clickhouse.query(
    `SELECT table, name, type, comment FROM system.columns
     WHERE database = {database:String} AND table IN {models:Array(String)} ORDER BY table, position`,
    { params: { database: clickhouse.database, models }, ...(signal && { signal }) },
  );
  const columns = new Map<string, ModelColumn[]>();
  for (const { table, name, type, comment } of rows) {
    const known = columns.get(String(table)) ?? [];
    known.push({ name: String(name), type: String(type), comment: String(comment) });
    columns.set(String(table), known);
  }
  const names = new Map([...columns].map(([model, own]) => [model, new Set(own.map(({ name }) => name))]));
  const missing = findMissingColumns(assets, names);
  const unbuilt = missing.filter(({ column }) => column === undefined).map(({ model }) => model);
  if (unbuilt.length > 0) {
    throw new PipelineError('MODELS_MISSING', {
      what: `ClickHouse lacks models that the dashboards read: ${[...new Set(unbuilt)].join(', ')}`,
      where: `${clickhouse.url}, database ${clickhouse.database}`,
      todo: 'Build them with "npm run dbt:refresh", then run the command again.',
    });
  }
  if (missing.length > 0) {
    throw new InvalidInputError({
      what: 'The dashboards speak of columns that ClickHouse does not have',
      where: `${clickhouse.url}, database ${clickhouse.database}`,
      problems: missing.map(({ file, subject, model, column }) => ({
        path: `superset/assets/${file}: ${subject}`,
        message: `${model} has no column ${column ?? ''}`,
      })),
      todo: 'Build the models anew with "npm run dbt:refresh -- --full", or correct the files.',
    });
  }
  return columns;
}
