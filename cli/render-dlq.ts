import type { DrainPlan } from '../controlplane/dlq/drain.ts';
import type { ReplayReport } from '../controlplane/dlq/replay.ts';
import type { ShownLetter } from '../controlplane/dlq/show.ts';
import type { DlqSummary } from '../controlplane/dlq/summary.ts';
import { renderTable } from './output.ts';

const width = 80;
const hexLines = 4;
const hexBytesPerLine = 22;
const fieldLines = 40;

export function renderSummaries(summaries: readonly DlqSummary[], nowMs: number): string {
  const table = renderTable(
    [
      { title: 'Dead letter topic' },
      ...['Kept', 'Waiting', 'Replayed', 'Drained', 'Oldest', 'Newest'].map((title) => ({
        title,
        align: 'right' as const,
      })),
    ],
    summaries.map(({ topic, retained, waiting, replayed, drained, oldestMs, newestMs }) => [
      topic,
      retained,
      waiting,
      replayed,
      drained,
      age(oldestMs, nowMs),
      age(newestMs, nowMs),
    ]),
  );
  const groups = summaries.flatMap((summary) => summary.groups);
  if (groups.length === 0) return table;
  const reasons = renderTable(
    [
      { title: 'Records of' },
      { title: 'Cause' },
      { title: 'Error' },
      { title: 'Kept', align: 'right' },
      { title: 'Waiting', align: 'right' },
    ],
    groups.map(({ source, cause, exception, letters, waiting }) => [
      source,
      cause,
      cut(exception, 26),
      letters,
      waiting,
    ]),
  );
  return `${table}\n\n${reasons}`;
}

export function renderLetter(letter: ShownLetter): string {
  const { source, cause, error, stage, exception, key, attempts } = letter;
  const from =
    source === null
      ? 'unknown: it has no headers of Kafka Connect'
      : `${source.topic}/${source.partition}/${source.offset}, ${letter.at}`;
  const state = letter.replayedTo === null ? 'waiting' : `replayed to ${letter.replayedTo}`;
  const how = [exception, stage].filter(Boolean).join(', ');
  return [
    `${letter.letter}  ${state}`,
    line('from', from),
    ...(letter.connector === '' ? [] : [line('by', letter.connector)]),
    line('cause', cause),
    ...(error === '' ? [] : wrapped('error', error)),
    ...(how === '' ? [] : [line('', `(${how})`)]),
    ...(attempts > 0 ? [line('replays', `it has come back from ${attempts}`)] : []),
    line('key', key ?? '(none)'),
    ...renderValue(letter),
  ].join('\n');
}

function renderValue({ value, undecodable, valueHex, schemaId }: ShownLetter): string[] {
  if (undecodable === null) {
    if (value === null || typeof value !== 'object') return [line('value', '(none: a tombstone)')];
    const fields = Object.entries(value).map(([name, field]) => cut(`    ${name}: ${JSON.stringify(field)}`));
    const more = fields.length - fieldLines;
    return [
      line('value', `a record of schema ${String(schemaId)}`),
      ...fields.slice(0, fieldLines),
      ...(more > 0 ? [`    and ${more} fields more`] : []),
    ];
  }
  const bytes = (valueHex ?? '').match(/../g) ?? [];
  const lines = Array.from(
    { length: Math.min(hexLines, Math.ceil(bytes.length / hexBytesPerLine)) },
    (_, at) => `    ${bytes.slice(at * hexBytesPerLine, (at + 1) * hexBytesPerLine).join(' ')}`,
  );
  const more = bytes.length - hexLines * hexBytesPerLine;
  return [
    ...wrapped('value', `${bytes.length} bytes: ${undecodable}`),
    ...lines,
    ...(more > 0 ? [`    and ${more} bytes more`] : []),
  ];
}

/** What was sent and what was not, the latter by its reason. */
export function renderReplay({ replayed, wouldReplay, skipped }: ReplayReport): string {
  const reasons = new Map<string, { count: number; first: string }>();
  for (const { letter, why } of skipped) {
    const reason = why
      .replace(/^was replayed to .*/, 'was replayed before')
      .replace(/the registry knows no schema \d+/, 'the registry does not know its schema')
      .replace(/no record of schema \d+/, 'no record of its schema');
    const known = reasons.get(reason) ?? { count: 0, first: letter };
    reasons.set(reason, { ...known, count: known.count + 1 });
  }
  return [
    wouldReplay.length > 0
      ? `Would replay ${letters(wouldReplay.length)}`
      : `Replayed ${letters(replayed.length)}`,
    ...[...reasons].flatMap(([reason, { count, first }]) => [
      cut(`Left ${letters(count)}: ${reason}`),
      ...(reason === 'was replayed before' ? [] : [`  such as ${first}`]),
    ]),
  ].join('\n');
}

export function renderDrain(plans: readonly DrainPlan[]): string {
  return plans
    .map(
      ({ topic, partition, before, replayed, abandoned }) =>
        `${topic}/${partition}: ${letters(replayed + abandoned)} below offset ${before}, ` +
        `${replayed} replayed, ${abandoned} nobody has replayed`,
    )
    .join('\n');
}

function letters(count: number): string {
  return `${count.toLocaleString('en-US')} dead letter${count === 1 ? '' : 's'}`;
}

function line(title: string, text: string): string {
  return cut(`  ${title.padEnd(8)} ${text}`);
}

/** Over as many lines as it takes, five at most. */
function wrapped(title: string, text: string): string[] {
  const room = width - 11;
  const parts = printable(text).match(new RegExp(`.{1,${room}}`, 'gu')) ?? [];
  return parts
    .slice(0, 5)
    .map((part, index) =>
      line(index === 0 ? title : '', index === 4 && parts.length > 5 ? `${part} …` : part),
    );
}

/** One line of a terminal; what is in a record must not move its cursor. */
function cut(text: string, length = width): string {
  const shown = printable(text);
  return shown.length <= length ? shown : `${shown.slice(0, length - 1)}…`;
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function age(ms: number | null, nowMs: number): string {
  if (ms === null) return '-';
  const seconds = Math.max(0, (nowMs - ms) / 1000);
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
