import Table from 'cli-table3';
import pc from 'picocolors';

export interface Column {
  title: string;
  align?: 'left' | 'right';
}

/**
 * What a command prints. Data goes to stdout; progress and remarks to stderr, so that `--json` leaves one
 * document on stdout whatever happens on the way.
 */
export interface Output {
  /** True when the reader asked for JSON. */
  json: boolean;
  /** Prints the command's result; nothing when the reader asked for JSON. */
  print(text: string): void;
  /** Prints one JSON document; nothing when the reader did not ask for JSON. */
  document(value: unknown): void;
  /** One line of JSON of a command that goes on, like {@link Output.document} otherwise. */
  line(value: unknown): void;
  /** A remark or a step of a long operation, to stderr. */
  note(text: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    print: (text) => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    document: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    line: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    note: (text) => process.stderr.write(`${text}\n`),
  };
}

/** A plain table that fits an 80-column terminal as long as its cells do. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly unknown[])[]): string {
  const table = new Table({
    head: columns.map((column) => pc.bold(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  table.push(...rows.map((row) => row.map((cell) => formatCell(cell))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function formatCell(cell: unknown): string {
  if (cell === null || cell === undefined) return '-';
  if (typeof cell === 'number') return cell.toLocaleString('en-US');
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}
