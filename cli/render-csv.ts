import type { Cell } from '../clickhouse/answers.ts';

/** Comma-separated values as RFC 4180 has them, without the last line break. A cell without a value is empty. */
export function renderCsv(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [names, ...rows].map((row) => row.map(quote).join(',')).join('\r\n');
}

function quote(cell: Cell): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
