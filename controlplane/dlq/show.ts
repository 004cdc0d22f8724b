import { PipelineError } from '../../core/errors.ts';
import { createRegistry, type RegistryEndpoint } from '../../schemas/registry.ts';
import type { Mask } from '../secrets.ts';
import type { CauseClass } from '../trace-causes.ts';
import type { LetterAccount } from './account-entries.ts';
import { createDecoder, type Decoded } from './decode.ts';
import type { DeadLetter } from './letters.ts';

/** A dead letter as `dlq show` prints it and its `--json` gives it. Secrets of the target are masked. */
export interface ShownLetter {
  letter: string;
  /** ISO 8601 in UTC. */
  at: string;
  state: 'waiting' | 'replayed';
  replayedTo: string | null;
  source: { topic: string; partition: number; offset: number } | null;
  cause: CauseClass;
  error: string;
  exception: string;
  stage: string;
  connector: string;
  /** How often it has come back from a replay. */
  attempts: number;
  key: string | null;
  schemaId: number | null;
  /** The decoded record; undefined where it could not be decoded. */
  value?: unknown;
  /** Why not, and the bytes; null where it was decoded. */
  undecodable: string | null;
  valueHex: string | null;
  headers: Record<string, string>;
}

/** A trace is in the log of the worker; what it says is in `error`. */
const leftOut = '__connect.errors.exception.stacktrace';

/**
 * Describes letters, decoded through the registry. While that does not answer, values are given as bytes, and
 * `registryUnknown` says why.
 */
export async function describeLetters(
  letters: readonly DeadLetter[],
  account: ReadonlyMap<string, LetterAccount>,
  { registry, mask, signal }: { registry: RegistryEndpoint; mask: Mask; signal: AbortSignal },
): Promise<{ letters: ShownLetter[]; registryUnknown: string | null }> {
  const decode = createDecoder(createRegistry(registry, signal));
  let registryUnknown: string | null = null;
  const shown: ShownLetter[] = [];
  for (const letter of letters) {
    let decoded: Decoded;
    if (registryUnknown !== null) decoded = { kind: 'unknown', why: registryUnknown };
    else {
      try {
        decoded = await decode(letter.message.value);
      } catch (error) {
        if (!(error instanceof PipelineError) || !error.code.startsWith('REGISTRY_')) throw error;
        registryUnknown = error.message;
        decoded = { kind: 'unknown', why: registryUnknown };
      }
    }
    shown.push(describe(letter, account.get(letter.id), decoded, mask));
  }
  return { letters: shown, registryUnknown };
}

function describe(
  letter: DeadLetter,
  account: LetterAccount | undefined,
  decoded: Decoded,
  mask: Mask,
): ShownLetter {
  const { message, source, headline } = letter;
  const place = account?.replayed;
  const isRecord = decoded.kind === 'record';
  return {
    letter: letter.id,
    at: new Date(letter.atMs).toISOString(),
    state: place === undefined ? 'waiting' : 'replayed',
    replayedTo: place === undefined ? null : `${place.topic}/${place.partition}/${place.offset}`,
    source: source ?? null,
    cause: letter.cause,
    error: mask(headline),
    exception: letter.exception,
    stage: letter.stage,
    connector: letter.connector,
    attempts: letter.attempts,
    key: message.key === null ? null : textOrHex(message.key),
    schemaId: isRecord ? decoded.schemaId : null,
    ...(isRecord ? { value: decoded.record } : {}),
    undecodable: isRecord ? null : decoded.why,
    valueHex: isRecord ? null : (message.value?.toString('hex') ?? null),
    headers: Object.fromEntries(
      Object.entries(message.headers ?? {})
        .filter(([name]) => name !== leftOut)
        .map(([name, value]) => {
          const bytes = [value].flat().map((one) => Buffer.from(one ?? ''));
          return [name, mask(bytes.map(textOrHex).join(', '))];
        }),
    ),
  };
}

/** As text where the bytes are text. */
function textOrHex(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `0x${bytes.toString('hex')}`;
}
