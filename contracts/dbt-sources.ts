import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { DescribedTables } from '../clickhouse/describe-tables.ts';
import { messageOf } from '../core/errors.ts';
import { check } from '../core/parse.ts';
import type { Judgement } from './judgement.ts';

const named = z.looseObject({ name: z.string() });
const sourcesFile = z.looseObject({
  sources: z
    .array(
      z.looseObject({
        name: z.string(),
        tables: z
          .array(
            named.extend({
              /** The table's real name, where it differs. */
              identifier: z.string().optional(),
              columns: z.array(named).default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

/** Every file of `dbt/models` that may declare sources, from the checkout's root; none where dbt is not there. */
export function findSourceFiles(root: string): string[] {
  const models = path.join(root, 'dbt', 'models');
  if (!existsSync(models)) return [];
  return readdirSync(models, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file))
    .map((file) => path.posix.join('dbt/models', file.split(path.sep).join('/')))
    .sort();
}

/** The sources of one file against the tables they name. */
export function judgeSources(root: string, file: string, tables: DescribedTables): Judgement[] {
  const document = parseDocument(readFileSync(path.join(root, file), 'utf8'), { logLevel: 'silent' });
  const parsed = check(sourcesFile, document.errors.length > 0 ? undefined : (document.toJS() ?? {}));
  if (parsed.value === undefined) {
    const [syntax] = document.errors;
    const reason = syntax === undefined ? (parsed.problems[0]?.message ?? '') : messageOf(syntax);
    return [
      {
        rule: 'dbt-unreadable',
        level: 'error',
        subject: file,
        path: '',
        what: `it can not be read: ${reason.replace(/:$/, '')}`,
        breaks: ['dbt'],
        todo: 'Correct the file.',
        place: { in: 'file', file, at: [] },
      },
    ];
  }
  return parsed.value.sources.flatMap((source, sourceAt) =>
    source.tables.flatMap((table, tableAt): Judgement[] => {
      const name = table.identifier ?? table.name;
      const at = ['sources', sourceAt, 'tables', tableAt] as const;
      const subject = `${source.name}.${table.name}`;
      const columns = tables[name];
      if (columns === undefined) {
        return [
          {
            rule: 'dbt-source-missing',
            level: 'error',
            subject,
            path: '',
            what: `dbt reads ${name}, which no migration makes`,
            breaks: ['dbt'],
            todo: 'Correct the name, or add the migration.',
            place: { in: 'file', file, at },
          },
        ];
      }
      return table.columns.flatMap((column, columnAt): Judgement[] =>
        columns.some((one) => one.name === column.name)
          ? []
          : [
              {
                rule: 'dbt-column-missing',
                level: 'error',
                subject,
                path: column.name,
                what: `dbt describes ${name}.${column.name}, which the table does not have`,
                breaks: ['dbt'],
                todo: 'Correct the name, or add the column by a migration.',
                place: { in: 'file', file, at: [...at, 'columns', columnAt] },
              },
            ],
      );
    }),
  );
}
