/** One line of the benchmark's table. */
export interface Measurement {
  name: string;
  value: string;
  /** What the project aims at, as the table shows it. */
  target: string;
  ok: boolean;
}

/** The value below which the given share (0 to 1) of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

export function integer(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
