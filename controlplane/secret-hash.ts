import { createHmac, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PipelineError, codeOf } from '../core/errors.ts';
import type { Home } from '../core/home.ts';

/**
 * Names a secret without telling it: equal secrets have equal names, and without the key nobody can try out which
 * secret a name belongs to.
 */
export interface SecretHash {
  /** Names the key. Hashes of different keys cannot be compared. */
  keyId: string;
  /** Twelve hexadecimal digits; other parts, or the same in another order, have another hash. */
  of: (...parts: readonly string[]) => string;
}

export const hashKeyVariable = 'CONNECTORS_HASH_KEY';
const shortestKey = 16;
/** 48 bits: enough to tell a rotation, short enough to be read in a plan. */
const digits = 12;

export function createSecretHash(key: string | Buffer = randomBytes(32)): SecretHash {
  const of = (...parts: readonly string[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('hex').slice(0, digits);
  return { keyId: of('the id of this key').slice(0, 8), of };
}

/**
 * The hash of this installation: by the key in `CONNECTORS_HASH_KEY`, which several machines may share, or by a
 * random one in the home, made at its first use.
 *
 * @throws PipelineError `HASH_KEY_INVALID`, `HASH_KEY_UNREADABLE`
 */
export function loadSecretHash(home: Home, env: NodeJS.ProcessEnv): SecretHash {
  const given = env[hashKeyVariable];
  if (!given) return createSecretHash(ownKey(path.join(home.root, 'connectors', 'hash.key')));
  if (given.length >= shortestKey) return createSecretHash(given);
  throw new PipelineError('HASH_KEY_INVALID', {
    what: `${hashKeyVariable} is shorter than ${String(shortestKey)} characters`,
    todo: 'Set it to something random, as from "openssl rand -hex 32", or unset it.',
  });
}

function ownKey(file: string): Buffer {
  try {
    return readKey(file) ?? makeKey(file);
  } catch (error) {
    throw new PipelineError('HASH_KEY_UNREADABLE', {
      what: `The key that secrets are hashed with cannot be read or written (${codeOf(error) ?? 'damaged'})`,
      where: file,
      todo: `Correct the file's permissions or remove it, or set ${hashKeyVariable}.`,
    });
  }
}

function readKey(file: string): Buffer | undefined {
  try {
    const key = readFileSync(file);
    if (key.length >= shortestKey) return key;
    throw new Error('too short');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Two commands may start at once: the file appears as a whole, and the first one's key is everybody's. */
function makeKey(file: string): Buffer {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const written = `${file}.${String(process.pid)}`;
  writeFileSync(written, randomBytes(32), { mode: 0o600 });
  try {
    linkSync(written, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(written, { force: true });
  }
  return readFileSync(file);
}
