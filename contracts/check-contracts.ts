import type { DescribedTables } from '../clickhouse/describe-tables.ts';
import type { Migration } from '../clickhouse/migration-files.ts';
import type { Finding } from '../core/finding.ts';
import { projectRoot } from '../core/home.ts';
import { compareLive, type LiveContracts } from './compare-live.ts';
import { judgeDashboards } from './dashboard-columns.ts';
import { findSourceFiles, judgeSources } from './dbt-sources.ts';
import { judgeContracts, type Contracts } from './judge-contracts.ts';
import { locateAll } from './locate.ts';

export interface CheckedContracts extends Contracts {
  migrations: readonly Migration[];
  tables: DescribedTables;
  /** What the servers have; left out for a check of the files alone. */
  live?: LiveContracts;
  /** The checkout. */
  root?: string;
}

/** Avro field, connector, column, dbt source and dashboard against each other; worst first. */
export function checkContracts({
  root = projectRoot,
  migrations,
  live,
  ...contracts
}: CheckedContracts): Finding[] {
  const { topics, tables } = contracts;
  const judgements = [
    ...judgeContracts(contracts),
    ...findSourceFiles(root).flatMap((file) => judgeSources(root, file, tables)),
    ...judgeDashboards(root),
    ...(live === undefined ? [] : compareLive(contracts, live)),
  ];
  const weights = ['error', 'warning', 'note'];
  return locateAll(judgements, { root, topics, migrations }).sort(
    (a, b) => weights.indexOf(a.level) - weights.indexOf(b.level),
  );
}
