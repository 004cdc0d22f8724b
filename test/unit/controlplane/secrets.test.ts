import { expect, test } from 'vitest';
import { createMask, isSecretKey, secretValues, secretsWithin } from '../../../controlplane/secrets.ts';

test.each([
  'password',
  'ssl.key.password',
  'kafka.api.secret',
  'basic.auth.user.info',
  'sasl.jaas.config',
  'x.token',
])('%s is masked without a mark', (key) => {
  expect(isSecretKey(key)).toBe(true);
});

test.each(['username', 'topics', 'transforms.key.type', 'key.converter'])('%s is shown', (key) => {
  expect(isSecretKey(key)).toBe(false);
});

test('a secret is hidden as it is, in JSON and in a URL', () => {
  const secret = 'p"a s/s';
  const mask = createMask([secret]);
  const text = `${secret} ${JSON.stringify({ secret })} https://u:${encodeURIComponent(secret)}@h`;
  expect(mask(text)).toBe('(secret) {"secret":"(secret)"} https://u:(secret)@h');
});

test('a secret that contains another one goes as a whole', () => {
  expect(createMask(['abc', 'abcdef'])('x abcdef y')).toBe('x (secret) y');
});

test('an empty secret masks nothing', () => {
  expect(createMask(['', ' '])('a b')).toBe('a b');
});

test('secret values are those marked and those given away by their key', () => {
  expect(secretValues({ url: 'u1', password: 'p1', topics: 't' }, new Set(['url']))).toEqual(['u1', 'p1']);
});

test('the secrets of settings are found at any depth, also within addresses', () => {
  const settings = {
    name: 'trial',
    connect: {
      url: 'https://u:pa%2Fss@connect.test',
      confluentCloud: { apiKey: 'key', apiSecret: 'hidden' },
    },
    brokers: ['127.0.0.1:9092'],
    clickhouse: { password: 'pw', port: 8123 },
  };
  expect(secretsWithin(settings).sort()).toEqual(['hidden', 'pa%2Fss', 'pa/ss', 'pw']);
});
