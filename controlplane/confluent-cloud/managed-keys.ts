import type { ConnectorConfig } from '../connector-config.ts';
import { managedSinkClass, officialSinkClass } from '../sink-class.ts';

/**
 * What becomes of each key of a self-managed declaration on Confluent Cloud, whose managed sink is the same code
 * behind a template. Settled from that template (confluentinc/connect-migration-utility,
 * templates/fm/ClickHouseSink_resolved_templates.json) and the connector's page in Confluent's documentation.
 * A key that stands nowhere here is an error, never dropped in silence.
 */

/** Keys that both forms have, with the same meaning. */
export const keptKeys: ReadonlySet<string> = new Set([
  'tasks.max',
  'topics',
  'topic2TableMap',
  'hostname',
  'port',
  'ssl',
  'username',
  'password',
  'database',
  'tableRefreshInterval',
  'keeperOnCluster',
  'bypassRowBinary',
  'dateTimeFormats',
  'jdbcConnectionProperties',
  'clickhouseSettings',
  'exactlyOnce',
  'tolerateStateMismatch',
  'errors.tolerance',
  'errors.deadletterqueue.topic.name',
  'errors.deadletterqueue.context.headers.enable',
  'consumer.override.auto.offset.reset',
  'consumer.override.isolation.level',
  'transforms',
  'predicates',
  // The managed form's own, for a target's overrides.
  'auto.restart.on.user.error',
  'input.data.format',
  'input.key.format',
  'max.poll.interval.ms',
  'schema.context.name',
  'value.converter.decimal.format',
  'value.converter.flatten.unions',
  'value.converter.ignore.default.for.nullables',
  'value.converter.optional.for.nullables',
  'value.converter.replace.null.with.default',
  'value.converter.value.subject.name.strategy',
]);

/** Beginnings of keys that both forms have. */
export const keptPrefixes = ['transforms.', 'predicates.'] as const;

export interface Renaming {
  to: string;
  /** The managed word for each value; undefined where the value stays as it is. */
  values?: ReadonlyMap<string, string>;
}

/** Keys that are called otherwise there. */
export const renamedKeys: ReadonlyMap<string, Renaming> = mapOf({
  'connector.class': { to: 'connector.class', values: mapOf({ [officialSinkClass]: managedSinkClass }) },
  'value.converter': {
    to: 'input.data.format',
    values: mapOf({
      'io.confluent.connect.avro.AvroConverter': 'AVRO',
      'io.confluent.connect.json.JsonSchemaConverter': 'JSON_SR',
      'io.confluent.connect.protobuf.ProtobufConverter': 'PROTOBUF',
      'org.apache.kafka.connect.json.JsonConverter': 'JSON',
    }),
  },
  'key.converter': {
    to: 'input.key.format',
    values: mapOf({
      'io.confluent.connect.avro.AvroConverter': 'AVRO',
      'io.confluent.connect.json.JsonSchemaConverter': 'JSON_SR',
      'io.confluent.connect.protobuf.ProtobufConverter': 'PROTOBUF',
      'org.apache.kafka.connect.json.JsonConverter': 'JSON',
      'org.apache.kafka.connect.storage.StringConverter': 'STRING',
      'org.apache.kafka.connect.converters.ByteArrayConverter': 'BYTES',
    }),
  },
  'consumer.override.max.poll.interval.ms': { to: 'max.poll.interval.ms' },
});

const ownRegistry = "the service reads the schemas of the environment's own registry";
const ownConsumer = 'the service tunes its consumer itself';
const ownState = 'the service keeps the state of exactlyOnce under the default path';
const ownBatching = 'the service batches by partition';

/** Keys that are not sent, and why nothing is lost by it. */
export const leftOutKeys: ReadonlyMap<string, string> = mapOf({
  'errors.retry.timeout': 'fixed at 300000',
  'errors.retry.delay.max.ms': 'fixed at 30000',
  'errors.log.enable': 'fixed at true',
  'errors.log.include.messages': 'fixed at false',
  'errors.deadletterqueue.topic.replication.factor': 'fixed at 3',
  'consumer.override.max.poll.records': 'fixed at 5000',
  'consumer.override.max.partition.fetch.bytes': 'fixed at 5242880',
  'consumer.override.fetch.max.bytes': ownConsumer,
  'consumer.override.fetch.min.bytes': ownConsumer,
  'consumer.override.fetch.max.wait.ms': ownConsumer,
  'value.converter.schema.registry.url': ownRegistry,
  'value.converter.basic.auth.credentials.source': ownRegistry,
  'value.converter.basic.auth.user.info': ownRegistry,
  'value.converter.schemas.enable': 'decided by input.data.format',
  'key.converter.schemas.enable': 'decided by input.key.format',
  client_version: "the service's version of the sink decides",
  clickhouseClientInsertTimeoutMs: "the service's version of the sink decides",
  zkPath: ownState,
  zkDatabase: ownState,
  bufferCount: ownBatching,
  bufferFlushTime: ownBatching,
  ignorePartitionsWhenBatching: ownBatching,
});

/** Keys that would change what lands, and are not there: only the value that means "off" may be declared. */
export const absentKeys: ReadonlyMap<string, string> = mapOf({
  'auto.evolve': 'false',
  debeziumCDCEnabled: 'false',
});

/** What the service gives back for keys that nobody declared. */
export const managedDefaults: ConnectorConfig = {
  'auto.restart.on.user.error': 'true',
  bypassRowBinary: 'false',
  clickhouseSettings: '',
  database: 'default',
  dateTimeFormats: '',
  'errors.deadletterqueue.context.headers.enable': 'false',
  'errors.deadletterqueue.topic.name': '',
  'errors.tolerance': 'none',
  exactlyOnce: 'false',
  'input.key.format': 'JSON',
  jdbcConnectionProperties: '',
  keeperOnCluster: '',
  'key.converter.key.subject.name.strategy': 'TopicNameStrategy',
  'key.converter.replace.null.with.default': 'true',
  'key.converter.schemas.enable': 'false',
  'max.poll.interval.ms': '300000',
  'max.poll.records': '500',
  port: '8443',
  'schema.context.name': 'default',
  ssl: 'true',
  tableRefreshInterval: '0',
  tolerateStateMismatch: 'false',
  username: 'default',
  'value.converter.decimal.format': 'BASE64',
  'value.converter.flatten.singleton.unions': 'false',
  'value.converter.ignore.default.for.nullables': 'false',
  'value.converter.reference.subject.name.strategy': 'DefaultReferenceSubjectNameStrategy',
  'value.converter.replace.null.with.default': 'true',
  'value.converter.schemas.enable': 'false',
  'value.converter.value.subject.name.strategy': 'TopicNameStrategy',
};

/** A declared key may be called anything, "constructor" included, which every object has. */
function mapOf<T>(entries: Record<string, T>): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries));
}
