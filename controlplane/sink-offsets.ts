import { z } from 'zod';
import type { PartitionOffset } from './connector-service.ts';

/** Offsets of a sink connector as both REST APIs write them (KIP-875). */
export const sinkOffsetsSchema = z.array(
  z.object({
    partition: z.object({ kafka_topic: z.string(), kafka_partition: z.coerce.number() }),
    offset: z.object({ kafka_offset: z.coerce.number() }),
  }),
);

export function fromWire(offsets: z.infer<typeof sinkOffsetsSchema>): PartitionOffset[] {
  return offsets.map(({ partition, offset }) => ({
    topic: partition.kafka_topic,
    partition: partition.kafka_partition,
    offset: offset.kafka_offset,
  }));
}

export function toWire(offsets: readonly PartitionOffset[]): z.infer<typeof sinkOffsetsSchema> {
  return offsets.map(({ topic, partition, offset }) => ({
    partition: { kafka_topic: topic, kafka_partition: partition },
    offset: { kafka_offset: offset },
  }));
}
