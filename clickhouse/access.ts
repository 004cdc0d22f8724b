import { readdirSync } from 'node:fs';
import path from 'node:path';
import { PipelineError } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { readText } from '../core/parse.ts';
import type { Target } from '../targets/load-target.ts';
import { createClickHouse, quoteString } from './client.ts';
import { splitStatements } from './sql-statements.ts';

const accessFolder = path.join(projectRoot, 'clickhouse', 'access');

/** ClickHouse's code for a right that the user lacks; the embedded engine, which has no users, answers it as well. */
const accessDenied = 'CLICKHOUSE_AUTHENTICATION';

/**
 * The statements that say who may read what, in their order: roles, their rights, and which rows they see. Each can
 * be repeated, and replaces what was granted before.
 *
 * @param cluster where they run, for a cluster whose servers keep their users apart; empty for none
 */
export function accessStatements(cluster = ''): string[] {
  return readdirSync(accessFolder)
    .sort()
    .flatMap((file) =>
      splitStatements(readText(path.join(accessFolder, file), 'The access rights can not be read')),
    )
    .map((statement) => (cluster === '' ? statement : onCluster(statement, cluster)));
}

/** GRANT has it behind its first word, everything else behind the name of what is made. */
function onCluster(statement: string, cluster: string): string {
  return statement.replace(
    /\b(?:GRANT|CREATE ROLE IF NOT EXISTS \w+|CREATE ROW POLICY OR REPLACE \w+)\b/,
    (head) => `${head} ON CLUSTER ${quoteString(cluster)}`,
  );
}

/**
 * Makes the roles of the readers and gives them their rights. Users, who have passwords, are made by hand.
 *
 * @returns how many statements ran
 * @throws PipelineError `ACCESS_NOT_MANAGED` when the server or its user does not allow it, and what the client throws
 */
export async function applyAccess(
  target: Pick<Target, 'clickhouse'>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<number> {
  const clickhouse = createClickHouse(target);
  const statements = accessStatements(target.clickhouse.cluster);
  try {
    for (const statement of statements) await clickhouse.command(statement, { ...(signal && { signal }) });
    return statements.length;
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== accessDenied) throw error;
    throw new PipelineError('ACCESS_NOT_MANAGED', {
      what: `The user "${target.clickhouse.user}" may not manage roles`,
      where: clickhouse.url,
      todo: 'Give it ACCESS MANAGEMENT, or run this as an administrator. The embedded engine has no users at all.',
      cause: error,
    });
  } finally {
    await clickhouse.close();
  }
}
