import { createClickHouse } from '../clickhouse/client.ts';
import { InvalidInputError, PipelineError, isAbort, type Problem } from '../core/errors.ts';
import { createRegistry } from '../schemas/registry.ts';
import type { Target } from '../targets/load-target.ts';
import { topicsOf, type DesiredConnector } from './connector-config.ts';
import type { ConnectorService } from './connector-service.ts';
import { findTableProblems, readTables, type TopicFields } from './preflight.ts';

/** A topic as the servers know it. */
export type ServedTopic = TopicFields & { subject: string };

interface CheckOptions {
  target: Target;
  topics: readonly ServedTopic[];
  service: ConnectorService;
  signal?: AbortSignal | undefined;
}

/**
 * Asks every server that the connectors depend on whether they could run. Each check is for something that
 * otherwise goes wrong silently: Connect validates without contacting anybody, a table or column that is missing
 * fails tasks or drops fields, and while the registry is away the sink sends good records to the dead letter topic.
 *
 * @throws InvalidInputError with everything that is wrong; the server's own error where it is the only one
 */
export async function checkServers(
  connectors: readonly DesiredConnector[],
  options: CheckOptions,
): Promise<void> {
  const { target, service } = options;
  const checks = [findRefusedSettings, findMissingSubjects, findUnfitTables];
  const outcomes = await Promise.all(
    checks.map((check) =>
      check(connectors, options).catch((error: unknown) => {
        if (isAbort(error) || !(error instanceof PipelineError)) throw error;
        return error;
      }),
    ),
  );
  const failures = outcomes.filter((outcome) => outcome instanceof PipelineError);
  const problems = outcomes.flatMap((outcome) => (outcome instanceof PipelineError ? [] : outcome));
  const [failure] = failures;
  if (failure === undefined && problems.length === 0) return;
  // By itself a server's failure says best what to do; beside other problems it is one more of them.
  if (failure !== undefined && failures.length === 1 && problems.length === 0) throw failure;
  throw new InvalidInputError({
    what: 'The connectors cannot run like this; nothing was changed',
    where: [service.address, target.schemaRegistry.url, target.clickhouse.url].join(', '),
    problems: [
      ...failures.map(({ where, message }) => ({ path: where ?? service.address, message })),
      ...problems.sort((a, b) => a.path.localeCompare(b.path)),
    ],
    todo: 'Create what is missing with schemas:register and clickhouse:migrate, correct the rest in connectors/.',
  });
}

type Check = (connectors: readonly DesiredConnector[], options: CheckOptions) => Promise<readonly Problem[]>;

const findRefusedSettings: Check = async (connectors, { service, signal }) =>
  (await Promise.all(connectors.map((connector) => service.validate(connector, signal)))).flat();

const findMissingSubjects: Check = async (connectors, { target, topics, signal }) => {
  const registry = createRegistry(target.schemaRegistry, signal);
  const wanted = connectors.flatMap((connector) =>
    topicsOf(connector).flatMap((topic) => {
      const known = topics.find((one) => one.topic === topic);
      return known === undefined ? [] : [{ path: `${connector.name}.config.topics`, subject: known.subject }];
    }),
  );
  const missing = await Promise.all(
    wanted.map(async ({ path, subject }) =>
      (await registry.hasSubject(subject))
        ? []
        : [{ path, message: `the registry has no schema under ${subject}` }],
    ),
  );
  return missing.flat();
};

/** Logs in to ClickHouse on the way, which is half the point of asking. */
const findUnfitTables: Check = async (connectors, { target, topics, signal }) => {
  // The database of the target may not exist yet; this one always does.
  const clickhouse = createClickHouse(target, { database: 'system', requestTimeoutMs: 10_000 });
  try {
    const tables = await readTables(clickhouse, target.clickhouse.database, signal);
    return findTableProblems(connectors, topics, tables);
  } finally {
    await clickhouse.close();
  }
};
