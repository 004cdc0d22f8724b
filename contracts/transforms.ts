import { listItems, type ConnectorConfig } from '../controlplane/connector-config.ts';
import type { RecordField } from './record-fields.ts';
import type { ConnectType } from './type-table.ts';

export interface Transformed {
  /** The topic as the sink sees it. */
  topic: string;
  fields: readonly RecordField[];
  /** Transforms whose effect is not known here, by their key in the connector. */
  unknown: readonly { key: string; type: string }[];
}

const connect = 'org.apache.kafka.connect.transforms.';

/** They change no value, or no field of it. */
const harmless = new Set(
  ['InsertHeader', 'DropHeaders', 'HeaderFrom$Key', 'SetSchemaMetadata$Value', 'Filter', 'ValueToKey'].map(
    (name) => connect + name,
  ),
);

/** A topic's fields behind the connector's transforms, in their order. */
export function applyTransforms(
  config: ConnectorConfig,
  topic: string,
  fields: readonly RecordField[],
): Transformed {
  let state: Transformed = { topic, fields, unknown: [] };
  for (const alias of listItems(config['transforms'])) {
    const key = `transforms.${alias}`;
    const applies = isApplied(config, key, state.topic);
    if (applies === false) continue;
    const next = applies === undefined ? undefined : transform(config, key, state);
    const type = config[`${key}.type`] ?? '';
    state = next ?? { ...state, unknown: [...state.unknown, { key: `${key}.type`, type }] };
  }
  return state;
}

/** By its predicate; undefined where that depends on more than the topic. */
function isApplied(config: ConnectorConfig, key: string, topic: string): boolean | undefined {
  const predicate = config[`${key}.predicate`];
  if (predicate === undefined) return true;
  const type = config[`predicates.${predicate}.type`];
  const negated = config[`${key}.negate`] === 'true';
  // The check looks at records that have a value.
  if (type === 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone') return negated;
  if (type !== 'org.apache.kafka.connect.transforms.predicates.TopicNameMatches') return undefined;
  return matches(config[`predicates.${predicate}.pattern`] ?? '', topic) !== negated;
}

function transform(config: ConnectorConfig, key: string, state: Transformed): Transformed | undefined {
  const type = config[`${key}.type`] ?? '';
  const setting = (name: string) => config[`${key}.${name}`];
  if (type.endsWith('$Key') || harmless.has(type)) return state;
  switch (type) {
    case `${connect}InsertField$Value`:
      return { ...state, fields: [...state.fields, ...insertedFields(setting)] };
    case `${connect}ReplaceField$Value`:
      return { ...state, fields: replacedFields(setting, state.fields) };
    case `${connect}Cast$Value`:
      return castFields(setting('spec') ?? '', state);
    case `${connect}RegexRouter`: {
      const pattern = setting('regex') ?? '';
      if (!matches(pattern, state.topic)) return state;
      return { ...state, topic: state.topic.replace(new RegExp(pattern), setting('replacement') ?? '') };
    }
    default:
      return undefined;
  }
}

type Setting = (name: string) => string | undefined;

/** Connect marks the name of an added field with ! or ? for required and optional. */
function insertedFields(setting: Setting): RecordField[] {
  const kinds: Readonly<Record<string, ConnectType>> = {
    'topic.field': 'string',
    'partition.field': 'int32',
    'offset.field': 'int64',
    'timestamp.field': 'timestamp',
    'static.field': 'string',
  };
  return Object.entries(kinds).flatMap(([name, type]) => {
    const field = setting(name)?.replace(/[!?]$/, '');
    // It may be null by its schema; it never is.
    return field === undefined ? [] : [{ name: field, type, isNullable: false }];
  });
}

function replacedFields(setting: Setting, fields: readonly RecordField[]): RecordField[] {
  const excluded = listItems(setting('exclude') ?? setting('blacklist'));
  const included = listItems(setting('include') ?? setting('whitelist'));
  const renames = new Map(
    listItems(setting('renames')).map((item) => item.split(':', 2) as [string, string]),
  );
  return fields
    .filter(({ name }) => !excluded.includes(name) && (included.length === 0 || included.includes(name)))
    .map((field) => ({ ...field, name: renames.get(field.name) ?? field.name }));
}

const castable: ReadonlySet<string> = new Set(['int32', 'int64', 'float32', 'float64', 'boolean', 'string']);

function castFields(spec: string, state: Transformed): Transformed | undefined {
  const casts = new Map(listItems(spec).map((item) => item.split(':', 2) as [string, string | undefined]));
  if ([...casts.values()].some((type) => type === undefined || !castable.has(type))) return undefined;
  return {
    ...state,
    fields: state.fields.map(({ name, isNullable, at, ...type }) => {
      const cast = casts.get(name) as ConnectType | undefined;
      const kept = { name, isNullable, ...(at === undefined ? {} : { at }) };
      return cast === undefined ? { ...kept, ...type } : { ...kept, type: cast };
    }),
  };
}

/** Connect's patterns match the whole name. One that only Java understands matches nothing. */
function matches(pattern: string, topic: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(topic);
  } catch {
    return false;
  }
}
