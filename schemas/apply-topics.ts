import type { Admin, ITopicConfig } from 'kafkajs';
import { InterruptedError, PipelineError } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import type { Catalog } from './catalog.ts';
import {
  desiredTopics,
  planTopics,
  type TopicChange,
  type TopicPlan,
  type TopicState,
} from './plan-topics.ts';
import { kafkajs } from '../core/kafkajs/kafkajs.ts';

const { ConfigResourceTypes, ConfigSource } = kafkajs;

export interface ApplyTopicsOptions {
  /** A connected client. */
  admin: Admin;
  catalog: Catalog;
  /** Of topics that are created; the replicas of existing ones are the operator's to move. */
  replicationFactor: number;
  signal?: AbortSignal;
}

/** Deadline of one administrative request at the broker. */
const timeoutMs = 30_000;

/**
 * Creates missing topics, adds partitions and corrects settings; deletes nothing. Returns what was done.
 *
 * @throws PipelineError `TOO_MANY_PARTITIONS`, before anything is changed, when the catalog asks for fewer
 *   partitions than a topic has
 */
export async function applyTopics(options: ApplyTopicsOptions): Promise<readonly TopicChange[]> {
  const { admin, catalog, replicationFactor, signal } = options;
  const desired = desiredTopics(catalog, replicationFactor);
  const names = desired.map(({ topic }) => topic);
  const plan = planTopics(desired, await readTopics(admin, names));
  refuseFewerPartitions(plan);
  for (const step of [createTopics, addPartitions, correctSettings]) {
    if (signal?.aborted) throw new InterruptedError();
    await step(admin, plan.changes);
  }
  const grown = plan.changes.flatMap(({ action, topic }) =>
    action === 'create' || action === 'add partitions' ? [topic] : [],
  );
  await awaitTopics(admin, grown, signal);
  return plan.changes;
}

/**
 * Waits until every partition of these topics answers. One that was just made has a leader in the metadata a
 * moment before that leader answers for it, and a moment after its creation it is not in the metadata at all:
 * until then whoever asks for its offsets is refused.
 */
export async function awaitTopics(
  admin: Admin,
  topics: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const answers = async () => {
    try {
      for (const topic of topics) await admin.fetchTopicOffsets(topic);
      return true;
    } catch (error) {
      // What kafkajs has repeated itself comes wrapped.
      const cause = error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded ? error.cause : error;
      if (cause instanceof kafkajs.KafkaJSProtocolError && cause.retriable) return false;
      throw error;
    }
  };
  const what = `the partitions of ${topics.join(', ')}`;
  await waitFor(answers, { what, timeoutMs, ...(signal === undefined ? {} : { signal }) });
}

/** The state of those of `names` that exist. */
export async function readTopics(admin: Admin, names: readonly string[]): Promise<TopicState[]> {
  const existing = new Set(await admin.listTopics());
  const topics = names.filter((name) => existing.has(name));
  if (topics.length === 0) return [];
  const metadata = await admin.fetchTopicMetadata({ topics });
  const settings = await describeSettings(admin, topics);
  return metadata.topics.map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.length,
    settings: Object.fromEntries(
      (settings.get(name) ?? []).map(({ configName, configValue }) => [configName, configValue]),
    ),
  }));
}

function refuseFewerPartitions({ tooManyPartitions }: TopicPlan): void {
  if (tooManyPartitions.length === 0) return;
  throw new PipelineError('TOO_MANY_PARTITIONS', {
    what: 'Kafka cannot take partitions away from a topic; nothing was changed',
    where: tooManyPartitions
      .map(({ topic, live, desired }) => `${topic}: has ${live}, the catalog says ${desired}`)
      .join('\n'),
    todo: 'Put the number it has into schemas/topics.yaml, or move the records to a new topic.',
  });
}

async function createTopics(admin: Admin, changes: readonly TopicChange[]): Promise<void> {
  const topics = changes.flatMap((change): ITopicConfig[] => {
    if (change.action !== 'create') return [];
    const { topic, partitions, replicationFactor, settings } = change.desired;
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    return [{ topic, numPartitions: partitions, replicationFactor, configEntries }];
  });
  // Waiting for leaders, kafkajs fails on a topic that is not in the broker's metadata yet: awaitTopics waits.
  if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: false, timeout: timeoutMs });
}

async function addPartitions(admin: Admin, changes: readonly TopicChange[]): Promise<void> {
  const topicPartitions = changes.flatMap((change) =>
    change.action === 'add partitions' ? [{ topic: change.topic, count: change.to }] : [],
  );
  if (topicPartitions.length > 0) await admin.createPartitions({ topicPartitions, timeout: timeoutMs });
}

/**
 * kafkajs speaks AlterConfigs, which replaces all settings of a topic: those that were set by somebody else
 * are sent along, or they would fall back to the broker's defaults.
 */
async function correctSettings(admin: Admin, changes: readonly TopicChange[]): Promise<void> {
  const corrections = changes.filter((change) => change.action === 'set');
  const topics = [...new Set(corrections.map(({ topic }) => topic))];
  if (topics.length === 0) return;
  const current = await describeSettings(admin, topics);
  await admin.alterConfigs({
    validateOnly: false,
    resources: topics.map((topic) => {
      const kept = (current.get(topic) ?? []).filter(
        ({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG,
      );
      const settings = new Map(kept.map(({ configName, configValue }) => [configName, configValue]));
      for (const { topic: owner, key, to } of corrections) if (owner === topic) settings.set(key, to);
      const configEntries = [...settings].map(([name, value]) => ({ name, value }));
      return { type: ConfigResourceTypes.TOPIC, name: topic, configEntries };
    }),
  });
}

async function describeSettings(admin: Admin, topics: readonly string[]) {
  const { resources } = await admin.describeConfigs({
    resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name })),
    includeSynonyms: false,
  });
  return new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries]));
}
