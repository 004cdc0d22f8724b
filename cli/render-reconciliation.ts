import { formatRanges, countOffsets } from '../clickhouse/offset-ranges.ts';
import { total, type PartitionReconciliation } from '../controlplane/reconcile.ts';
import { renderTable, type Column } from './output.ts';

const columns: Column[] = [
  { title: 'topic' },
  ...['partitions', 'produced', 'landed', 'dlq', 'missing', 'redelivered'].map((title): Column => ({
    title,
    align: 'right',
  })),
];

/** How many ranges of a partition the table shows; `--json` has all of them. */
const shownRanges = 5;

/** One line for each topic; only partitions that lack something get a line of their own, below. */
export function renderReconciliation(partitions: readonly PartitionReconciliation[]): string {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  const rows = topics.map((topic) =>
    totals(
      topic,
      partitions.filter((row) => row.topic === topic),
    ),
  );
  if (topics.length > 1) rows.push(totals('total', partitions));
  const lacking = partitions.filter(({ missing }) => missing.length > 0);
  const lines = lacking.map(
    ({ topic, partition, missing }) => `  ${topic}/${partition}: ${formatRanges(missing, shownRanges)}`,
  );
  return [renderTable(columns, rows), ...(lines.length > 0 ? ['', 'Missing offsets', ...lines] : [])].join(
    '\n',
  );
}

function totals(title: string, partitions: readonly PartitionReconciliation[]): unknown[] {
  return [
    title,
    partitions.length,
    total(partitions, 'produced'),
    total(partitions, 'landed'),
    total(partitions, 'dlq'),
    partitions.reduce((sum, { missing }) => sum + countOffsets(missing), 0),
    total(partitions, 'duplicates'),
  ];
}
