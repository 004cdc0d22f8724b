/** A declared time range in Superset's words: up to and including today, months from the first day of the first one. */
export function supersetTimeRange(declared: string): string {
  if (declared === 'all') return 'No filter';
  const [count = '', unit = ''] = declared.split(' ');
  if (unit === 'hours') return `DATEADD(DATETIME("now"), -${count}, hour) : now`;
  const end = 'DATEADD(DATETIME("today"), 1, day)';
  if (unit === 'days') return `DATEADD(DATETIME("today"), -${String(Number(count) - 1)}, day) : ${end}`;
  return `DATETRUNC(DATEADD(DATETIME("today"), -${count}, month), month) : ${end}`;
}
