import { z } from 'zod';

/**
 * The account of what was done with dead letters: one topic of one partition, kept for ever. Its order decides
 * between people who replay at the same time, and it still names the records that a drain has removed.
 */
export const accountTopic = 'billing.dead-letter-account';

const offset = z.int().min(0);

const entrySchema = z.discriminatedUnion('kind', [
  /** A run wants to send a letter. The first claim in the topic has it; see {@link foldAccount}. */
  z.object({
    kind: z.literal('claim'),
    letter: z.string(),
    run: z.string(),
    /** Where it would go, and the end of that partition before: what is sent for the letter lies behind it. */
    topic: z.string(),
    partition: z.int().min(0),
    from: offset,
    /** Offset of the claim it replaces, whose run has ended without having sent the letter. */
    supersedes: offset.optional(),
  }),
  /** The letter was sent, and is at these coordinates. */
  z.object({
    kind: z.literal('replayed'),
    letter: z.string(),
    topic: z.string(),
    partition: z.int().min(0),
    offset,
  }),
  /** Letters below an offset were removed; `sources` are the records they were, as ranges of offsets. */
  z.object({
    kind: z.literal('drained'),
    letters: z.object({ topic: z.string(), partition: z.int().min(0), before: offset }),
    sources: z.array(
      z.object({ topic: z.string(), partition: z.int().min(0), ranges: z.array(z.tuple([offset, offset])) }),
    ),
  }),
]);
export type AccountEntry = z.infer<typeof entrySchema>;
export type Claim = Extract<AccountEntry, { kind: 'claim' }>;

/** What the account says of one letter. */
export interface LetterAccount {
  /** The claim that counts, and its offset in the account. */
  claim: (Claim & { at: number }) | undefined;
  /** Where the letter was sent to. */
  replayed: { topic: string; partition: number; offset: number } | undefined;
}

/** Undefined for what is no entry: somebody else's record must not end a replay. */
export function parseEntry(value: Buffer | null): AccountEntry | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(value?.toString() ?? '')).data;
  } catch {
    return undefined;
  }
}

/**
 * Reads the account in its order. Of two claims of a letter the first counts; a later one only if it supersedes the
 * one that counts, and of two of those again the first.
 *
 * @param entries with their offsets, ascending
 */
export function foldAccount(
  entries: Iterable<{ offset: number; entry: AccountEntry }>,
): Map<string, LetterAccount> {
  const letters = new Map<string, LetterAccount>();
  for (const { offset: at, entry } of entries) {
    if (entry.kind === 'drained') continue;
    const known = letters.get(entry.letter) ?? { claim: undefined, replayed: undefined };
    letters.set(entry.letter, known);
    if (entry.kind === 'replayed') {
      const { topic, partition, offset: place } = entry;
      known.replayed ??= { topic, partition, offset: place };
    } else if (known.claim?.at === entry.supersedes) known.claim = { ...entry, at };
  }
  return letters;
}
