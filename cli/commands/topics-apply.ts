import { applyTopics } from '../../schemas/apply-topics.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { TopicChange } from '../../schemas/plan-topics.ts';
import { withKafkaAdmin } from '../../targets/kafka.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

export const run: Run = async (context) => {
  const { output, signal } = context;
  const catalog = loadCatalog();
  const target = context.target();
  const { replicationFactor } = target.kafka;
  const changes = await withKafkaAdmin(target, { clientId: 'topics-apply' }, async (admin) =>
    applyTopics({ admin, catalog, replicationFactor, signal }),
  );
  output.document(changes);
  output.print(
    renderTable(
      [{ title: 'topic' }, { title: 'done' }, { title: 'details' }],
      changes.map((change) => [change.topic, change.action, detailsOf(change)]),
    ),
  );
  return 0;
};

function detailsOf(change: TopicChange): string {
  switch (change.action) {
    case 'create':
      return `${change.desired.partitions} partitions, cleanup ${change.desired.settings['cleanup.policy'] ?? ''}`;
    case 'add partitions':
      return `${change.from} -> ${change.to}`;
    case 'set':
      return `${change.key}: ${change.from ?? 'unset'} -> ${change.to}`;
    case 'none':
      return '';
  }
}
