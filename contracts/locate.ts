import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Migration } from '../clickhouse/migration-files.ts';
import type { Finding } from '../core/finding.ts';
import { createLineFinder, type DocumentPath, type LineFinder } from '../core/line-of.ts';
import type { CatalogTopic } from '../schemas/catalog.ts';
import type { Judgement, Place } from './judgement.ts';

export interface Sources {
  /** The checkout. */
  root: string;
  topics: readonly Pick<CatalogTopic, 'topic'>[];
  migrations: readonly Pick<Migration, 'name' | 'statement'>[];
}

/** Gives each judgement its file and line. */
export function locateAll(judgements: readonly Judgement[], sources: Sources): Finding[] {
  const finders = new Map<string, LineFinder>();
  const lineIn = (file: string, at: DocumentPath) => {
    const finder = finders.get(file) ?? createLineFinder(readFileSync(path.join(sources.root, file), 'utf8'));
    finders.set(file, finder);
    return { file, line: finder.lineOf(at) };
  };
  return judgements.map(({ place, ...finding }) => ({ ...finding, ...whereIs(place, sources, lineIn) }));
}

function whereIs(
  place: Place,
  { topics, migrations }: Sources,
  lineIn: (file: string, at: DocumentPath) => Pick<Finding, 'file' | 'line'>,
): Pick<Finding, 'file' | 'line'> {
  switch (place.in) {
    case 'schema':
      return lineIn(`schemas/${place.file}`, place.at);
    case 'file':
      return lineIn(place.file, place.at);
    case 'connector':
      return lineIn(`connectors/${place.name}.json`, ['config', place.key]);
    case 'catalog': {
      const index = topics.findIndex(({ topic }) => topic === place.topic);
      return lineIn('schemas/topics.yaml', ['topics', index, 'topic']);
    }
    case 'migrations':
      return lineOfColumn(place, migrations);
  }
}

/** The last line of a migration of the table that names the column; without one, the migration that made the table. */
function lineOfColumn(
  { table, column }: { table: string; column?: string },
  migrations: Sources['migrations'],
): Pick<Finding, 'file' | 'line'> {
  const own = migrations.filter(({ statement }) =>
    new RegExp(`\\bTABLE\\s+(IF\\s+\\w+\\s+)?(\\w+\\s+)?\`?${table}\\b`, 'i').test(statement),
  );
  for (const { name, statement } of column === undefined ? [] : own.toReversed()) {
    const line = statement
      .split('\n')
      .findIndex((text) =>
        new RegExp(`^\\s+\`?${column ?? ''}\`? |COLUMN .*\\b${column ?? ''}\\b`).test(text),
      );
    if (line !== -1) return { file: `clickhouse/migrations/${name}.sql`, line: line + 1 };
  }
  return { file: `clickhouse/migrations/${own[0]?.name ?? ''}.sql`, line: 1 };
}
