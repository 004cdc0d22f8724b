import type { DescribedTables } from '../clickhouse/describe-tables.ts';
import { topicsOf, tablesByTopic, type Declaration } from '../controlplane/connector-config.ts';
import type { AvroRecord } from '../schemas/read-schema.ts';
import type { Contracts } from './judge-contracts.ts';
import type { Judgement } from './judgement.ts';

/** What the servers have. */
export interface LiveContracts {
  /** Latest registered schema by topic; undefined where the subject is not registered. */
  schemas: ReadonlyMap<string, AvroRecord | undefined>;
  /** As they run, by name. */
  connectors: ReadonlyMap<string, Declaration>;
  tables: DescribedTables;
}

/** Where the servers differ from the files, as far as a record's way into its column goes. Pure. */
export function compareLive({ topics, connectors, tables }: Contracts, live: LiveContracts): Judgement[] {
  return [
    ...topics.flatMap((topic) => compareSchema(topic, live.schemas.get(topic.topic))),
    ...connectors.flatMap((connector) => compareConnector(connector, live.connectors.get(connector.name))),
    ...topics.flatMap(({ topic, rawTable }) => compareTable(topic, rawTable, tables, live.tables)),
  ];
}

function compareSchema(
  { topic, schema, definition }: Contracts['topics'][number],
  registered: AvroRecord | undefined,
): Judgement[] {
  if (registered !== undefined && sameJson(registered, definition)) return [];
  const what =
    registered === undefined
      ? `the registry has no schema of ${topic}`
      : `the registry's latest schema of ${topic} is not the catalog's`;
  return [
    {
      rule: 'live-schema',
      level: 'error',
      subject: `${topic}-value`,
      path: '',
      what,
      breaks: ['producer on the old schema'],
      todo: 'Run "npm run schemas:register", once the table has its columns.',
      place: { in: 'schema', file: schema, at: [] },
    },
  ];
}

/**
 * The keys that decide into which column a field goes. Of the predicates those that a transform refers to: the
 * project's own mark on a connector is one as well.
 */
function contractKeys({ config }: Declaration): string[] {
  const used = Object.entries(config).flatMap(([key, value]) =>
    /^transforms\..*\.predicate$/.test(key) ? [`predicates.${value}.`] : [],
  );
  return Object.keys(config).filter(
    (key) =>
      /^(topics$|topic2TableMap$|transforms(\.|$))/.test(key) ||
      used.some((prefix) => key.startsWith(prefix)),
  );
}

function compareConnector(declared: Declaration, live: Declaration | undefined): Judgement[] {
  const { name } = declared;
  const base = {
    rule: 'live-connector',
    level: 'error',
    subject: name,
    breaks: ['sink'],
    todo: 'Run "npm run connectors:plan", then "npm run connectors:apply".',
  } as const;
  if (live === undefined) {
    const what = 'the worker does not run it';
    return [{ ...base, path: '', what, place: { in: 'connector', name, key: 'topics' } }];
  }
  const keys = new Set([...contractKeys(declared), ...contractKeys(live)]);
  return [...keys].flatMap((key): Judgement[] => {
    if (isSame(key, declared, live)) return [];
    const what = `the worker has another ${key} than the declaration`;
    return [{ ...base, path: key, what, place: { in: 'connector', name, key } }];
  });
}

/** Lists may be written in another order. */
function isSame(key: string, declared: Declaration, live: Declaration): boolean {
  if (key === 'topics') return sameJson(topicsOf(declared).sort(), topicsOf(live).sort());
  if (key === 'topic2TableMap') {
    return sameJson([...tablesByTopic(declared)].sort(), [...tablesByTopic(live)].sort());
  }
  return declared.config[key] === live.config[key];
}

function compareTable(
  topic: string,
  table: string,
  migrated: DescribedTables,
  live: DescribedTables,
): Judgement[] {
  const [wanted, found] = [migrated[table] ?? [], live[table]];
  const base = { rule: 'live-table', level: 'error', subject: topic, breaks: ['sink', 'table'] } as const;
  if (found === undefined) {
    const what = `the server has no table ${table}`;
    const todo = 'Run "npm run clickhouse:migrate".';
    return [{ ...base, path: '', what, todo, place: { in: 'migrations', table } }];
  }
  const names = [...new Set([...wanted, ...found].map(({ name }) => name))];
  return names.flatMap((name): Judgement[] => {
    const [want, has] = [wanted, found].map((columns) => columns.find((column) => column.name === name));
    if (want?.type === has?.type && want?.defaultKind === has?.defaultKind) return [];
    const place = { in: 'migrations', table, column: name } as const;
    const what =
      want === undefined
        ? `the server's ${table} has a column ${name} that no migration makes`
        : has === undefined
          ? `the server's ${table} lacks the column ${name}`
          : `the server's ${table}.${name} is ${describe(has)}, the migrations make it ${describe(want)}`;
    const todo =
      want === undefined
        ? 'Somebody changed the table by hand: write the change as a migration.'
        : 'Run "npm run clickhouse:migrate"; if nothing is pending, somebody changed the table by hand.';
    return [{ ...base, path: name, what, todo, place }];
  });
}

function describe({ type, defaultKind }: { type: string; defaultKind: string }): string {
  return defaultKind === '' ? type : `${type} ${defaultKind}`;
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
