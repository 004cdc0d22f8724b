import { expect, test } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { resolveStackSettings } from '../../../embedded/settings.ts';

function problemsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    resolveStackSettings(env);
  } catch (error) {
    if (error instanceof InvalidInputError) {
      return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]));
    }
  }
  throw new Error('expected an InvalidInputError');
}

test('without any setting the services have their usual ports', () => {
  expect(resolveStackSettings({ KAFKA_PORT: '' }).ports).toEqual({
    kafka: 9092,
    kafkaController: 9093,
    schemaRegistry: 8081,
    connect: 8083,
    clickhouse: 8123,
  });
});

test("the controller's port follows the broker's and leaves out the ports of the others", () => {
  const env = { KAFKA_PORT: '21000', SCHEMA_REGISTRY_PORT: '21001', CONNECT_PORT: '21002' };
  expect(resolveStackSettings(env).ports.kafkaController).toBe(21_003);
  expect(resolveStackSettings({ ...env, KAFKA_CONTROLLER_PORT: '25000' }).ports.kafkaController).toBe(25_000);
  expect(resolveStackSettings({ KAFKA_PORT: '65535' }).ports.kafkaController).toBe(1024);
});

test('every malformed port is reported at once', () => {
  const expected = 'expected a port number, 1 to 65535';
  expect(
    problemsOf({
      KAFKA_PORT: 'ninety',
      KAFKA_CONTROLLER_PORT: '9093.5',
      SCHEMA_REGISTRY_PORT: '0',
      CONNECT_PORT: '65536',
      CLICKHOUSE_PORT: '-1',
    }),
  ).toEqual({
    KAFKA_PORT: expected,
    KAFKA_CONTROLLER_PORT: expected,
    SCHEMA_REGISTRY_PORT: expected,
    CONNECT_PORT: expected,
    CLICKHOUSE_PORT: expected,
  });
});

test('a port that two services would share is reported with both variables', () => {
  expect(problemsOf({ KAFKA_PORT: '8081', CONNECT_PORT: '8123' })).toEqual({
    SCHEMA_REGISTRY_PORT: '8081 is also the port of KAFKA_PORT',
    CLICKHOUSE_PORT: '8123 is also the port of CONNECT_PORT',
  });
});

test('an empty user is the default user, and no password means that none is asked for', () => {
  expect(resolveStackSettings({ CLICKHOUSE_USER: '' }).clickhouse).toEqual({ user: 'default', password: '' });
});
