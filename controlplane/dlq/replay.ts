import { randomUUID } from 'node:crypto';
import type { Admin, Producer } from 'kafkajs';
import { InterruptedError } from '../../core/errors.ts';
import { sleep } from '../../core/wait.ts';
import { createKafka, kafkaError } from '../../targets/kafka.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { readTopicOffsets, type TopicOffsets } from '../topic-offsets.ts';
import { ensureAccount, openAccount, type Account } from './account.ts';
import type { AccountEntry, LetterAccount } from './account-entries.ts';
import { groupBy } from './group-by.ts';
import { createRefusal } from './refusal.ts';
import {
  headerText,
  headersForReplay,
  matches,
  originHeader,
  readLetters,
  type DeadLetter,
  type LetterFilter,
} from './letters.ts';

export interface ReplayOptions {
  target: Target;
  /** A connected client. */
  admin: Admin;
  /** The dead letter topic. */
  letters: TopicOffsets;
  filter?: LetterFilter;
  /** Says what would be done, and does nothing. */
  dryRun?: boolean;
  /** Sends also what is known to fail again. */
  force?: boolean;
  signal?: AbortSignal;
  /** A step of a long replay, in words. */
  onProgress?: (text: string) => void;
  /** How long another run's claim is respected from when it is first seen. Default: longer than that run can send. */
  takeoverMs?: number;
}

export interface ReplayReport {
  /** Sent by this run, or found to have been sent by one that did not live to say so. */
  replayed: { letter: string; to: { topic: string; partition: number; offset: number } }[];
  /** With `dryRun`: what would be sent. */
  wouldReplay: string[];
  /** Of those selected. */
  skipped: { letter: string; why: string; isWaiting: boolean }[];
}

const readTimeoutMs = 120_000;
/** One round: so many letters are claimed, then sent. A round is finished even when the run is interrupted. */
const roundLetters = 500;
const roundBytes = 512 * 1024;
/** From claiming to sending at most; a run that was held up for longer does not send. */
const sendWithinMs = 20_000;
/** A request and its three repetitions; with what is above less than `takeoverMs`. */
const requestTimeoutMs = 5000;
const defaultTakeoverMs = 60_000;

/**
 * Sends dead letters back to the partitions they came from, each at most once, whoever else does the same.
 *
 * Who may send a letter is decided by the account, a topic with one order for everybody: a run first writes that it
 * claims the letter, then reads the account, and sends only where its claim was the first. A claim whose run has
 * ended without a word is settled later: either the source partition holds the record, recognised by its header, or
 * the claim is superseded. Transactions would do the same in one step, but their markers would take offsets of
 * topics in which every offset is a record, and the sinks read uncommitted.
 *
 * @throws PipelineError `REGISTRY_UNREACHABLE` unless forced, `KAFKA_UNREACHABLE`, `KAFKA_ERROR`
 */
export async function replayLetters(options: ReplayOptions): Promise<ReplayReport> {
  const { target, admin, letters: topic, filter = {}, dryRun = false, force = false, signal } = options;
  // Without the signal: what has been claimed is sent and reported before an interruption counts.
  const account = openAccount(target, admin);
  const reading = { timeoutMs: readTimeoutMs, ...(signal === undefined ? {} : { signal }) };
  const [all, known] = [await readLetters(target, [topic], reading), await account.read()];
  const report: ReplayReport = { replayed: [], wouldReplay: [], skipped: [] };
  const selected = all.filter((letter) => matches(letter, filter));
  const waiting = selected.filter((letter) => {
    const place = known.get(letter.id)?.replayed;
    if (place !== undefined) {
      const why = `was replayed to ${place.topic}/${place.partition}/${place.offset}`;
      report.skipped.push({ letter: letter.id, why, isWaiting: false });
    }
    return place === undefined;
  });
  const sendable: DeadLetter[] = [];
  const refuse = await createRefusal(options, waiting);
  for (const letter of waiting) {
    const why = await refuse(letter, force);
    if (why === undefined) sendable.push(letter);
    else report.skipped.push({ letter: letter.id, why, isWaiting: true });
  }
  if (dryRun) return { ...report, wouldReplay: sendable.map(({ id }) => id) };
  if (sendable.length === 0) return report;

  await ensureAccount(admin, target.kafka.replicationFactor);
  const kafka = createKafka(target, { clientId: 'billing-dlq', requestTimeoutMs });
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  try {
    await producer.connect();
    const run = new Replay(options, { account, producer, report });
    await run.send(sendable);
  } catch (error) {
    throw kafkaError(target, error);
  } finally {
    await producer.disconnect().catch(() => undefined);
  }
  return report;
}

class Replay {
  readonly #id = randomUUID();
  readonly #options: ReplayOptions;
  readonly #account: Account;
  readonly #producer: Producer;
  readonly #report: ReplayReport;
  /** When the claim of another run was first seen, of this process's monotonic clock: clocks need not agree. */
  readonly #firstSeen = new Map<number, number>();

  constructor(
    options: ReplayOptions,
    { account, producer, report }: { account: Account; producer: Producer; report: ReplayReport },
  ) {
    this.#options = options;
    this.#account = account;
    this.#producer = producer;
    this.#report = report;
  }

  async send(letters: readonly DeadLetter[]): Promise<void> {
    const { signal, onProgress } = this.#options;
    const claimed: DeadLetter[] = [];
    let done = 0;
    for (const round of roundsOf(letters)) {
      if (signal?.aborted) break;
      claimed.push(...(await this.#round(round)));
      done += round.length;
      onProgress?.(`${done} of ${letters.length} dead letters`);
    }
    if (signal?.aborted)
      throw new InterruptedError(`Interrupted after ${done} of ${letters.length} dead letters`);
    await this.#settle(claimed);
  }

  /** Claims and sends; returns the letters that somebody else has claimed and not reported as sent. */
  async #round(letters: readonly DeadLetter[]): Promise<DeadLetter[]> {
    const before = await this.#account.read();
    const startedAt = performance.now();
    const ends = await this.#endsOf(letters);
    const claims = letters.flatMap((letter): AccountEntry[] => {
      const { source } = letter;
      const known = before.get(letter.id);
      if (source === undefined || !this.#mayClaim(known)) return [];
      const { topic, partition } = source;
      const from = ends.get(`${topic}/${partition}`) ?? 0;
      const supersedes = known?.claim === undefined ? {} : { supersedes: known.claim.at };
      return [{ kind: 'claim', letter: letter.id, run: this.#id, topic, partition, from, ...supersedes }];
    });
    await this.#account.append(this.#producer, claims);
    const after = await this.#account.read();
    const own = letters.filter(({ id }) => isOwn(after.get(id), this.#id));
    const isInTime = performance.now() - startedAt < sendWithinMs;
    if (isInTime) await this.#deliver(own);
    // What was claimed too slowly is claimed again: nobody has sent it.
    else for (const { id } of own) this.#firstSeen.set(after.get(id)?.claim?.at ?? 0, -Infinity);
    const rest = letters.filter((letter) => !isInTime || !own.includes(letter));
    for (const { id } of rest) {
      const to = after.get(id)?.replayed;
      if (to !== undefined) this.#skip(id, 'was replayed by somebody else meanwhile', false);
    }
    return rest.filter(({ id }) => after.get(id)?.replayed === undefined);
  }

  /** Nobody's letter, or that of a run which can no longer send it. */
  #mayClaim(known: LetterAccount | undefined): boolean {
    if (known?.replayed !== undefined) return false;
    return known?.claim === undefined || this.#isExpired(known.claim.at);
  }

  #isExpired(claim: number): boolean {
    const now = performance.now();
    const seen = this.#firstSeen.get(claim) ?? now;
    this.#firstSeen.set(claim, seen);
    return now - seen >= (this.#options.takeoverMs ?? defaultTakeoverMs);
  }

  async #deliver(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    const byTopic = groupBy(letters, ({ source }) => source?.topic ?? '');
    const answers = await this.#producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, own]) => ({
        topic,
        messages: own.map((letter) => ({
          key: letter.message.key,
          value: letter.message.value,
          timestamp: letter.message.timestamp,
          headers: headersForReplay(letter),
          ...(letter.source === undefined ? {} : { partition: letter.source.partition }),
        })),
      })),
    });
    const next = new Map(
      answers.map(({ topicName, partition, baseOffset }) => [
        `${topicName}/${partition}`,
        Number(baseOffset),
      ]),
    );
    const sent = letters.flatMap(({ id, source }) => {
      if (source === undefined) return [];
      const { topic, partition } = source;
      // A partition's records of one request get consecutive offsets, in their order.
      const offset = next.get(`${topic}/${partition}`) ?? 0;
      next.set(`${topic}/${partition}`, offset + 1);
      return [{ letter: id, to: { topic, partition, offset } }];
    });
    await this.#reportSent(sent);
  }

  async #reportSent(sent: ReplayReport['replayed']): Promise<void> {
    await this.#account.append(
      this.#producer,
      sent.map(({ letter, to }) => ({ kind: 'replayed', letter, ...to })),
    );
    this.#report.replayed.push(...sent);
  }

  /** Finds out what became of letters that others have claimed, and sends those that nobody has sent. */
  async #settle(claimed: readonly DeadLetter[]): Promise<void> {
    const { signal, onProgress } = this.#options;
    let open = [...claimed];
    let isTold = false;
    while (open.length > 0) {
      const known = await this.#account.read();
      const isPending = ({ id }: DeadLetter) => known.get(id)?.replayed === undefined;
      for (const { id } of open.filter((letter) => !isPending(letter)))
        this.#skip(id, 'was replayed by somebody else meanwhile', false);
      open = open.filter(isPending);
      const expired = open.filter(({ id }) => {
        const claim = known.get(id)?.claim;
        return claim === undefined || this.#isExpired(claim.at);
      });
      if (expired.length > 0) {
        const found = await this.#findSent(expired, known);
        await this.#reportSent(found);
        const lost = expired.filter(({ id }) => !found.some(({ letter }) => letter === id));
        const contested: DeadLetter[] = [];
        for (const round of roundsOf(lost)) contested.push(...(await this.#round(round)));
        open = [...open.filter((letter) => !expired.includes(letter)), ...contested];
      } else if (open.length > 0) {
        if (!isTold) onProgress?.(`${open.length} dead letters are claimed by another run; waiting for it`);
        isTold = true;
        await sleep(500, signal);
      }
    }
  }

  /** Which of these letters a run has sent before it ended: they lie behind where the partition ended then. */
  async #findSent(letters: readonly DeadLetter[], known: ReadonlyMap<string, LetterAccount>) {
    const ends = await this.#endsOf(letters);
    const lows = new Map<string, { topic: string; partition: number; low: number }>();
    for (const { id } of letters) {
      const claim = known.get(id)?.claim;
      if (claim === undefined) continue;
      const key = `${claim.topic}/${claim.partition}`;
      const low = Math.min(lows.get(key)?.low ?? Infinity, claim.from);
      lows.set(key, { topic: claim.topic, partition: claim.partition, low });
    }
    const wanted = new Set(letters.map(({ id }) => id));
    const found = new Map<string, ReplayReport['replayed'][number]>();
    const byTopic = groupBy(lows.values(), ({ topic }) => topic);
    const ranges = [...byTopic].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition, low }) => ({
        partition,
        low,
        high: ends.get(`${topic}/${partition}`) ?? 0,
      })),
    }));
    const { signal, target } = this.#options;
    await readTopics(
      target,
      ranges,
      (topic, partition, { headers, offset }) => {
        const letter = headerText(headers, originHeader);
        if (letter === undefined || !wanted.has(letter) || found.has(letter)) return;
        found.set(letter, { letter, to: { topic, partition, offset: Number(offset) } });
      },
      { timeoutMs: readTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    );
    return [...found.values()];
  }

  /** Where the source partitions end now, by `topic/partition`. */
  async #endsOf(letters: readonly DeadLetter[]): Promise<Map<string, number>> {
    const names = [...new Set(letters.flatMap(({ source }) => source?.topic ?? []))];
    const offsets = await readTopicOffsets(this.#options.admin, names);
    return new Map(
      [...offsets.values()].flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, high }) => [`${topic}/${partition}`, high] as const),
      ),
    );
  }

  #skip(letter: string, why: string, isWaiting: boolean): void {
    this.#report.skipped.push({ letter, why, isWaiting });
  }
}

/** Whether this run, and no other, may send the letter. */
function isOwn(known: LetterAccount | undefined, run: string): boolean {
  return known?.replayed === undefined && known?.claim?.run === run;
}

function* roundsOf(letters: readonly DeadLetter[]): Generator<DeadLetter[]> {
  let round: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const size = letter.message.value?.length ?? 0;
    if (round.length >= roundLetters || (round.length > 0 && bytes + size > roundBytes)) {
      yield round;
      [round, bytes] = [[], 0];
    }
    round.push(letter);
    bytes += size;
  }
  if (round.length > 0) yield round;
}
