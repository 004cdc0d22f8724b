import type { CauseClass } from './trace-causes.ts';

export interface TracePattern {
  /** Names it in tests and in the runbook. */
  id: string;
  cause: Exclude<CauseClass, 'unknown'>;
  pattern: RegExp;
}

/**
 * Patterns of traces, first match wins: what names a definite culprit comes before the broken connections that
 * often follow from it. Each is shown by a real trace in test/fixtures/traces/, or in the words of the software
 * that throws it where the failure could not be provoked.
 *
 * ClickHouse prints "Code: N. DB::Exception: ... (NAME)" (src/Common/ErrorCodes.cpp). Only this form is matched: a
 * JSON parser's "(code 60)" is a character, and a topic may be called unknown_setting.
 */
export const tracePatterns: readonly TracePattern[] = [
  // Unknown user 192, wrong password 193, password required 194, access denied 497, authentication failed 516.
  { id: 'clickhouse-login', cause: 'authentication', pattern: clickhouse(192, 193, 194, 497, 516) },
  {
    id: 'kafka-login',
    cause: 'authentication',
    pattern: /AuthorizationException|SaslAuthenticationException|SslAuthenticationException/,
  },
  // Confluent Cloud's own words. Its list of errors in the configuration is also how it words a wrong key.
  { id: 'cloud-login', cause: 'authentication', pattern: /Kafka ApiKey is invalid/ },
  { id: 'registry-login', cause: 'authentication', pattern: /UnauthorizedException|ForbiddenException/ },

  // The same code as too many parts, but no merge helps: one insert touches more partitions than it may.
  {
    id: 'too-many-partitions',
    cause: 'configuration',
    pattern: /Too many partitions for single INSERT block/,
  },
  { id: 'too-many-parts', cause: 'capacity', pattern: clickhouse(252) },
  { id: 'memory-limit', cause: 'capacity', pattern: clickhouse(241) },
  { id: 'too-many-queries', cause: 'capacity', pattern: clickhouse(202) },
  { id: 'disk-full', cause: 'capacity', pattern: /\bCode: 243\b|No space left on device/ },
  { id: 'worker-memory', cause: 'capacity', pattern: /OutOfMemoryError/ },

  // The table changed while the sink wrote by the columns of before; a restart reads the new ones.
  { id: 'table-changed', cause: 'transient', pattern: /While executing BinaryRowInputFormat/ },
  // No such column 16 and 47, unknown table 60, unknown database 81.
  {
    id: 'table-missing',
    cause: 'schema-mismatch',
    pattern: /\bCode: (?:16|47|60|81)\b|Table \S+ (?:of topic \S+ )?does not exist/,
  },
  // 53 type mismatch; 48: the table is a view that takes no rows.
  {
    id: 'type-mismatch',
    cause: 'schema-mismatch',
    pattern: /\bCode: (?:48|53)\b|Failed to write column|Not implemented conversion/,
  },
  { id: 'columns-unfit', cause: 'schema-mismatch', pattern: /Data schema validation failed/ },
  { id: 'null-refused', cause: 'schema-mismatch', pattern: /null into not nullable column/ },
  {
    id: 'enum-symbol',
    cause: 'schema-mismatch',
    pattern: /convertEnumValues|the enumeration has no such value/,
  },

  { id: 'keeper-missing', cause: 'configuration', pattern: /KeeperMap is disabled/ },
  // 115 unknown setting; 164: the user or the session may only read.
  { id: 'setting-refused', cause: 'configuration', pattern: clickhouse(115, 164) },
  { id: 'dead-letter-topic', cause: 'configuration', pattern: /Could not initialize dead letter queue/ },
  {
    id: 'offset-policy',
    cause: 'configuration',
    pattern: /NoOffsetForPartitionException|OffsetOutOfRangeException/,
  },
  {
    id: 'kafka-protocol',
    cause: 'configuration',
    pattern: /IllegalSaslStateException|UnsupportedSaslMechanismException/,
  },
  { id: 'class-missing', cause: 'configuration', pattern: /ClassNotFoundException|NoClassDefFoundError/ },
  { id: 'config-invalid', cause: 'configuration', pattern: /ConfigException/ },
  {
    id: 'cloud-configuration',
    cause: 'configuration',
    pattern: /errors with your configuration|Unable to validate configuration/,
  },
  { id: 'registry-address', cause: 'configuration', pattern: /Could not find resource for full path/ },
  { id: 'transform-unfit', cause: 'configuration', pattern: /Only (?:Struct|Map) objects supported/ },

  // A value that ClickHouse or the sink could not read: parsing 6, 27, 33, 41, 72, 117; constraint 469, throwIf 395.
  {
    id: 'value-refused',
    cause: 'poison-record',
    pattern: /\bCode: (?:6|27|33|41|72|117|395|469)\b|Invalid UUID string/,
  },
  {
    id: 'schema-id-unknown',
    cause: 'poison-record',
    pattern: /ContentNotFoundException|ArtifactNotFoundException|error code: 404\d\d/,
  },
  {
    id: 'not-decodable',
    cause: 'poison-record',
    pattern:
      /artifact reference cannot be null|Unknown magic byte|SerializationException|AvroRuntimeException/,
  },

  { id: 'sink-not-connected', cause: 'transient', pattern: /Connection to ClickHouse is not active/ },
  { id: 'registry-away', cause: 'transient', pattern: /RestClientException/ },
  {
    id: 'connection-broken',
    cause: 'transient',
    pattern: /Connection refused|Connection reset|Broken pipe|UnknownHostException|DisconnectException/,
  },
  // Timeout 159, no free connection 203, socket timeout 209, network 210, table read-only 242, few replicas 285.
  {
    id: 'server-busy',
    cause: 'transient',
    pattern: /\bCode: (?:3|159|203|209|210|242|285|319|425|999)\b|timed out|TimeoutException/,
  },
  // Whatever else a converter or a transform throws: with errors.tolerance=none one record stops its task.
  { id: 'record-failed', cause: 'poison-record', pattern: /Tolerance exceeded in error handler/ },
];

function clickhouse(...codes: readonly number[]): RegExp {
  return new RegExp(`\\bCode: (?:${codes.join('|')})\\b`);
}
