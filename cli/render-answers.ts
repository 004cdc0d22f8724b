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
  const since = answer.from.startsWith('1970-') ? 'All history' : answer.from.slice(0, 10);
  const period = pc.dim(`${since} to ${answer.to.slice(0, 16).replace('T', ' ')} UTC`);
  if (answer.rows.length === 0) return [title, period, 'Nothing in this period.'].join('\n');
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

function renderTableOf({ columns, rows, bar, spark }: Answer): string {
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
    ...(more > 0 ? [pc.dim(`and ${more} more rows: --json and --csv print them`)] : []),
    ...sparklines(names, rows, spark),
  ].join('\n');
}

const sparkLevels = '▁▂▃▄▅▆▇█';
const sparkWidth = 60;
/** Currencies that get a line; the table has all of them. */
const sparkCurrencies = 5;

/** One line for each currency: how the column `spark` went over all rows, from its lowest value to its highest. */
function sparklines(names: readonly string[], rows: readonly Cell[][], spark: string | undefined): string[] {
  const column = names.indexOf(spark ?? '');
  if (spark === undefined || column === -1 || rows.length < 3) return [];
  const currency = names.indexOf('currency');
  const series = new Map<string, number[]>();
  for (const row of rows) {
    const name = currency === -1 ? titleOf(spark) : String(row[currency]);
    const values = series.get(name) ?? [];
    if (row[column] !== null) values.push(Number(row[column]));
    series.set(name, values);
  }
  const lines = [...series].filter(([, values]) => values.length > 2).slice(0, sparkCurrencies);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, values]) => `${pc.dim(name.padEnd(width))}  ${sparkline(values)}`);
}

/** A line of blocks; where there are more values than room, each block is the mean of those it covers. */
export function sparkline(values: readonly number[]): string {
  const blocks = Math.min(values.length, sparkWidth);
  const means = Array.from({ length: blocks }, (_, index) => {
    const part = values.slice(
      Math.floor((index * values.length) / blocks),
      Math.floor(((index + 1) * values.length) / blocks),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const lowest = Math.min(...means);
  const step = (Math.max(...means) - lowest) / (sparkLevels.length - 1) || 1;
  return means.map((mean) => sparkLevels[Math.round((mean - lowest) / step)]).join('');
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
