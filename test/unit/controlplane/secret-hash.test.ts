import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSecretHash, loadSecretHash } from '../../../controlplane/secret-hash.ts';
import { resolveHome } from '../../../core/home.ts';

function home() {
  const root = mkdtempSync(path.join(tmpdir(), 'secret-hash-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true });
  });
  return resolveHome({ PIPELINE_HOME: root });
}

test('parts cannot be shifted into each other, and the name of the key does not tell it', () => {
  const { keyId, of } = createSecretHash('a key');
  expect(of('a', 'bc')).not.toBe(of('ab', 'c'));
  expect(of('a', 'bc')).toMatch(/^[0-9a-f]{12}$/);
  expect(keyId).toMatch(/^[0-9a-f]{8}$/);
  expect(createSecretHash('a key').keyId).toBe(keyId);
  expect(createSecretHash().keyId).not.toBe(createSecretHash().keyId);
});

test('a home keeps its key, readable by its owner only; another home has another', () => {
  const own = home();
  const first = loadSecretHash(own, {});
  const file = path.join(own.root, 'connectors', 'hash.key');
  expect(readFileSync(file)).toHaveLength(32);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(loadSecretHash(own, {}).keyId).toBe(first.keyId);
  expect(loadSecretHash(home(), {}).keyId).not.toBe(first.keyId);
});

test('machines with the same CONNECTORS_HASH_KEY have the same hash; one that is too short is refused', () => {
  const env = { CONNECTORS_HASH_KEY: 'a key that is shared' };
  expect(loadSecretHash(home(), env).of('x')).toBe(loadSecretHash(home(), env).of('x'));
  expect(() => loadSecretHash(home(), { CONNECTORS_HASH_KEY: 'short' })).toThrow(
    'CONNECTORS_HASH_KEY is shorter than 16 characters',
  );
});

test('a key that is damaged is an error, and not replaced in silence', () => {
  const own = home();
  mkdirSync(path.join(own.root, 'connectors'));
  const file = path.join(own.root, 'connectors', 'hash.key');
  writeFileSync(file, 'x');
  expect(() => loadSecretHash(own, {})).toThrow('cannot be read or written (damaged)');
  expect(readFileSync(file, 'utf8')).toBe('x');
});
