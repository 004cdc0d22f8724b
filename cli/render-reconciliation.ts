import pc from 'picocolors';
import { countOffsets, formatRanges, type OffsetRange } from '../clickhouse/offset-ranges.ts';
import { isClean, total, type PartitionReconciliation } from '../controlplane/reconcile.ts';
import { renderTable, type Column } from './output.ts';
import { formatAge } from './parse-time.ts';

const right = (title: string): Column => ({ title, align: 'right' });
const columns: Column[] = [
  { title: 'topic' },
  ...['produced', 'landed', 'dlq', 'missing', 'redelivered'].map(right),
];
const detailColumns: Column[] = [
  { title: 'topic' },
  ...['lag', 'newest', 'repeated', 'late', 'no record', 'expired'].map(right),
];

/** How many ranges of a partition the table shows; `--json` has all of them. */
const shownRanges = 5;

type Partitions = readonly PartitionReconciliation[];

/** One line for each topic; only partitions that lack something get a line of their own, below. */
export function renderReconciliation(partitions: Partitions): string {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  const own = (topic: string) => partitions.filter((row) => row.topic === topic);
  const rows = topics.map((topic) => totals(topic, own(topic)));
  if (topics.length > 1) rows.push(totals('total', partitions));
  const details = topics
    .filter((topic) => isRemarkable(own(topic)))
    .map((topic) => detailsOf(topic, own(topic)));
  return [
    renderTable(columns, rows),
    ...(details.length > 0 ? ['', renderTable(detailColumns, details)] : []),
    ...listed('Missing offsets', partitions, ({ missing }) => missing),
    ...listed('Landed, but the row was removed from its table', partitions, ({ removed }) => removed),
    ...listed('In the table, but unknown to the ledger', partitions, ({ unrecorded }) => unrecorded),
  ].join('\n');
}

/** What a person should make of it. */
export function renderVerdict(partitions: Partitions): string {
  const [unverified, lag] = [total(partitions, 'unverified'), total(partitions, 'lag')];
  const doubt =
    unverified > 0
      ? `\n${count(unverified)} landed offsets have no row of their own, and nobody could look up why.`
      : '';
  if (isClean(partitions)) {
    return `Nothing is missing: every record landed or is in a dead letter topic.${doubt}`;
  }
  const behind = total(partitions, 'missingOffsets') - lag;
  const lines = [
    ...(lag > 0
      ? [
          `${count(lag)} come after the newest that landed: they may be on their way. Run it again, or see connectors:status.`,
        ]
      : []),
    ...(behind > 0
      ? [`${count(behind)} were passed over: "npm run reconcile -- --repair" writes them.`]
      : []),
    ...(behind === 0 && partitions.some((one) => (one.removed ?? one.unrecorded ?? []).length > 0)
      ? ['What was removed comes back by "npm run reconcile -- --repair".']
      : []),
  ];
  return lines.join('\n') + doubt;
}

/** What changed from one look to the next, a line for each topic; empty where nothing did. */
export function renderChange(before: Partitions, after: Partitions): string {
  const topics = [...new Set(after.map(({ topic }) => topic))];
  const time = pc.dim(new Date().toISOString().slice(11, 19));
  const lines = topics.flatMap((topic) => {
    const totalOf = (all: Partitions, field: (typeof changing)[number][0]) =>
      total(
        all.filter((row) => row.topic === topic),
        field,
      );
    const changes = changing.flatMap(([field, name]) => {
      const [from, to] = [totalOf(before, field), totalOf(after, field)];
      return from === to ? [] : [`${name} ${count(from)} -> ${count(to)}`];
    });
    return changes.length === 0 ? [] : [`${time} ${topic}: ${changes.join(', ')}`];
  });
  return lines.join('\n');
}

const changing = [
  ['produced', 'produced'],
  ['landed', 'landed'],
  ['dlq', 'dlq'],
  ['missingOffsets', 'missing'],
  ['duplicates', 'redelivered'],
  ['expired', 'expired'],
] as const;

/** What a repair would write, a line for each partition. */
export function renderRepair(
  plan: readonly { topic: string; partition: number; ranges: readonly OffsetRange[] }[],
): string[] {
  return [
    'To be repaired',
    ...plan.map(
      ({ topic, partition, ranges }) =>
        `  ${topic}/${partition}: ${formatRanges(ranges, shownRanges)} (${count(countOffsets(ranges))})`,
    ),
  ];
}

function listed(
  title: string,
  partitions: Partitions,
  rangesOf: (partition: PartitionReconciliation) => readonly OffsetRange[] | null,
): string[] {
  const lines = partitions.flatMap((one) => {
    const ranges = rangesOf(one) ?? [];
    return ranges.length === 0
      ? []
      : [`  ${one.topic}/${one.partition}: ${formatRanges(ranges, shownRanges)}`];
  });
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function totals(title: string, partitions: Partitions): unknown[] {
  return [
    title,
    ...(['produced', 'landed', 'dlq', 'missingOffsets', 'duplicates'] as const).map((field) =>
      total(partitions, field),
    ),
  ];
}

function detailsOf(title: string, partitions: Partitions): unknown[] {
  const ages = partitions.flatMap(({ newestAgeMs }) => newestAgeMs ?? []);
  const isCompared = partitions.some(({ late }) => late !== null);
  return [
    title,
    total(partitions, 'lag'),
    ages.length === 0 ? null : formatAge(Math.min(...ages)),
    isCompared ? total(partitions, 'repeated') : null,
    isCompared ? total(partitions, 'late') : null,
    total(partitions, 'empty') + total(partitions, 'tombstones'),
    total(partitions, 'expired'),
  ];
}

/** Whether there is more to say of a topic than the first table does. */
function isRemarkable(partitions: Partitions): boolean {
  return (['lag', 'repeated', 'late', 'empty', 'tombstones', 'expired'] as const).some(
    (field) => total(partitions, field) > 0,
  );
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
