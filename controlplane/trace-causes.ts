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
  transient:
    'Check that ClickHouse lets the sink in and the registry answers, then restart the failed tasks.',
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
 * often follow from it. Codes are ClickHouse's (src/Common/ErrorCodes.cpp), which its servers print as
 * "Code: N" and its clients as "(code N)"; without the code, a client's own words are matched.
 */
const patterns: readonly (readonly [CauseClass, RegExp])[] = [
  [
    'authentication',
    /\bcode:? (?:192|193|194|497|516)\b|AUTHENTICATION_FAILED|Authentication failed|ACCESS_DENIED|AuthorizationException|SaslAuthenticationException|UnauthorizedException|ForbiddenException/i,
  ],
  [
    'capacity',
    /\bcode:? (?:202|241|243|252)\b|TOO_MANY_PARTS|MEMORY_LIMIT_EXCEEDED|TOO_MANY_SIMULTANEOUS_QUERIES|OutOfMemoryError|No space left on device/i,
  ],
  [
    'schema mismatch',
    /\bcode:? (?:16|47|53|60|81)\b|UNKNOWN_TABLE|UNKNOWN_DATABASE|NO_SUCH_COLUMN_IN_TABLE|TYPE_MISMATCH|Table \S+ does not exist|Data schema validation failed|Failed to write column|null into not nullable column/i,
  ],
  [
    'poison record',
    /SerializationException|Unknown magic byte|Converting byte\[\] to Kafka Connect data failed|Error deserializing|AvroRuntimeException|AvroTypeException|SchemaParseException|artifact reference cannot be null|ContentNotFoundException|ArtifactNotFoundException|error code: 404|\bcode:? (?:6|27|33|41|72|117)\b|CANNOT_PARSE/i,
  ],
  [
    'configuration',
    /ConfigException|Invalid value .* for configuration|ClassNotFoundException|NoClassDefFoundError|UnknownTopicOrPartitionException|\bcode:? 115\b|UNKNOWN_SETTING|UnknownHostException/i,
  ],
  [
    'transient',
    /Connection to ClickHouse is not active|Connection refused|Connection reset|Broken pipe|timed out|TimeoutException|NetworkException|DisconnectException|RestClientException|RetriableException|\bcode:? (?:3|159|164|203|209|210|242|285|319|425|999)\b/i,
  ],
  // Whatever else a converter or a transform throws: with errors.tolerance=none one record stops its task.
  ['poison record', /Tolerance exceeded in error handler/],
];

export interface TraceSummary {
  cause: CauseClass;
  /** The line of the trace that says why. */
  headline: string;
}

/**
 * Reads a Java stack trace as Kafka Connect reports it. Connect and the sink wrap what happened several times
 * ("Exiting WorkerSinkTask due to unrecoverable exception", "Number of records: 20000"), so the headline is the
 * line the class was recognised by, and the innermost cause where none was.
 */
export function summarizeTrace(trace: string): TraceSummary {
  const messages = trace
    .split('\n')
    .filter((line) => !/^\s+at |^\s*\.\.\. \d+ (?:more|common frames)/.test(line))
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const innermost = messages.findLast((line) => line.startsWith(causedBy)) ?? messages[0] ?? '';
  const match = patterns.find(([, pattern]) => messages.some((line) => pattern.test(line)));
  if (match === undefined) return { cause: 'unknown', headline: withoutPrefix(innermost) };
  const [cause, pattern] = match;
  const recognised = messages.find((line) => pattern.test(line)) ?? innermost;
  const isWrapper = recognised.endsWith('Tolerance exceeded in error handler');
  return { cause, headline: withoutPrefix(isWrapper ? innermost : recognised) };
}

const causedBy = 'Caused by: ';

function withoutPrefix(line: string): string {
  return line.startsWith(causedBy) ? line.slice(causedBy.length) : line;
}
