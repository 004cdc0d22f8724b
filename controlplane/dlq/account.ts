import type { Admin, Producer } from 'kafkajs';
import { awaitTopics } from '../../schemas/apply-topics.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { readTopicOffsets } from '../topic-offsets.ts';
import {
  accountTopic,
  foldAccount,
  parseEntry,
  type AccountEntry,
  type LetterAccount,
} from './account-entries.ts';

export interface Account {
  /** What it says now, entries of others included. */
  read(): Promise<Map<string, LetterAccount>>;
  /** Returns once the brokers have the entries, in this order. */
  append(producer: Producer, entries: readonly AccountEntry[]): Promise<void>;
}

const readTimeoutMs = 120_000;

/** Opens the account; a topic that is not there yet is an empty one. Reads only what is new since the last time. */
export function openAccount(target: Target, admin: Admin, signal?: AbortSignal): Account {
  const entries = new Map<number, AccountEntry>();
  let readUpTo = 0;
  return {
    read: async () => {
      const [partition] = (await readTopicOffsets(admin, [accountTopic])).get(accountTopic)?.partitions ?? [];
      const high = partition?.high ?? 0;
      if (high > readUpTo) {
        const range = { topic: accountTopic, partitions: [{ partition: 0, low: readUpTo, high }] };
        await readTopics(
          target,
          [range],
          (_topic, _partition, { offset, value }) => {
            const entry = Number(offset) < high ? parseEntry(value) : undefined;
            if (entry !== undefined) entries.set(Number(offset), entry);
          },
          { timeoutMs: readTimeoutMs, ...(signal === undefined ? {} : { signal }) },
        );
        readUpTo = high;
      }
      const inOrder = [...entries].sort(([a], [b]) => a - b);
      return foldAccount(inOrder.map(([offset, entry]) => ({ offset, entry })));
    },
    append: async (producer, appended) => {
      if (appended.length === 0) return;
      const messages = appended.map((entry) => ({
        key: entry.kind === 'drained' ? entry.letters.topic : entry.letter,
        value: JSON.stringify(entry),
        partition: 0,
      }));
      await producer.send({ topic: accountTopic, messages, acks: -1 });
    },
  };
}

/** Creates the account where there is none. One partition: its order is what it is for. */
export async function ensureAccount(admin: Admin, replicationFactor: number): Promise<void> {
  if ((await admin.listTopics()).includes(accountTopic)) return;
  await admin.createTopics({
    topics: [
      {
        topic: accountTopic,
        numPartitions: 1,
        replicationFactor,
        configEntries: [
          { name: 'cleanup.policy', value: 'delete' },
          { name: 'retention.ms', value: '-1' },
          { name: 'min.insync.replicas', value: String(Math.max(1, replicationFactor - 1)) },
        ],
      },
    ],
    waitForLeaders: false,
  });
  await awaitTopics(admin, [accountTopic]);
}
