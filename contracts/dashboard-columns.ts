import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { InvalidInputError } from '../core/errors.ts';
import { parseDottedPath } from '../core/line-of.ts';
import { check } from '../core/parse.ts';
import { findMissingColumns } from '../superset/declare/judge-columns.ts';
import { readAssets } from '../superset/declare/read-assets.ts';
import { findSourceFiles } from './dbt-sources.ts';
import type { Judgement } from './judgement.ts';

const named = z.looseObject({ name: z.string() });
const modelsFile = z.looseObject({
  models: z.array(named.extend({ columns: z.array(named).default([]) })).default([]),
});

/** What the dashboards speak of, against the columns that dbt documents: a rename is found before anybody looks. */
export function judgeDashboards(root: string): Judgement[] {
  const folder = path.join(root, 'superset', 'assets');
  if (!existsSync(folder)) return [];
  try {
    return findMissingColumns(readAssets(folder), documentedColumns(root)).map(
      ({ file, at, subject, model, column }) => ({
        rule: column === undefined ? 'dashboard-model-missing' : 'dashboard-column-missing',
        level: 'error',
        subject,
        path: column ?? '',
        what:
          column === undefined
            ? `it reads ${model}, which dbt does not document`
            : `it reads ${model}.${column}, which dbt does not document`,
        breaks: ['dashboard'],
        todo: 'Correct the name, or document the column beside its model.',
        place: { in: 'file', file: `superset/assets/${file}`, at },
      }),
    );
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.problems.map(({ path: at, message }) => {
      const [, file = 'colors.yaml', rest = at] = /^([\w/-]+\.yaml): (.*)$/.exec(at) ?? [];
      return {
        rule: 'dashboard-invalid',
        level: 'error',
        subject: file,
        path: rest,
        what: `it is not valid: ${message}`,
        breaks: ['dashboard'],
        todo: 'Correct the file.',
        place: { in: 'file', file: `superset/assets/${file}`, at: parseDottedPath(rest) },
      };
    });
  }
}

/** Columns by model, of every model file that can be read; the others are reported where their sources are. */
function documentedColumns(root: string): Map<string, Set<string>> {
  return new Map(
    findSourceFiles(root).flatMap((file) => {
      let content: unknown;
      try {
        content = parse(readFileSync(path.join(root, file), 'utf8'), { logLevel: 'silent' });
      } catch {
        return [];
      }
      const { models = [] } = check(modelsFile, content ?? {}).value ?? {};
      return models.map(({ name, columns }): [string, Set<string>] => [
        name,
        new Set(columns.map((column) => column.name)),
      ]);
    }),
  );
}
