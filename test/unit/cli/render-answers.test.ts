import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatMinor } from '../../../cli/format-money.ts';
import { renderAnswer, sparkline } from '../../../cli/render-answers.ts';
import { renderCsv } from '../../../cli/render-csv.ts';
import type { Answer } from '../../../clickhouse/answers.ts';

const answer = (columns: [name: string, type: string][], rows: Answer['rows'], bar?: string): Answer => ({
  number: 5,
  question: 'How much?',
  definition: '',
  from: '2025-03-01T00:00:00.000Z',
  to: '2025-03-30T12:34:56.789Z',
  columns: columns.map(([name, type]) => ({ name, type })),
  rows,
  ...(bar === undefined ? {} : { bar }),
});
/** Without the colours a terminal would get. */
const plain = (text: string) => stripVTControlCharacters(text).split('\n');

describe('formatMinor', () => {
  it.each([
    [1234567n, 'USD', '12,345.67'],
    [1234567n, 'JPY', '1,234,567'],
    [1234567n, 'KWD', '1,234.567'],
    [5n, 'KWD', '0.005'],
    [-5n, 'USD', '-0.05'],
    [0n, 'EUR', '0.00'],
    [9007199254740993n, 'KRW', '9,007,199,254,740,993'],
  ])('writes %d minor units of %s as %s', (amount, currency, expected) => {
    expect(formatMinor(amount, currency)).toBe(expected);
  });
});

describe('renderAnswer', () => {
  it('writes money by its currency, rates as percentages and the bar beside them', () => {
    const text = renderAnswer(
      answer(
        [
          ['currency', 'String'],
          ['payments', 'UInt64'],
          ['payments_share', 'Float64'],
          ['net_minor', 'Nullable(Int64)'],
        ],
        [
          ['JPY', 1000, 0.5, 1234],
          ['KWD', 500, 0.25, -1234],
          ['all', 1500, null, null],
        ],
        'payments',
      ),
    );
    expect(plain(text)).toEqual([
      '5. How much?',
      '2025-03-01 to 2025-03-30 12:34 UTC',
      'currency  payments     %     net',
      `JPY          1,000  50.0   1,234  ${'█'.repeat(13)}`,
      `KWD            500  25.0  -1.234  ${'█'.repeat(7)}`,
      `all          1,500     -       -  ${'█'.repeat(20)}`,
    ]);
  });

  it('makes a section of each value of the column "by"', () => {
    const text = renderAnswer(
      answer(
        [
          ['by', 'String'],
          ['name', 'String'],
          ['n', 'UInt64'],
        ],
        [
          ['region', 'europe', 1],
          ['method', 'card', 2],
        ],
      ),
    );
    expect(plain(text).slice(2)).toEqual(['', 'region  n', 'europe  1', '', 'method  n', 'card    2']);
  });

  it('says how many rows it does not show', () => {
    const rows = Array.from({ length: 25 }, (_, index) => [index]);
    expect(plain(renderAnswer(answer([['n', 'UInt64']], rows))).at(-1)).toBe(
      'and 5 more rows: --json and --csv print them',
    );
  });

  it('says so when there is nothing', () => {
    expect(plain(renderAnswer(answer([['n', 'UInt64']], []))).at(-1)).toBe('Nothing in this period.');
  });
});

describe('sparklines', () => {
  it('go from the lowest value to the highest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([-10, 0, -10])).toBe('▁█▁');
    expect(sparkline([3, 3, 3])).toBe('▁▁▁');
  });

  it('fit a terminal, whatever there is to draw', () => {
    const values = Array.from({ length: 1000 }, (_, index) => index);
    expect(sparkline(values)).toHaveLength(60);
    expect(sparkline(values).at(-1)).toBe('█');
  });

  it('are drawn for each currency below the rows', () => {
    const rows = ['EUR', 'JPY'].flatMap((currency) => [1, 3, 2].map((net) => [currency, net]));
    const columns: [string, string][] = [
      ['currency', 'String'],
      ['net_minor', 'Int64'],
    ];
    const lines = plain(renderAnswer({ ...answer(columns, rows), spark: 'net_minor' }));
    expect(lines.slice(-2)).toEqual(['EUR  ▁█▅', 'JPY  ▁█▅']);
  });
});

describe('renderCsv', () => {
  it('quotes what needs it, and leaves a cell without a value empty', () => {
    expect(
      renderCsv(
        ['name', 'net_minor'],
        [
          ['a "b", c', -5],
          ['line\nbreak', null],
        ],
      ),
    ).toBe('name,net_minor\r\n"a ""b"", c",-5\r\n"line\nbreak",');
  });
});
