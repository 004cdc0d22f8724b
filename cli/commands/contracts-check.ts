import { describeMigrated } from '../../clickhouse/describe-tables.ts';
import { loadMigrations } from '../../clickhouse/migration-files.ts';
import { checkContracts } from '../../contracts/check-contracts.ts';
import { readMigratedTables } from '../../contracts/migrated-tables.ts';
import { contractRules } from '../../contracts/rules.ts';
import { listRules } from '../../core/finding.ts';
import { readDeclarations } from '../../controlplane/declarations.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Run } from '../command.ts';
import { reportFindings } from '../findings/report-findings.ts';

export const run: Run = async (context, options) => {
  const { output, home, signal } = context;
  const { topics } = loadCatalog();
  const connectors = readDeclarations();
  const migrations = loadMigrations();
  const describe = async () => {
    // Loaded only where the cache does not answer: the engine is 500 MB.
    const { withThrowAwayEngine } = await import('../../embedded/clickhouse/throw-away-engine.ts');
    return withThrowAwayEngine((run) => describeMigrated(migrations, run));
  };
  const tables = await readMigratedTables({ cache: home.cache, migrations, describe });
  const live =
    options['live'] === true
      ? await (await import('../../contracts/read-live.ts')).readLive(context.target(), topics, signal)
      : undefined;
  const findings = checkContracts({
    topics,
    connectors,
    migrations,
    tables,
    ...(live === undefined ? {} : { live }),
  });
  const where = live === undefined ? 'in the files' : 'in the files and on the servers';
  return reportFindings(output, options, {
    check: 'contracts:check',
    rules: listRules(contractRules),
    findings,
    scope: `${topics.length} topics from schema to column, ${where}`,
    document: { topics: topics.map(({ topic }) => topic) },
  });
};
