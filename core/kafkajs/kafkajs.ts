/**
 * The one place that loads kafkajs: two functions of its producer are replaced on the way, which otherwise take
 * three quarters of a producer's time (DECISIONS.md has the numbers). kafkajs has no setting for either, and its
 * latest release, 2.2.4, is pinned.
 */
import { createRequire, Module } from 'node:module';
import type * as Kafkajs from 'kafkajs';
import type { Message, PartitionerArgs } from 'kafkajs';
import { produceRequest } from './produce-request.ts';

const internal = createRequire(import.meta.url);

replace('kafkajs/src/producer/groupMessagesPerPartition', groupByPartition);
replace('kafkajs/src/protocol/requests/produce/v3/request', produceRequest);

export const kafkajs = internal('kafkajs') as typeof Kafkajs;

export interface PartitioningOptions extends Omit<PartitionerArgs, 'message'> {
  messages: readonly Message[];
  partitioner: (options: PartitionerArgs) => number;
}

/** Messages by partition. kafkajs copies the whole list of a partition for each message that it adds. */
export function groupByPartition({
  topic,
  partitionMetadata,
  messages,
  partitioner,
}: PartitioningOptions): Record<number, Message[]> {
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    (groups[partitioner({ topic, partitionMetadata, message })] ??= []).push(message);
  }
  return groups;
}

/** Whoever requires the module from now on gets `exports`. */
function replace(path: string, exports: unknown): void {
  const filename = internal.resolve(path);
  internal.cache[filename] = Object.assign(new Module(filename), { filename, exports, loaded: true });
}
