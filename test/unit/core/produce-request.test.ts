import { createRequire } from 'node:module';
import type { Message, PartitionerArgs } from 'kafkajs';
import { expect, test, vi } from 'vitest';
// Before the replacements: kafkajs's own functions, to compare with.
const internal = createRequire(import.meta.url);
const originalRequest = internal('kafkajs/src/protocol/requests/produce/v3/request') as typeof produceRequest;
const originalGroups = internal('kafkajs/src/producer/groupMessagesPerPartition') as typeof groupByPartition;
const Long = internal('kafkajs/src/utils/long') as { fromValue: (value: bigint) => { toString(): string } };
const { groupByPartition, kafkajs } = await import('../../../core/kafkajs/kafkajs.ts');
const { produceRequest } = await import('../../../core/kafkajs/produce-request.ts');
const { Random } = await import('../../../producers/scenario/random.ts');
await import('../../../targets/kafka.ts');

const { CompressionTypes } = kafkajs;
const now = 1_764_000_000_000;

function bytesOf(random: InstanceType<typeof Random>, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.integer(0, most) }, () => random.integer(0, 255)));
}

/** Keys, values, headers and timestamps of every kind and of awkward sizes. */
function messageOf(random: InstanceType<typeof Random>): Message {
  const most = [10, 60, 70, 200, 8100, 8300, 20_000][random.integer(0, 6)] ?? 0;
  const texts = ['', 'key', 'Zürich 東京 🧾', 'x'.repeat(63), 'é'.repeat(5000)];
  const text = () => texts[random.integer(0, texts.length - 1)] ?? '';
  const key = [null, undefined, text(), bytesOf(random, 40)][random.integer(0, 3)];
  const header = () => [text(), bytesOf(random, 100), [text(), 'second']][random.integer(0, 2)];
  const headers = { first: header(), Überschrift: header() };
  const timestamp = String(now + random.integer(0, 1) * random.integer(-5_000_000_000, 5_000_000_000));
  return {
    ...(key !== undefined && { key }),
    value: [null, text(), bytesOf(random, most)][random.integer(0, 2)] ?? null,
    ...(random.integer(0, 2) === 0 && { headers }),
    ...(random.integer(0, 1) === 0 && { timestamp }),
  };
}

test.each(['None', 'GZIP', 'LZ4'] as const)(
  'makes the same bytes as kafkajs of whatever is sent, with compression %s',
  async (codec) => {
    vi.useFakeTimers({ now, toFake: ['Date'] });
    try {
      for (let seed = 0; seed < 12; seed += 1) {
        const random = new Random(seed);
        const messages = (count: number) => Array.from({ length: count }, () => messageOf(random));
        const request = {
          acks: -1,
          timeout: random.integer(0, 60_000),
          transactionalId: seed % 3 === 0 ? 'ledger-ü' : null,
          producerId: Long.fromValue(seed % 4 === 0 ? -1n : 2n ** 53n + BigInt(seed)),
          producerEpoch: seed,
          compression: CompressionTypes[codec],
          topicData: Array.from({ length: random.integer(1, 3) }, (_, topic) => ({
            topic: `billing.täst-${topic}`,
            partitions: Array.from({ length: random.integer(1, 3) }, (__, partition) => ({
              partition,
              firstSequence: random.integer(0, 2 ** 31 - 1),
              messages: messages(random.integer(1, 70)),
            })),
          })),
        };
        const [ours, theirs] = [produceRequest(request), originalRequest(request)];
        expect(ours).toMatchObject({ apiKey: theirs.apiKey, apiVersion: 3, apiName: 'Produce' });
        expect([ours.expectResponse(), theirs.expectResponse()]).toEqual([true, true]);
        const [encoded, expected] = await Promise.all([ours.encode(), theirs.encode()]);
        const bytes = encoded.buf.subarray(0, encoded.offset);
        expect(bytes.equals(expected.buf.subarray(0, expected.offset)), `seed ${seed}`).toBe(true);
      }
    } finally {
      vi.useRealTimers();
    }
  },
);

test('groups messages by partition as kafkajs does, in their order', () => {
  const messages = Array.from({ length: 500 }, (_, index) => ({
    value: String(index),
    partition: index % 7,
  }));
  const partitionMetadata = [{ partitionErrorCode: 0, partitionId: 0, leader: 1, replicas: [], isr: [] }];
  const partitioner = ({ message }: PartitionerArgs) => message.partition ?? 0;
  const options = { topic: 'billing.test', messages, partitioner, partitionMetadata };
  expect(groupByPartition(options)).toEqual(originalGroups(options));
  const nowhere = { ...options, partitionMetadata: [] };
  expect(groupByPartition(nowhere)).toEqual(originalGroups(nowhere));
});

test('the producer of kafkajs uses both', () => {
  const filename = (path: string) => internal.resolve(`kafkajs/src/${path}`);
  const loaded = (path: string) => internal.cache[filename(path)]?.exports as unknown;
  expect(loaded('producer/groupMessagesPerPartition')).toBe(groupByPartition);
  expect(loaded('protocol/requests/produce/v3/request')).toBe(produceRequest);
});
