import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import { codeOf, messageOf } from '../../../core/errors.ts';
import type { LiveState } from '../../lives/live.ts';
import { Random, type RandomState } from '../../scenario/random.ts';

/** To be raised when {@link LiveState} changes its meaning. */
const format = 'billing live stream 1';

/** The file's first line; what follows it is the state as `v8.serialize` writes it. */
const headerSchema = z.object({
  format: z.literal(format),
  fingerprint: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});

/** A stream that stands still, as it is stored. */
interface StoredStream {
  state: LiveState;
  /** Of `state.threads`, in their order: a class instance loses its private fields on the way. */
  randoms: RandomState[];
}

export interface LiveStateOptions {
  /** Belongs to one seed on one Kafka cluster. */
  folder: string;
  /** Topics the stream tells of: another choice is another stream, for children would miss their parents. */
  topics: readonly string[];
  /** What lives follow from; see fingerprint.ts. */
  fingerprint: string;
}

/**
 * Stores a stream whose every event is acknowledged, for a later run to go on with.
 *
 * @throws the file system's error
 */
export function saveLiveState({ folder, topics, fingerprint }: LiveStateOptions, state: LiveState): void {
  const stored: StoredStream = { state, randoms: state.threads.map(({ life }) => life.random.state()) };
  const body = serialize(stored);
  const header = { format, fingerprint, bytes: body.length, sha256: sha256Of(body) };
  const draft = path.join(folder, `draft-${process.pid}.state`);
  try {
    const file = openSync(draft, 'w', 0o600);
    try {
      writeFileSync(file, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Streams that ran side by side each leave a file.
    renameSync(draft, path.join(folder, `${prefixOf(topics)}${Date.now()}-${process.pid}.state`));
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Takes a stream that stands still. It is gone from the folder afterwards: no two runs go on with the same, and
 * a run that dies leaves nothing that could be told again differently. What cannot be read is set aside.
 *
 * @param onNote is told what was set aside, and why
 */
export function takeLiveState(
  { folder, topics, fingerprint }: LiveStateOptions,
  onNote: (text: string) => void,
): LiveState | undefined {
  const prefix = prefixOf(topics);
  const names = readFolder(folder).filter((name) => name.startsWith(prefix) && name.endsWith('.state'));
  for (const name of names.sort()) {
    const taken = path.join(folder, `${name}.taken-${process.pid}`);
    try {
      renameSync(path.join(folder, name), taken);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') continue; // Another run was faster.
      throw error;
    }
    const read = readState(taken, fingerprint);
    if (typeof read !== 'string') {
      rmSync(taken);
      return read;
    }
    const aside = path.join(folder, `${name}.unusable`);
    renameSync(taken, aside);
    onNote(`An earlier stream is not continued: ${read}. Its customers stay as they are. Kept as ${aside}`);
  }
  return undefined;
}

/** The state, or why it cannot be used. */
function readState(file: string, fingerprint: string): LiveState | string {
  const content = readFileSync(file);
  const end = content.indexOf('\n');
  const body = content.subarray(end + 1);
  try {
    const header = headerSchema.safeParse(JSON.parse(content.toString('utf8', 0, Math.max(end, 0))));
    if (!header.success) return 'its state was stored by another version';
    const { bytes, sha256, fingerprint: stored } = header.data;
    if (body.length !== bytes || sha256Of(body) !== sha256) return 'its stored state is damaged';
    if (stored !== fingerprint) return 'the scenario has changed since';
    const { state, randoms } = deserialize(body) as StoredStream;
    state.threads.forEach(({ life }, index) => {
      const random = randoms[index];
      if (random !== undefined) life.random = Random.resume(random);
    });
    return state;
  } catch (error) {
    return `its stored state is damaged (${messageOf(error)})`;
  }
}

/** Tells streams of different topics apart by the names of their files. */
function prefixOf(topics: readonly string[]): string {
  const digest = createHash('sha256')
    .update([...topics].sort().join('\n'))
    .digest('hex');
  return `live-${digest.slice(0, 8)}-`;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
