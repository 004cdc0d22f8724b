import pc from 'picocolors';
import type { Answer, Cell } from '../clickhouse/answers.ts';
import { formatMinor } from './format-money.ts';
import { renderTable } from './output.ts';

/** Rows of a table, or of a section of it, that are shown; `--json` has all of them. */
const shownRows = 20;
const lineWidth = 80;
const longestBar = 20;

/**
 * A question with its answer as a table. The names of columns say how to read them: `_minor` is money of the
 * row's `currency`, `_rate` and `_share` are percentages, a share being that of the column before it; a first
 * column called `by` splits the table into sections, and names the second column in each.
 */
export function renderAnswer(answer: Answer): string {
  const title = pc.bold(`${answer.number}. ${answer.question}`);
  const period = pc.dim(`${answer.from.slice(0, 10)} to ${answer.to.slice(0, 16).replace('T', ' ')} UTC`);
  if (answer.rows.length === 0) return [title, period, 'No payments in this period.'].join('\n');
  const isSplit = answer.columns[0]?.name === 'by';
  const tables = isSplit ? sectionsOf(answer).map(renderTableOf) : [renderTableOf(answer)];
  return [`${title}\n${period}`, ...tables].join(isSplit ? '\n\n' : '\n');
}

function sectionsOf(answer: Answer): Answer[] {
  const [, second, ...columns] = answer.columns;
  const sections = new Set(answer.rows.map(([section]) => String(section)));
  return [...sections].map((section) => ({
    ...answer,
    columns: second === undefined ? columns : [{ ...second, name: section }, ...columns],
    rows: answer.rows.filter(([of]) => of === section).map(([, ...row]) => row),
  }));
}

function renderTableOf({ columns, rows, bar }: Answer): string {
  const names = columns.map(({ name }) => name);
  const currency = names.indexOf('currency');
  const shown = rows.slice(0, shownRows);
  const lines = renderTable(
    columns.map(({ name, type }) => ({
      title: titleOf(name),
      align: /String|Date/.test(type) ? 'left' : 'right',
    })),
    shown.map((row) =>
      row.map((value, index) => formatValue(value, names[index] ?? '', String(row[currency]))),
    ),
  ).split('\n');
  const more = rows.length - shown.length;
  return [
    ...withBars(
      lines,
      shown.map((row) => Number(row[names.findIndex((name) => name === bar)])),
    ),
    ...(more > 0 ? [pc.dim(`and ${more} more rows: --json prints them`)] : []),
  ].join('\n');
}

/** Draws each row's value behind its line, the first line being the head; as long as there is room. */
function withBars([head = '', ...lines]: string[], values: readonly number[]): string[] {
  const width = Math.max(...lines.map((line) => line.length));
  const longest = Math.max(0, Math.min(longestBar, lineWidth - width - 2));
  const highest = Math.max(...values);
  const barOf = (value: number) => (value > 0 ? '█'.repeat(Math.round((value / highest) * longest)) : '');
  return [
    head,
    ...lines.map((line, index) => `${line.padEnd(width)}  ${barOf(values[index] ?? 0)}`.trimEnd()),
  ];
}

function titleOf(name: string): string {
  if (name.endsWith('_share')) return '%';
  return name
    .replace(/_minor$/, '')
    .replace(/_rate$/, ' %')
    .replaceAll('_', ' ');
}

function formatValue(value: Cell, name: string, currency: string): Cell {
  if (value === null) return null;
  if (name.endsWith('_minor')) return formatMinor(BigInt(value), currency);
  if (/_(rate|share)$/.test(name)) return (Number(value) * 100).toFixed(1);
  return value;
}
