import { describe, expect, it } from 'vitest';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { desiredTopics, planTopics, type DesiredTopic } from '../../../schemas/plan-topics.ts';

const settings = { 'cleanup.policy': 'delete', 'retention.ms': '-1' };
const wanted: DesiredTopic = { topic: 'a', partitions: 3, replicationFactor: 1, settings };

describe('desiredTopics', () => {
  it('covers every topic of the catalog, dead letters included, and keeps records for ever', () => {
    const catalog = loadCatalog();
    const desired = desiredTopics(catalog, 1);
    expect(desired.map(({ topic }) => topic)).toEqual(
      [...catalog.topics, ...catalog.deadLetterTopics].map(({ topic }) => topic),
    );
    for (const topic of desired) expect(topic.settings['retention.ms']).toBe('-1');
  });

  it.each([
    [1, '1'],
    [2, '1'],
    [3, '2'],
  ])('of %i replicas lets one be missing where there is one to spare', (replicationFactor, inSync) => {
    const [first] = desiredTopics(loadCatalog(), replicationFactor);
    expect(first?.settings['min.insync.replicas']).toBe(inSync);
  });
});

describe('planTopics', () => {
  it('creates what is missing', () => {
    expect(planTopics([wanted], [])).toEqual({
      changes: [{ action: 'create', topic: 'a', desired: wanted }],
      tooManyPartitions: [],
    });
  });

  it('changes nothing where everything is as wanted, whatever else is set', () => {
    const live = { topic: 'a', partitions: 3, settings: { ...settings, 'segment.ms': '1' } };
    expect(planTopics([wanted], [live]).changes).toEqual([{ action: 'none', topic: 'a' }]);
  });

  it('adds partitions and corrects settings, key by key', () => {
    const live = { topic: 'a', partitions: 1, settings: { 'cleanup.policy': 'delete', 'retention.ms': '5' } };
    expect(planTopics([wanted], [live]).changes).toEqual([
      { action: 'add partitions', topic: 'a', from: 1, to: 3 },
      { action: 'set', topic: 'a', key: 'retention.ms', from: '5', to: '-1' },
    ]);
  });

  it('names the topics that have too many partitions instead of planning what Kafka cannot do', () => {
    const plan = planTopics([wanted], [{ topic: 'a', partitions: 4, settings }]);
    expect(plan.tooManyPartitions).toEqual([{ topic: 'a', live: 4, desired: 3 }]);
  });

  it('never looks at topics that are not in the catalog', () => {
    const other = { topic: 'other', partitions: 9, settings: {} };
    expect(planTopics([], [other])).toEqual({ changes: [], tooManyPartitions: [] });
  });
});
