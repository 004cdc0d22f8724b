import { expect, test } from 'vitest';
import { summarizeTrace, type CauseClass } from '../../../controlplane/trace-causes.ts';

/** How a real trace looks: the messages of its causes, each followed by frames. */
function trace(...messages: string[]): string {
  const frames =
    '\n\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:628)';
  return `${messages.map((message) => message + frames).join('\nCaused by: ')}\n\t... 10 more\n`;
}

const exiting =
  'org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.';
const intolerant = 'org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler';
const batch = 'java.lang.RuntimeException: Number of records: 20000';
const query = 'java.lang.RuntimeException: Topic: [billing.payments], (QueryId: [3ce9a523])';

/** Seen on a worker with the official sink 1.5.0, apart from the frames; the last message of interest is expected. */
const examples: [what: string, cause: CauseClass, headline: string, trace: string][] = [
  [
    'ClickHouse down, or credentials refused, at start',
    'transient',
    'java.lang.RuntimeException: Connection to ClickHouse is not active.',
    trace('java.lang.RuntimeException: Connection to ClickHouse is not active.'),
  ],
  [
    'a missing table',
    'schema mismatch',
    'java.lang.RuntimeException: Table `billing`.`nope` does not exist',
    trace(exiting, batch, batch, query, 'java.lang.RuntimeException: Table `billing`.`nope` does not exist'),
  ],
  [
    'a column of another type',
    'schema mismatch',
    'org.apache.kafka.connect.errors.DataException: Failed to write column `amount_minor`: cannot convert Kafka value of type INT64 (value class: java.lang.Long) to ClickHouse type INT8',
    trace(
      exiting,
      batch,
      query,
      'org.apache.kafka.connect.errors.DataException: Failed to write column `amount_minor`: cannot convert Kafka value of type INT64 (value class: java.lang.Long) to ClickHouse type INT8',
      'java.lang.ClassCastException: class java.lang.Long cannot be cast to class java.lang.Byte',
    ),
  ],
  [
    'a required column that records lack',
    'schema mismatch',
    'java.lang.RuntimeException: Data schema validation failed.',
    trace(exiting, batch, query, 'java.lang.RuntimeException: Data schema validation failed.'),
  ],
  [
    'the registry down',
    'transient',
    'io.apicurio.registry.rest.client.exception.RestClientException',
    trace(intolerant, 'io.apicurio.registry.rest.client.exception.RestClientException'),
  ],
  [
    'bytes without the magic byte',
    'poison record',
    'java.lang.IllegalStateException: artifact reference cannot be null',
    trace(intolerant, 'java.lang.IllegalStateException: artifact reference cannot be null'),
  ],
  [
    'an unknown schema id',
    'poison record',
    "io.apicurio.registry.rest.client.exception.ContentNotFoundException: No content with ID '9999' was found.",
    trace(
      intolerant,
      "io.apicurio.registry.rest.client.exception.ContentNotFoundException: No content with ID '9999' was found.",
    ),
  ],
  [
    'a truncated record',
    'poison record',
    'org.apache.avro.AvroRuntimeException: Malformed data. Length is negative: -1',
    trace(intolerant, 'org.apache.avro.AvroRuntimeException: Malformed data. Length is negative: -1'),
  ],
  [
    'a converter of another format',
    'poison record',
    'org.apache.kafka.connect.errors.DataException: Converting byte[] to Kafka Connect data failed due to serialization error:',
    trace(
      intolerant,
      'org.apache.kafka.connect.errors.DataException: Converting byte[] to Kafka Connect data failed due to serialization error:',
      'org.apache.kafka.common.errors.SerializationException: java.io.CharConversionException: Invalid UTF-32 character',
    ),
  ],
  [
    'a transform that a record does not suit',
    'poison record',
    'java.lang.IllegalArgumentException: Unknown field: x',
    trace(intolerant, 'java.lang.IllegalArgumentException: Unknown field: x'),
  ],
  [
    "an exception of Kafka's own test sink",
    'unknown',
    'java.lang.RuntimeException',
    trace(exiting, 'java.lang.RuntimeException'),
  ],
];

test.each(examples)('%s is %s', (_, cause, headline, text) => {
  expect(summarizeTrace(text)).toEqual({ cause, headline });
});

/** One message each; ClickHouse's server and its clients word their codes differently. */
const messages: [cause: CauseClass, message: string][] = [
  ['authentication', 'Code: 516. DB::Exception: loader: Authentication failed: password is incorrect'],
  [
    'authentication',
    'com.clickhouse.client.api.ServerException: Code: 497. DB::Exception: Not enough privileges',
  ],
  ['authentication', 'org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized: [x]'],
  ['capacity', 'Code: 252. DB::Exception: Too many parts (3003)'],
  ['capacity', 'Code: 241. DB::Exception: Memory limit (total) exceeded'],
  ['capacity', 'java.lang.OutOfMemoryError: Java heap space'],
  ['schema mismatch', 'Code: 60. DB::Exception: Table billing.nope does not exist'],
  ['schema mismatch', "java.lang.RuntimeException: An attempt to write null into not nullable column 'x'"],
  [
    'configuration',
    'org.apache.kafka.common.config.ConfigException: Missing required configuration "topics"',
  ],
  ['configuration', 'Code: 115. DB::Exception: Setting x is neither a builtin setting nor custom'],
  ['transient', 'com.clickhouse.client.ClickHouseException: Code: 209. Read timed out'],
  ['transient', 'java.net.SocketException: Broken pipe'],
  ['transient', 'java.net.ConnectException: Connection refused'],
  // 1000 begins with the digits of other codes.
  ['unknown', 'Code: 1000. DB::Exception: something new'],
];

test.each(messages)('%s: %s', (cause, message) => {
  expect(summarizeTrace(trace(exiting, message))).toEqual({ cause, headline: message });
});

test('a trace of one line, and none at all, are summarised too', () => {
  expect(summarizeTrace('boom')).toEqual({ cause: 'unknown', headline: 'boom' });
  expect(summarizeTrace('')).toEqual({ cause: 'unknown', headline: '' });
});
