import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { resolveReferences } from '../../../controlplane/placeholders.ts';
import { declarationsIn, target } from './fixtures.ts';

const folder = declarationsIn({});
writeFileSync(path.join(folder, 'password'), 'from-file\n');
const sources = { target: target(), env: { REGION: 'eu', EMPTY: '' }, folder };

test.each([
  ['plain', 'plain', false],
  ['InsertField$Value', 'InsertField$Value', false],
  ['http://${clickhouse.host}:${clickhouse.port}/', 'http://ch.test:8443/', false],
  ['${clickhouse.ssl} ${clickhouse.user} ${clickhouse.database}', 'true loader shop', false],
  ['${schemaRegistry.url}', 'http://registry.test:8081/apis/ccompat/v7', false],
  ['${schemaRegistry.origin}', 'http://registry.test:8081', false],
  ['${kafka.replicationFactor}', '1', false],
  ['${env:REGION}', 'eu', false],
  ['${file:password}', 'from-file', false],
  ['${secret:file:password}', 'from-file', true],
  ['?user=a&password=${secret:clickhouse.password}', '?user=a&password=pa55-word', true],
  ['$${file:/etc/x:password}', '${file:/etc/x:password}', false],
])('%s resolves', (text, value, isSecret) => {
  expect(resolveReferences(text, sources)).toEqual({ value, isSecret, problems: [] });
});

test.each([
  ['${nope}', /unknown placeholder \$\{nope\}; known are clickhouse\.host/],
  ['${secret:nope}', /unknown placeholder/],
  ['${}', /unknown placeholder \$\{\}/],
  ['${env:NOT_SET}', /the environment variable NOT_SET is not set/],
  ['${env:EMPTY}', /the environment variable EMPTY is not set/],
  ['${file:missing}', /the file .*missing does not exist/],
  ['${file:.}', /cannot be read \(EISDIR\)/],
  ['${clickhouse.password}', /write \$\{secret:clickhouse\.password\}/],
])('%s is a problem', (text, problem) => {
  const { problems } = resolveReferences(text, sources);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(problem);
});

test('every problem of a value is reported', () => {
  expect(resolveReferences('${a} ${b}', sources).problems).toHaveLength(2);
});

test('a ClickHouse address without a port means the port of its protocol', () => {
  const at = (url: string) =>
    resolveReferences('${clickhouse.port}', {
      ...sources,
      target: target({ clickhouse: { url, user: 'u', password: '', database: 'd' } }),
    }).value;
  expect([at('https://ch.test'), at('http://ch.test')]).toEqual(['443', '80']);
});
