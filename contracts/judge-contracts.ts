import type { DescribedColumn, DescribedTables } from '../clickhouse/describe-tables.ts';
import { tablesByTopic, topicsOf, type Declaration } from '../controlplane/connector-config.ts';
import type { CatalogTopic } from '../schemas/catalog.ts';
import { judgePair } from './judge-pair.ts';
import type { Judgement } from './judgement.ts';
import { fieldsOf, type RecordField } from './record-fields.ts';
import { applyTransforms } from './transforms.ts';

export interface Contracts {
  topics: readonly Pick<
    CatalogTopic,
    'topic' | 'schema' | 'key' | 'id' | 'references' | 'rawTable' | 'definition'
  >[];
  connectors: readonly Declaration[];
  tables: DescribedTables;
}

type Topic = Contracts['topics'][number];

/** The columns that the same event has in each delivery and a consumer may rely on (data-model: the envelope). */
const immutable = ['event_id', 'event_type', 'occurred_at', 'entity_version'];

/** Every field on its way from the schema through the connector into its column. Pure. */
export function judgeContracts({ topics, connectors, tables }: Contracts): Judgement[] {
  return topics.flatMap((topic) => {
    const readers = connectors.filter((connector) => topicsOf(connector).includes(topic.topic));
    if (readers.length === 0) return [unmapped(topic)];
    return readers.flatMap((connector) => judgeTopic(topic, connector, tables));
  });
}

function judgeTopic(topic: Topic, connector: Declaration, tables: DescribedTables): Judgement[] {
  const { config, name } = connector;
  const behind = applyTransforms(config, topic.topic, fieldsOf(topic.definition));
  const [unknown] = behind.unknown;
  if (unknown !== undefined) {
    const { key, type } = unknown;
    return [
      {
        rule: 'transform-unknown',
        level: 'warning',
        subject: name,
        path: key,
        what: `what ${type || 'the transform'} does to ${topic.topic} is not known, so its fields were not checked`,
        breaks: [],
        todo: 'Use InsertField, ReplaceField, Cast or RegexRouter where they will do.',
        place: { in: 'connector', name, key },
      },
    ];
  }
  const table = tablesByTopic(connector).get(behind.topic);
  if (table === undefined) return [unmapped(topic, connector)];
  if (table !== topic.rawTable) {
    return [
      {
        rule: 'mapping-wrong',
        level: 'error',
        subject: name,
        path: topic.topic,
        what: `${topic.topic} goes to ${table}; the catalog, the ledger and dbt expect it in ${topic.rawTable}`,
        breaks: ['table'],
        todo: `Map ${topic.topic}=${topic.rawTable} in topic2TableMap.`,
        place: { in: 'connector', name, key: 'topic2TableMap' },
      },
    ];
  }
  const columns = tables[table];
  if (columns === undefined) return [noTable(topic, name)];
  return [...judgeFields(topic, behind.fields, columns), ...judgeColumns(topic, behind.fields, columns)];
}

function unmapped({ topic, rawTable }: Topic, connector?: Declaration): Judgement {
  return {
    rule: 'topic-unmapped',
    level: 'error',
    subject: topic,
    path: '',
    what:
      connector === undefined
        ? `no connector reads ${topic}: its records never reach ${rawTable}`
        : `${connector.name} reads ${topic} and maps it to no table`,
    breaks: ['table'],
    todo: `Add ${topic} to "topics" and ${topic}=${rawTable} to "topic2TableMap" of a file in connectors/.`,
    place:
      connector === undefined
        ? { in: 'catalog', topic }
        : { in: 'connector', name: connector.name, key: 'topic2TableMap' },
  };
}

function noTable({ topic, rawTable }: Topic, name: string): Judgement {
  return {
    rule: 'table-missing',
    level: 'error',
    subject: topic,
    path: '',
    what: `${name} writes ${topic} into ${rawTable}, which no migration makes`,
    breaks: ['sink', 'table'],
    todo: 'Run "npm run clickhouse:scaffold": it writes the migration.',
    place: { in: 'connector', name, key: 'topic2TableMap' },
  };
}

function judgeFields(
  topic: Topic,
  fields: readonly RecordField[],
  columns: readonly DescribedColumn[],
): Judgement[] {
  return fields.flatMap((field): Judgement[] => {
    const { name, at } = field;
    const column = columns.find((one) => one.name === name);
    const base = {
      subject: topic.topic,
      path: name,
      place:
        at === undefined
          ? ({ in: 'migrations', table: topic.rawTable } as const)
          : ({ in: 'schema', file: topic.schema, at } as const),
    };
    if (column === undefined || isComputed(column)) {
      return [
        {
          ...base,
          rule: 'field-dropped',
          level: 'error',
          what:
            column === undefined
              ? `${topic.rawTable} has no column ${name}: the sink drops the field without a word`
              : `${topic.rawTable}.${name} is computed: the sink drops the field without a word`,
          breaks: ['table'],
          todo: 'Run "npm run clickhouse:scaffold" and commit the migration it writes with the schema.',
        },
      ];
    }
    return judgePair(field, column).map((problem) => ({
      ...base,
      ...problem,
      breaks: ['sink', 'table'] as const,
    }));
  });
}

function judgeColumns(
  topic: Topic,
  fields: readonly RecordField[],
  columns: readonly DescribedColumn[],
): Judgement[] {
  return columns.flatMap((column) => [...judgeUnfilled(topic, fields, column), ...judgeKey(topic, column)]);
}

function judgeUnfilled(topic: Topic, fields: readonly RecordField[], column: DescribedColumn): Judgement[] {
  const { name, type, defaultKind } = column;
  if (isComputed(column) || fields.some((field) => field.name === name)) return [];
  const isRequired = defaultKind === '' && !/\bNullable\(/.test(type);
  return [
    {
      rule: 'column-unfilled',
      level: isRequired ? 'error' : 'note',
      subject: topic.topic,
      path: name,
      what: isRequired
        ? `no field fills ${topic.rawTable}.${name}, which is neither Nullable nor has a default: the sink refuses every record`
        : `no field fills ${topic.rawTable}.${name}: it is always ${defaultKind === '' ? 'null' : 'its default'}`,
      breaks: isRequired ? ['sink', 'table'] : [],
      todo: isRequired
        ? 'Restore the field, or keep what landed and give the column a default by a migration.'
        : 'Nothing, if it keeps the values of a field that was retired or of the insert itself.',
      place: { in: 'migrations', table: topic.rawTable, column: name },
    },
  ];
}

function judgeKey(topic: Topic, column: DescribedColumn): Judgement[] {
  const { name, isInPartitionKey, isInSortingKey } = column;
  if (!isInPartitionKey && !isInSortingKey) return [];
  if ([...immutable, topic.key, topic.id, ...Object.keys(topic.references)].includes(name)) return [];
  const key = isInPartitionKey ? 'partition key' : 'sorting key';
  return [
    {
      rule: 'key-mutable',
      level: 'error',
      subject: topic.topic,
      path: name,
      what: `${topic.rawTable} has ${name} in its ${key}, and ${name} is not fixed for an event and its entity: a redelivered or corrected event would not meet itself`,
      breaks: ['table'],
      todo: `Make the keys of ${[...immutable, topic.key, topic.id].filter((one, at, all) => all.indexOf(one) === at).join(', ')}.`,
      place: { in: 'migrations', table: topic.rawTable, column: name },
    },
  ];
}

/** The sink can not insert into it. */
function isComputed({ defaultKind }: DescribedColumn): boolean {
  return ['MATERIALIZED', 'ALIAS', 'EPHEMERAL'].includes(defaultKind);
}
