import { describe, expect, test } from 'vitest';
import type { ConnectorConfig } from '../../../controlplane/connector-config.ts';
import { loadDesiredConnectors, readDeclarations } from '../../../controlplane/declarations.ts';
import { InvalidInputError } from '../../../core/errors.ts';
import { contracts, declarationsIn, soundConfig, target } from './fixtures.ts';

function problemsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map((one) => `${one.path}: ${one.message}`);
    throw error;
  }
  return [];
}

function load(files: Record<string, unknown>, changes: Parameters<typeof target>[0] = {}, env = {}) {
  return loadDesiredConnectors({
    target: target(changes),
    contracts,
    env,
    folder: declarationsIn(files),
    tables: new Set(['raw_orders', 'raw_items']),
  });
}

function loadConfig(config: Partial<Record<string, string>>, changes: Parameters<typeof target>[0] = {}) {
  const merged = Object.entries({ ...soundConfig, ...config }).filter(([, value]) => value !== undefined);
  return load({ 'orders.json': { name: 'orders', config: Object.fromEntries(merged) } }, changes);
}

test('a sound declaration is resolved from the target', () => {
  const [connector] = loadConfig({});
  expect(connector?.config).toMatchObject({ hostname: 'ch.test', ssl: 'true', password: 'pa55-word' });
  expect(connector?.secretKeys).toEqual(new Set(['password']));
});

test("the target's overrides replace, add and remove keys, and may hold references", () => {
  const overrides = {
    hostname: 'elsewhere',
    extra: '${schemaRegistry.origin}/x',
    'errors.retry.timeout': '90000',
  };
  const removed = { 'value.converter.schema.registry.url': null };
  const [connector] = load(
    {
      'orders.json': {
        name: 'orders',
        // Replaced by the override, so its unknown placeholder does not matter.
        config: { ...soundConfig, 'value.converter.schema.registry.url': '${no.such}' },
      },
    },
    { connectors: { overrides: { ...overrides, ...removed } } },
  );
  expect(connector?.config).toMatchObject({ ...overrides, extra: 'http://registry.test:8081/x' });
  expect(connector?.config).not.toHaveProperty('value.converter.schema.registry.url');
});

test('the problems of all files come in one report with dotted paths', () => {
  const problems = problemsOf(() =>
    load({
      'broken.json': '{ "name": ',
      'items.json': { name: 'item', config: { a: 1, b: 'x' }, tasks: 3 },
      'orders.json': { name: 'orders', config: { ...soundConfig, ssl: '', hostname: '${no.such}' } },
    }),
  );
  expect(problems).toEqual([
    expect.stringMatching(/^broken: .*JSON/),
    expect.stringMatching(/^items\.config\.a: expected a string/),
    'items.tasks: unknown key',
    expect.stringMatching(
      /^orders\.config\.hostname: unknown placeholder \$\{no\.such\}; known are clickhouse\.host/,
    ),
    expect.stringMatching(/^orders\.config\.ssl: must be set to true or false/),
  ]);
});

test('a file whose name is not the name of its connector is refused', () => {
  expect(problemsOf(() => load({ 'items.json': { name: 'orders', config: soundConfig } }))).toEqual([
    'items.name: "orders" is not the file\'s name',
  ]);
});

test('a folder without declarations is an error, not an empty plan', () => {
  expect(() => load({})).toThrow(expect.objectContaining({ code: 'NO_DECLARATIONS' }));
});

test('declarations can be listed while a secret is missing', () => {
  const folder = declarationsIn({
    'orders.json': { name: 'orders', config: { ...soundConfig, password: '${secret:env:NOT_SET}' } },
  });
  expect(readDeclarations(folder).map(({ name }) => name)).toEqual(['orders']);
});

test('a problem of an override is reported once, at the target', () => {
  const second = {
    ...soundConfig,
    topics: 'shop.items',
    topic2TableMap: 'shop.items=raw_items',
    'tasks.max': '2',
  };
  const files = {
    'items.json': { name: 'items', config: second },
    'orders.json': { name: 'orders', config: soundConfig },
  };
  expect(problemsOf(() => load(files, { connectors: { overrides: { x: '${env:NOT_SET}' } } }))).toEqual([
    'trial.connectors.overrides.x: the environment variable NOT_SET is not set',
  ]);
});

describe('each rule finds what it is for:', () => {
  const broken: [rule: string, config: Partial<Record<string, string>>, problem: RegExp][] = [
    ['another class', { 'connector.class': 'x.Y' }, /^connector\.class: must be com\.clickhouse/],
    ['a second name', { name: 'orders' }, /^name: belongs beside config/],
    ['ssl unset', { ssl: undefined }, /^ssl: must be set/],
    ['ssl neither true nor false', { ssl: 'yes' }, /^ssl: must be set/],
    [
      'a retry timeout in seconds',
      { 'errors.retry.timeout': '60' },
      /^errors\.retry\.timeout: .*milliseconds/,
    ],
    ['no retry timeout', { 'errors.retry.timeout': undefined }, /^errors\.retry\.timeout: /],
    [
      'tolerance without a dead letter topic',
      { 'errors.deadletterqueue.topic.name': undefined },
      /^errors\.deadletterqueue\.topic\.name: must be set/,
    ],
    [
      'a dead letter topic that nobody creates',
      { 'errors.deadletterqueue.topic.name': 'other.dlq' },
      /^errors\.deadletterqueue\.topic\.name: "other\.dlq" is not among/,
    ],
    [
      'a dead letter topic without headers',
      { 'errors.deadletterqueue.context.headers.enable': 'false' },
      /^errors\.deadletterqueue\.context\.headers\.enable: must be true/,
    ],
    [
      'the default replication factor',
      { 'errors.deadletterqueue.topic.replication.factor': undefined },
      /^errors\.deadletterqueue\.topic\.replication\.factor: must be set/,
    ],
    ['the client that does not retry', { client_version: 'V2' }, /^client_version: must be V1/],
    ['a comma in a setting', { clickhouseSettings: 'a=1,format=x,y' }, /^clickhouseSettings: "y" is not/],
    ['a second = in a setting', { clickhouseSettings: 'a=b=c' }, /^clickhouseSettings: "a=b=c" is not/],
    [
      'an offset reset left to the worker',
      { 'consumer.override.auto.offset.reset': undefined },
      /^consumer\.override\.auto\.offset\.reset: must be earliest/,
    ],
    ['a topic pattern', { 'topics.regex': 'shop.*' }, /^topics\.regex: /],
    ['no topic', { topics: '', topic2TableMap: '' }, /^topics: must name/],
    ['an unknown topic', { topics: 'shop.orders,shop.x' }, /^topics: "shop\.x" is not in the catalog/],
    ['an unmapped topic', { topic2TableMap: '' }, /^topic2TableMap: must map shop\.orders to raw_orders/],
    [
      'another table than the catalog says',
      { topic2TableMap: 'shop.orders=orders' },
      /^topic2TableMap: must map shop\.orders to raw_orders/,
    ],
    [
      'a mapping of a topic that is not read',
      { topic2TableMap: 'shop.orders=raw_orders, shop.items=raw_items' },
      /^topic2TableMap: maps shop\.items/,
    ],
    ['more tasks than partitions', { 'tasks.max': '5' }, /^tasks\.max: 5 is more than the 4/],
    ['a number of tasks that is none', { 'tasks.max': '0' }, /^tasks\.max: must be a whole number/],
    [
      'a coordinate that is not added',
      { 'transforms.coordinates.offset.field': undefined },
      /^transforms: need an .*InsertField\$Value with offset\.field=kafka_offset/,
    ],
    ['a transform that is not used', { transforms: 'other' }, /^transforms: need an /],
    ['exactlyOnce without Keeper', { exactlyOnce: 'true' }, /^exactlyOnce: needs Keeper/],
    ['a secret in the file', { 'ssl.key.password': 'hunter2' }, /^ssl\.key\.password: must be a reference/],
    [
      'a secret reference that is not marked',
      { username: '${clickhouse.password}' },
      /^username: write \$\{secret:clickhouse\.password\}/,
    ],
  ];
  test.each(broken)('%s', (_, config, problem) => {
    const problems = problemsOf(() => loadConfig(config));
    expect(problems).not.toEqual([]);
    expect(problems[0]?.replace('orders.config.', '')).toMatch(problem);
    expect(problems.join()).not.toContain('hunter2');
  });

  const sound: [what: string, config: Partial<Record<string, string>>][] = [
    ['endless retries', { 'errors.retry.timeout': '-1' }],
    [
      'no tolerance, no dead letter topic',
      { 'errors.tolerance': 'none', 'errors.deadletterqueue.topic.name': '' },
    ],
    ['the newer client where nothing is tolerated', { client_version: 'V2', 'errors.tolerance': 'none' }],
    ['a secret the worker resolves itself', { password: '$${file:/run/secrets:password}' }],
  ];
  test.each(sound)('nothing against %s', (_, config) => {
    expect(problemsOf(() => loadConfig(config))).toEqual([]);
  });

  test('a table that no migration creates', () => {
    const folder = declarationsIn({ 'orders.json': { name: 'orders', config: soundConfig } });
    const sources = { target: target(), contracts, env: {}, folder, tables: new Set(['raw_items']) };
    expect(problemsOf(() => loadDesiredConnectors(sources))).toEqual([
      'orders.config.topic2TableMap: no migration creates raw_orders',
    ]);
  });

  test('exactlyOnce is allowed where there is Keeper', () => {
    const capabilities = { keeper: true, standInSink: false };
    expect(loadConfig({ exactlyOnce: '${capabilities.keeper}' }, { capabilities })[0]?.config).toMatchObject({
      exactlyOnce: 'true',
    });
  });

  function two(changes: ConnectorConfig, capabilities = { keeper: false, standInSink: false }) {
    const config = { ...soundConfig, ...changes };
    const files = { 'a.json': { name: 'a', config }, 'b.json': { name: 'b', config } };
    return problemsOf(() => load(files, { capabilities }));
  }

  test('one topic read by two connectors', () => {
    expect(two({})).toEqual(['b.config.topics: shop.orders is already read by a']);
  });

  test('one exactlyOnce state shared by two connectors', () => {
    expect(two({ exactlyOnce: 'true', zkDatabase: 'state' }, { keeper: true, standInSink: false })).toEqual([
      'b.config.topics: shop.orders is already read by a',
      'b.config.zkPath: (the default) is already used by a',
      'b.config.zkDatabase: state is already used by a',
    ]);
  });
});
