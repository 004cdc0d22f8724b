import type { Admin } from 'kafkajs';
import { ledgerKey, type LedgerCounts, type PartitionBounds } from '../../clickhouse/ledger.ts';
import { PipelineError } from '../../core/errors.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';
import { readTopicOffsets, type TopicOffsets } from '../topic-offsets.ts';

const readTimeoutMs = 10_000;

/**
 * Offsets that landed beyond the end of a partition belong to an earlier topic of the same name: comparing would
 * call records landed that never did. They may also have been produced since the broker was asked, or belong to a
 * transaction that is still open: the end that kafkajs names is before it, and sinks read on.
 *
 * @throws PipelineError `TOPIC_RECREATED`
 */
export async function refuseRecreated(
  { target, admin, signal }: { target: Target; admin: Admin; signal?: AbortSignal },
  topics: readonly TopicOffsets[],
  ledger: ReadonlyMap<string, LedgerCounts>,
): Promise<void> {
  const highestOf = (topic: string, partition: number) =>
    ledger.get(ledgerKey(topic, partition))?.highest ?? -1;
  const isBeyond = (topic: string) => (bounds: PartitionBounds) =>
    highestOf(topic, bounds.partition) >= bounds.high;
  for (const { topic, partitions } of topics) {
    if (!partitions.some(isBeyond(topic))) continue;
    const now = (await readTopicOffsets(admin, [topic])).get(topic)?.partitions ?? [];
    for (const bounds of now.filter(isBeyond(topic))) {
      const highest = highestOf(topic, bounds.partition);
      if ((await endOfOpen(target, topic, bounds, signal)) > highest) continue;
      throw new PipelineError('TOPIC_RECREATED', {
        what: `${topic}/${bounds.partition} ends at offset ${bounds.high}, but offset ${highest} landed: the topic was recreated after its records had landed`,
        where: target.kafka.brokers.join(', '),
        todo: 'Start both afresh (npm run down -- --purge), or remove the rows of the old topic from the raw table and the ledger.',
      });
    }
  }
}

/** Where a partition ends with what open transactions have written; a fetch tells it beside its records. */
async function endOfOpen(
  target: Target,
  topic: string,
  { partition, low, high }: PartitionBounds,
  signal: AbortSignal | undefined,
): Promise<number> {
  let end = high;
  const range = { topic, partitions: [{ partition, low: Math.max(low, high - 1), high }] };
  await readTopics(target, [range], () => undefined, {
    timeoutMs: readTimeoutMs,
    onRead: (_topic, _partition, _last, highWatermark) => {
      end = Math.max(end, highWatermark);
    },
    ...(signal === undefined ? {} : { signal }),
  });
  return end;
}
