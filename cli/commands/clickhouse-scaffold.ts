import { describeMigrated } from '../../clickhouse/describe-tables.ts';
import { loadMigrations, migrationsFolder } from '../../clickhouse/migration-files.ts';
import { numberMigrations, writeMigrations } from '../../clickhouse/scaffold/migration-writer.ts';
import { planMigrations } from '../../clickhouse/scaffold/plan-migrations.ts';
import { toExisting } from '../../clickhouse/scaffold/read-existing.ts';
import { InvalidInputError, PipelineError } from '../../core/errors.ts';
import { withThrowAwayEngine } from '../../embedded/clickhouse/throw-away-engine.ts';
import { loadCatalog, type CatalogTopic } from '../../schemas/catalog.ts';
import { kafkaCoordinates, rawTableOf } from '../../schemas/raw-table.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

const what = 'The raw tables can not follow the schemas; nothing was written';

export const run: Run = async ({ output }, options, args) => {
  const wanted = selectTopics(loadCatalog().topics, args).map(rawTableOf);
  refuse(wanted.flatMap(({ problems }) => problems));
  const described = await withThrowAwayEngine((run) => describeMigrated(loadMigrations(), run));
  const existing = toExisting(described);
  const tables = wanted.map(({ table }) => table);
  const { migrations, problems } = planMigrations(tables, existing, kafkaCoordinates);
  refuse(problems);
  const numbered = numberMigrations(migrations);
  const isCheck = options['check'] === true;
  if (!isCheck) writeMigrations(numbered);
  output.document(numbered.map(({ file, topic, what }) => ({ file, topic, what })));
  if (numbered.length === 0) {
    output.print('Nothing to do: the migrations make a table and a ledger view for every schema as it is.');
    return 0;
  }
  output.print(
    renderTable(
      [{ title: isCheck ? 'missing' : 'written' }, { title: 'topic' }],
      numbered.map(({ file, topic }) => [file, topic]),
    ),
  );
  output.print(
    isCheck
      ? '\nRun "npm run clickhouse:scaffold" to write them.'
      : '\nRead them, then run "npm run clickhouse:migrate". Once applied, a migration is never edited.',
  );
  return isCheck ? 2 : 0;
};

function selectTopics(topics: readonly CatalogTopic[], names: readonly string[]): readonly CatalogTopic[] {
  const unknown = names.filter((name) => !topics.some(({ topic }) => topic === name));
  if (unknown.length > 0) {
    throw new PipelineError('UNKNOWN_TOPIC', {
      what: `There is no topic ${unknown.join(', ')} in the catalog`,
      where: 'schemas/topics.yaml',
      todo: `Enter it there first, or name one of: ${topics.map(({ topic }) => topic).join(', ')}.`,
    });
  }
  return names.length === 0 ? topics : topics.filter(({ topic }) => names.includes(topic));
}

function refuse(problems: InvalidInputError['problems']): void {
  if (problems.length > 0) throw new InvalidInputError({ what, where: migrationsFolder, problems });
}
