import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { causeClasses, nextActions, summarizeTrace } from '../../../controlplane/trace-causes.ts';
import { tracePatterns } from '../../../controlplane/trace-patterns.ts';
import { projectRoot } from '../../../core/home.ts';

interface Example {
  name: string;
  cause: string;
  /** Id of the pattern that has to recognise it; `null` where none does. */
  pattern: string;
  trace: string;
}

const folder = path.join(projectRoot, 'test', 'fixtures', 'traces');

/**
 * Traces of provoked failures, frames shortened: `official` of the official sink 1.5.0, `stand-in` of the stand-in.
 * `confluent-cloud` holds what Confluent and others have published, the way the client joins its lines.
 * A head says what is expected and where the trace was seen.
 */
const seen: Example[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.txt'))
  .sort()
  .map((file) => {
    const [head = '', ...rest] = readFileSync(path.join(folder, file), 'utf8').split('\n\n');
    const field = (name: string) => new RegExp(`^${name}: (.+)$`, 'm').exec(head)?.[1] ?? '';
    return { name: file, cause: field('cause'), pattern: field('pattern'), trace: rest.join('\n\n') };
  });

/** Failures that could not be provoked here, in the words of the software that throws them. */
const worded: Example[] = (
  [
    [
      'kafka-login',
      'authentication',
      'org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized: [x]',
    ],
    [
      'kafka-login',
      'authentication',
      'org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed',
    ],
    [
      'registry-login',
      'authentication',
      'io.apicurio.registry.rest.client.exception.ForbiddenException: Forbidden',
    ],
    [
      'clickhouse-login',
      'authentication',
      'com.clickhouse.client.api.ServerException: Code: 497. DB::Exception: Not enough privileges',
    ],
    ['too-many-queries', 'capacity', 'Code: 202. DB::Exception: Too many simultaneous queries. Maximum: 100'],
    ['worker-memory', 'capacity', 'java.lang.OutOfMemoryError: Java heap space'],
    ['disk-full', 'capacity', 'java.io.IOException: No space left on device'],
    [
      'class-missing',
      'configuration',
      'java.lang.ClassNotFoundException: io.confluent.connect.avro.AvroConverter',
    ],
    [
      'kafka-protocol',
      'configuration',
      'org.apache.kafka.common.errors.UnsupportedSaslMechanismException: Client SASL mechanism PLAIN not enabled',
    ],
    [
      'offset-policy',
      'configuration',
      'org.apache.kafka.clients.consumer.OffsetOutOfRangeException: Fetch position is out of range',
    ],
    ['type-mismatch', 'schema-mismatch', 'Code: 53. DB::Exception: Cannot convert string to type UInt8'],
    [
      'not-decodable',
      'poison-record',
      'org.apache.kafka.common.errors.SerializationException: Unknown magic byte!',
    ],
    [
      'schema-id-unknown',
      'poison-record',
      'io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException: Schema not found; error code: 40403',
    ],
    [
      'not-decodable',
      'poison-record',
      'org.apache.avro.AvroRuntimeException: Malformed data. Length is negative: -1',
    ],
    ['connection-broken', 'transient', 'java.net.SocketException: Broken pipe'],
    ['connection-broken', 'transient', 'java.net.ConnectException: Connection refused'],
    ['server-busy', 'transient', 'com.clickhouse.client.ClickHouseException: Code: 209. Read timed out'],
    [
      'server-busy',
      'transient',
      'org.apache.kafka.common.errors.TimeoutException: Failed to update metadata after 60000 ms.',
    ],
    // 1000 begins with the digits of other codes, and a JSON parser's code is a character.
    ['null', 'unknown', 'Code: 1000. DB::Exception: something new'],
    ['null', 'unknown', "Unexpected character ('<' (code 60)): expected a valid value"],
  ] as const
).map(([pattern, cause, message]) => ({
  name: message,
  cause,
  pattern,
  trace: `org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n\tat a.B.c(B.java:1)\nCaused by: ${message}\n\t... 10 more`,
}));

const examples = [...seen, ...worded];

test.each(examples)('$name is $cause by $pattern', ({ trace, cause, pattern }) => {
  const summary = summarizeTrace(trace);
  expect({ cause: summary.cause, pattern: String(summary.pattern) }).toEqual({ cause, pattern });
  expect(summary.headline).not.toBe('');
  expect(summary.headline).not.toMatch(/Exiting WorkerSinkTask|Number of records|^Caused by/);
});

test('there are enough real traces, of both sinks, and none names a folder of a machine', () => {
  expect(seen.length).toBeGreaterThan(60);
  for (const { trace } of seen) expect(trace).not.toMatch(/\/(?:home|work|tmp|root|Users)\//);
});

test('every pattern is the first to match some example, and every class has one', () => {
  const used = new Set(examples.map(({ pattern }) => pattern));
  expect(tracePatterns.map(({ id }) => id).filter((id) => !used.has(id))).toEqual([]);
  expect(new Set(examples.map(({ cause }) => cause))).toEqual(new Set(causeClasses));
});

test('no pattern shares its name, and each class has something to do', () => {
  expect(new Set(tracePatterns.map(({ id }) => id)).size).toBe(tracePatterns.length);
  expect(Object.values(nextActions).every((action) => action.length > 20)).toBe(true);
});

test('the headline names the record or the table where a message does', () => {
  const headlineOf = (name: string) =>
    summarizeTrace(seen.find((one) => one.name === name)?.trace ?? '').headline;
  expect(headlineOf('stand-in/null-into-required.txt')).toContain('partition 0, offset 0: field note');
  expect(headlineOf('official/table-missing.txt')).toBe(
    'java.lang.RuntimeException: Table `billing`.`t_table_missing` does not exist',
  );
  expect(headlineOf('official/truncated-body.txt')).toBe('java.io.EOFException');
});

test('a message that goes over several lines is read as one', () => {
  expect(
    summarizeTrace(seen.find(({ name }) => name === 'official/column-dropped.txt')?.trace ?? ''),
  ).toMatchObject({
    pattern: 'table-changed',
    headline: expect.stringMatching(/^com\.clickhouse.*Code: 33.*BinaryRowInputFormat/) as string,
  });
});

test('a trace of one line, and none at all, are summarised too', () => {
  expect(summarizeTrace('boom')).toEqual({ cause: 'unknown', headline: 'boom', pattern: null });
  expect(summarizeTrace('')).toEqual({ cause: 'unknown', headline: '', pattern: null });
});
