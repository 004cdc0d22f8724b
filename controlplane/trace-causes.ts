/** Why a connector is unhealthy, in classes that differ in what has to be done about them. */
export const causeClasses = [
  'transient',
  'capacity',
  'authentication',
  'configuration',
  'schema mismatch',
  'poison record',
  'unknown',
] as const;
export type CauseClass = (typeof causeClasses)[number];

/** What a person does about each class. */
export const nextActions: Readonly<Record<CauseClass, string>> = {
  transient: 'Check that ClickHouse and the registry answer (npm run status), then restart the failed tasks.',
  capacity: 'Give ClickHouse room (parts, memory, disk) before a restart; a restart alone makes it worse.',
  authentication: "Correct the credentials in the target's settings, then run connectors:apply.",
  configuration: 'Correct the declaration, then run connectors:apply.',
  'schema mismatch': 'Bring table and schema together (npm run clickhouse:migrate); a restart does not help.',
  'poison record':
    'Look at the record named in the trace; with errors.tolerance=all it goes to the dead letter topic.',
  unknown: "Read the worker's log (npm run logs -- connect).",
};

/**
 * Patterns of traces, first match wins: what names a definite culprit comes before the broken connections that
 * often follow from it. `(code N)` is how ClickHouse's servers and `Code: N` how its clients print their codes
 * (ClickHouse, src/Common/ErrorCodes.cpp).
 */
const patterns: readonly (readonly [CauseClass, RegExp])[] = [
  [
    'authentication',
    /\b[Cc]ode:? (192|193|194|497|516)\b|AUTHENTICATION_FAILED|ACCESS_DENIED|Authentication failed|AuthorizationException|SaslAuthenticationException|\b401 Unauthorized\b|\b403 Forbidden\b/,
  ],
  [
    'capacity',
    /\b[Cc]ode:? (202|241|243|252)\b|TOO_MANY_PARTS|MEMORY_LIMIT_EXCEEDED|TOO_MANY_SIMULTANEOUS_QUERIES|OutOfMemoryError|No space left on device/,
  ],
  [
    'schema mismatch',
    /\b[Cc]ode:? (16|47|53|60|81)\b|UNKNOWN_TABLE|UNKNOWN_DATABASE|NO_SUCH_COLUMN_IN_TABLE|TYPE_MISMATCH|Table .{1,200} does not exist|schema validation failed|null into not nullable column|Not implemented conversion/,
  ],
  [
    'poison record',
    /SerializationException|Unknown magic byte|Converting byte\[\] to Kafka Connect data failed|Error deserializing Avro|AvroTypeException|SchemaParseException|ArtifactNotFoundException|CANNOT_PARSE|\b[Cc]ode:? (6|27|41|117|33)\b/,
  ],
  [
    'configuration',
    /ConfigException|Unknown configuration|Invalid value|ClassNotFoundException|NoClassDefFoundError|UnknownHostException|UnknownTopicOrPartition|Failed to find any class|must be set/,
  ],
  [
    'transient',
    /Connection to ClickHouse is not active|Connection refused|Connection reset|Broken pipe|SocketTimeoutException|ConnectException: Connect|TimeoutException|RetriableException|NetworkException|DisconnectException|\b[Cc]ode:? (3|159|164|203|209|210|242|285|319|425|999)\b/,
  ],
];

/** The class of a Java stack trace as Kafka Connect reports it; `unknown` where no pattern fits. */
export function classifyTrace(trace: string): CauseClass {
  return patterns.find(([, pattern]) => pattern.test(trace))?.[0] ?? 'unknown';
}

/**
 * The one line of a trace that says most: the message of its innermost cause, since Connect wraps everything in
 * "Exiting WorkerSinkTask due to unrecoverable exception".
 */
export function headlineOf(trace: string): string {
  const lines = trace.split('\n').map((line) => line.trim());
  const innermost = lines.findLast((line) => line.startsWith('Caused by: '));
  return (innermost?.slice('Caused by: '.length) ?? lines[0] ?? '').trim();
}
