import type { Problem } from '../core/errors.ts';
import {
  listItems,
  tablesByTopic,
  topicsOf,
  type Declaration,
  type DesiredConnector,
} from './connector-config.ts';
import { markAliases } from './marks.ts';
import { officialSinkClass } from './sink-class.ts';
import { isSecretKey } from './secrets.ts';

/** What the rules need of the catalog. */
export interface Contracts {
  topics: readonly { topic: string; partitions: number; rawTable: string }[];
  deadLetterTopics: readonly { topic: string }[];
}

interface RuleInput {
  /** As it is written. */
  declaration: Declaration;
  /** As the worker would get it. */
  connector: DesiredConnector;
  contracts: Contracts;
  /** What the migrations create. */
  tables: ReadonlySet<string>;
  capabilities: { keeper: boolean };
}

type Rule = (input: RuleInput) => { key: string; message: string }[];
type FleetRule = (connectors: readonly DesiredConnector[]) => Problem[];

/** The columns of every raw table that say where a row came from; the ledger is built on them. */
export const coordinateFields = {
  topic: 'kafka_topic',
  partition: 'kafka_partition',
  offset: 'kafka_offset',
  timestamp: 'kafka_timestamp',
} as const;

const insertField = 'org.apache.kafka.connect.transforms.InsertField$Value';
const shortestRetryTimeoutMs = 60_000;

/** Every other rule knows this sink and no other. */
const namesTheOfficialSink: Rule = ({ declaration }) =>
  problemIf(
    declaration.config['connector.class'] !== officialSinkClass,
    'connector.class',
    `must be ${officialSinkClass}; what a worker runs in its place is decided when it is asked`,
  );

/** Connect keeps the name inside the configuration too; a second one would be a difference in every plan. */
const namesItselfOnce: Rule = ({ connector: { config } }) =>
  problemIf('name' in config, 'name', 'belongs beside config, not into it');

/** Apply keeps its own marks there. */
const leavesTheMarksAlone: Rule = ({ connector: { config } }) =>
  listItems(config['predicates'])
    .filter((alias) => markAliases.includes(alias))
    .map((alias) => ({ key: 'predicates', message: `${alias} is taken: apply writes it itself` }));

/** The documented default is true, the code's is false: an unset key means plain text with the password in it. */
const setsSsl: Rule = ({ connector: { config } }) =>
  problemIf(
    !['true', 'false'].includes(config['ssl'] ?? ''),
    'ssl',
    "must be set to true or false: the sink's documented default and its real one differ",
  );

/** Milliseconds, although the sink's documentation shows "60". -1 retries for ever. */
const retriesLongEnough: Rule = ({ connector: { config } }) => {
  const timeoutMs = Number(config['errors.retry.timeout'] || NaN);
  return problemIf(
    !(timeoutMs === -1 || timeoutMs >= shortestRetryTimeoutMs),
    'errors.retry.timeout',
    `must be at least ${String(shortestRetryTimeoutMs)}: it is in milliseconds`,
  );
};

/** Under errors.tolerance=all without a dead letter topic the sink drops whole batches and says nothing. */
const keepsWhatItTolerates: Rule = ({ connector: { config }, contracts }) => {
  if (config['errors.tolerance'] !== 'all') return [];
  const topicKey = 'errors.deadletterqueue.topic.name';
  const topic = config[topicKey] ?? '';
  return [
    ...problemIf(
      topic === '',
      topicKey,
      'must be set under errors.tolerance=all, or records are lost silently',
    ),
    ...problemIf(
      topic !== '' && !contracts.deadLetterTopics.some((known) => known.topic === topic),
      topicKey,
      `"${topic}" is not among the catalog's deadLetterTopics`,
    ),
    ...problemIf(
      config['errors.deadletterqueue.context.headers.enable'] !== 'true',
      'errors.deadletterqueue.context.headers.enable',
      'must be true: without the headers nobody can tell why a record is there',
    ),
    // Connect's default is 3, which a broker with fewer nodes refuses when the first record fails.
    ...problemIf(
      !/^[1-9]\d*$/.test(config['errors.deadletterqueue.topic.replication.factor'] ?? ''),
      'errors.deadletterqueue.topic.replication.factor',
      'must be set: ${kafka.replicationFactor}',
    ),
  ];
};

/**
 * With client V2 the sink does not recognise a broken connection as something to retry, and tolerates it: a
 * restart of ClickHouse under load was seen to send 40,000 good records to the dead letter topic, none with V1
 * (ClickHouse/clickhouse-kafka-connect issue 818).
 */
const retriesBrokenConnections: Rule = ({ connector: { config } }) =>
  problemIf(
    config['errors.tolerance'] === 'all' && (config['client_version'] ?? 'V1') !== 'V1',
    'client_version',
    'must be V1 under errors.tolerance=all: V2 sends good records to the dead letter topic while ClickHouse is down',
  );

/** The sink splits both on "," and "=" and ignores every piece that is not name=value. */
const hasWellFormedLists: Rule = ({ connector: { config } }) =>
  ['clickhouseSettings', 'topic2TableMap'].flatMap((key) =>
    listItems(config[key]).flatMap((item) =>
      problemIf(
        !/^[^=]+=[^=]+$/.test(item),
        key,
        `"${item}" is not name=value; the sink would ignore it (commas cannot be part of a value)`,
      ),
    ),
  );

/** The worker's default may be latest, which skips everything produced before the connector's first start. */
const startsFromTheEarliestOffset: Rule = ({ connector: { config } }) =>
  problemIf(
    config['consumer.override.auto.offset.reset'] !== 'earliest',
    'consumer.override.auto.offset.reset',
    'must be earliest, or a new connector skips what is already in its topics',
  );

const readsTopicsOfTheCatalog: Rule = ({ connector, contracts }) => {
  if ('topics.regex' in connector.config) {
    return [{ key: 'topics.regex', message: 'name the topics one by one: each needs its own table' }];
  }
  const topics = topicsOf(connector);
  return [
    ...problemIf(topics.length === 0, 'topics', 'must name at least one topic'),
    ...topics
      .filter((topic) => !contracts.topics.some((known) => known.topic === topic))
      .map((topic) => ({ key: 'topics', message: `"${topic}" is not in the catalog` })),
  ];
};

/** An unmapped topic goes to a table of the topic's own name, which no migration creates. */
const mapsEachTopicToItsRawTable: Rule = ({ connector, contracts }) => {
  const tables = tablesByTopic(connector);
  const topics = topicsOf(connector);
  const known = contracts.topics.filter(({ topic }) => topics.includes(topic));
  return [
    ...known
      .filter(({ topic, rawTable }) => tables.get(topic) !== rawTable)
      .map(({ topic, rawTable }) => ({
        key: 'topic2TableMap',
        message: `must map ${topic} to ${rawTable}, the catalog's raw table`,
      })),
    ...[...tables.keys()]
      .filter((topic) => !topics.includes(topic))
      .map((topic) => ({ key: 'topic2TableMap', message: `maps ${topic}, which is not in topics` })),
  ];
};

/** A table that no migration creates is there on one server and missing on the next. */
const writesTablesOfTheMigrations: Rule = ({ connector, tables }) =>
  [...tablesByTopic(connector).values()]
    .filter((table) => table !== '' && !tables.has(table))
    .map((table) => ({ key: 'topic2TableMap', message: `no migration creates ${table}` }));

/** Connect assigns each topic's partitions as ranges, so a task beyond the largest count gets nothing to do. */
const hasNoIdleTasks: Rule = ({ connector, contracts }) => {
  const text = connector.config['tasks.max'] ?? '';
  if (!/^[1-9]\d*$/.test(text)) return [{ key: 'tasks.max', message: 'must be a whole number above 0' }];
  const topics = topicsOf(connector);
  const partitions = contracts.topics
    .filter(({ topic }) => topics.includes(topic))
    .map((one) => one.partitions);
  const most = Math.max(0, ...partitions);
  return problemIf(
    most > 0 && Number(text) > most,
    'tasks.max',
    `${text} is more than the ${String(most)} partitions of its largest topic; the rest would idle`,
  );
};

/** The ledger and reconcile prove completeness from these columns; without them nothing can be proven. */
const addsKafkaCoordinates: Rule = ({ connector: { config } }) => {
  const transforms = listItems(config['transforms']).filter(
    (alias) => config[`transforms.${alias}.type`] === insertField,
  );
  return Object.entries(coordinateFields)
    .filter(
      ([part, column]) => !transforms.some((alias) => config[`transforms.${alias}.${part}.field`] === column),
    )
    .map(([part, column]) => ({
      key: 'transforms',
      message: `need an ${insertField} with ${part}.field=${column}`,
    }));
};

/** Exactly once keeps its state in a KeeperMap table. */
const hasKeeperForExactlyOnce: Rule = ({ connector: { config }, capabilities }) =>
  problemIf(
    config['exactlyOnce'] === 'true' && !capabilities.keeper,
    'exactlyOnce',
    'needs Keeper, which this target does not have (capabilities.keeper)',
  );

/** A secret in a file is a secret in every clone of it. */
const refersToSecrets: Rule = ({ declaration: { config } }) =>
  Object.entries(config)
    .filter(([key, value]) => isSecretKey(key) && value !== '' && !/\$\{secret:|\$\$\{/.test(value))
    .map(([key]) => ({
      key,
      message:
        'must be a reference: ${secret:env:NAME}, ${secret:file:PATH}, or $${...} for the worker to resolve',
    }));

/** Every rule for one connector. */
export const connectorRules: readonly Rule[] = [
  namesTheOfficialSink,
  namesItselfOnce,
  leavesTheMarksAlone,
  setsSsl,
  retriesLongEnough,
  keepsWhatItTolerates,
  retriesBrokenConnections,
  hasWellFormedLists,
  startsFromTheEarliestOffset,
  readsTopicsOfTheCatalog,
  mapsEachTopicToItsRawTable,
  writesTablesOfTheMigrations,
  hasNoIdleTasks,
  addsKafkaCoordinates,
  hasKeeperForExactlyOnce,
  refersToSecrets,
];

/** Two connectors on one topic are two consumer groups: every row lands twice. */
const readsEachTopicOnce: FleetRule = (connectors) => {
  const readers = new Map<string, string>();
  return connectors.flatMap((connector) =>
    topicsOf(connector).flatMap((topic) => {
      const reader = readers.get(topic);
      readers.set(topic, reader ?? connector.name);
      return reader === undefined
        ? []
        : [{ path: `${connector.name}.config.topics`, message: `${topic} is already read by ${reader}` }];
    }),
  );
};

/** The state of exactlyOnce is keyed by topic and partition only, so a shared table mixes two connectors' offsets. */
const hasAStateOfItsOwn: FleetRule = (connectors) =>
  ['zkPath', 'zkDatabase'].flatMap((key) => {
    const owners = new Map<string, string>();
    return connectors
      .filter(({ config }) => config['exactlyOnce'] === 'true')
      .flatMap(({ name, config }) => {
        const value = config[key] ?? '(the default)';
        const owner = owners.get(value);
        owners.set(value, owner ?? name);
        return owner === undefined
          ? []
          : [{ path: `${name}.config.${key}`, message: `${value} is already used by ${owner}` }];
      });
  });

/** Every rule across connectors. */
export const fleetRules: readonly FleetRule[] = [readsEachTopicOnce, hasAStateOfItsOwn];

function problemIf(wrong: boolean, key: string, message: string): { key: string; message: string }[] {
  return wrong ? [{ key, message }] : [];
}
