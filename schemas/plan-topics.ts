import type { Catalog } from './catalog.ts';

/** Settings the pipeline manages; any other setting of a topic is left alone. */
export type TopicSettings = Readonly<Record<string, string>>;

export interface TopicState {
  topic: string;
  partitions: number;
  settings: TopicSettings;
}

export interface DesiredTopic extends TopicState {
  replicationFactor: number;
}

/** One difference between the catalog and the broker, as small as it can be applied. */
export type TopicChange =
  | { action: 'create'; topic: string; desired: DesiredTopic }
  | { action: 'add partitions'; topic: string; from: number; to: number }
  | { action: 'set'; topic: string; key: string; from: string | undefined; to: string }
  | { action: 'none'; topic: string };

/** A topic with more partitions than the catalog says; Kafka can't take any away. */
export interface TooManyPartitions {
  topic: string;
  live: number;
  desired: number;
}

export interface TopicPlan {
  changes: readonly TopicChange[];
  tooManyPartitions: readonly TooManyPartitions[];
}

/** Every topic of the catalog as the broker should have it, dead letter topics included. */
export function desiredTopics(catalog: Catalog, replicationFactor: number): DesiredTopic[] {
  // One replica may be missing without stopping producers that ask for all of them (acks=all).
  const inSync = String(Math.max(1, replicationFactor - 1));
  const deadLetters = catalog.deadLetterTopics.map((entry) => ({ ...entry, cleanup: 'delete' }));
  return [...catalog.topics, ...deadLetters].map(({ topic, partitions, cleanup, retentionMs }) => ({
    topic,
    partitions,
    replicationFactor,
    settings: {
      'cleanup.policy': cleanup,
      'retention.ms': String(retentionMs),
      'min.insync.replicas': inSync,
    },
  }));
}

/** What has to change on the broker; topics it has beyond the desired ones are not looked at. */
export function planTopics(desired: readonly DesiredTopic[], live: readonly TopicState[]): TopicPlan {
  const liveByName = new Map(live.map((state) => [state.topic, state]));
  const tooManyPartitions: TooManyPartitions[] = [];
  const changes = desired.flatMap((wanted): TopicChange[] => {
    const { topic, partitions, settings } = wanted;
    const found = liveByName.get(topic);
    if (found === undefined) return [{ action: 'create', topic, desired: wanted }];
    const differences: TopicChange[] = [];
    if (found.partitions > partitions) {
      tooManyPartitions.push({ topic, live: found.partitions, desired: partitions });
    } else if (found.partitions < partitions) {
      differences.push({ action: 'add partitions', topic, from: found.partitions, to: partitions });
    }
    for (const [key, to] of Object.entries(settings)) {
      const from = found.settings[key];
      if (from !== to) differences.push({ action: 'set', topic, key, from, to });
    }
    return differences.length > 0 ? differences : [{ action: 'none', topic }];
  });
  return { changes, tooManyPartitions };
}
