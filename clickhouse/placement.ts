import type { Target } from '../targets/load-target.ts';
import { quoteString } from './client.ts';
import { codeOnly } from './sql-statements.ts';

/** Where tables live: the settings of `clickhouse` in a target. */
export type Placement = Pick<Target['clickhouse'], 'cluster' | 'engines'>;

const name = String.raw`(?:[\w.]+|` + '`[^`]*`' + String.raw`)`;
const ddl = new RegExp(
  String.raw`^\s*(?:` +
    [
      String.raw`(?:CREATE|DROP)\s+(?:DATABASE|TABLE|(?:MATERIALIZED\s+)?VIEW)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?${name}`,
      String.raw`ALTER\s+TABLE\s+${name}`,
      // RENAME has it behind both names.
      String.raw`RENAME\s+TABLE\s+${name}\s+TO\s+${name}`,
    ].join('|') +
    ')',
  'is',
);
const engine = /\bENGINE\s*=\s*(?=(\w*)MergeTree\b)/is;
const localWindow = /\bnon_replicated_deduplication_window\b/is;

/**
 * The statement as the servers of a target take it. Files and their checksums know one server: what a cluster needs
 * is put in here, at the last moment.
 *
 * - `cluster`: DDL runs ON CLUSTER.
 * - `replicated`: engines become Replicated*, with the servers' own default path and macros.
 * - `replicated` and `shared`: the deduplication window is that of replicated tables, which have one of their own
 *   by default; a table without any, the ledger, says so.
 */
export function placeStatement(statement: string, { cluster = '', engines = 'local' }: Placement): string {
  let placed = statement;
  if (engines !== 'local') {
    const code = codeOnly(placed);
    const found = engine.exec(code);
    if (found !== null) {
      const window = localWindow.exec(code);
      if (window !== null) {
        placed = splice(placed, window.index, window[0].length, 'replicated_deduplication_window');
      } else if (isTable(code)) {
        placed = withSettings(placed, code, 'replicated_deduplication_window = 0');
      }
      if (engines === 'replicated' && !/^Replicated/i.test(found[1] ?? '')) {
        placed = splice(placed, found.index + found[0].length, 0, 'Replicated');
      }
    }
  }
  if (cluster === '') return placed;
  const head = ddl.exec(codeOnly(placed));
  return head === null
    ? placed
    : splice(placed, head.index + head[0].length, 0, ` ON CLUSTER ${quoteString(cluster)}`);
}

function isTable(code: string): boolean {
  return /^\s*CREATE\s+TABLE\b/i.test(code);
}

/** SETTINGS stand between ORDER BY and COMMENT, or at the end. */
function withSettings(statement: string, code: string, setting: string): string {
  const given = /\bSETTINGS\s+/i.exec(code);
  if (given !== null) return splice(statement, given.index + given[0].length, 0, `${setting}, `);
  const afterEngine = engine.exec(code)?.index ?? 0;
  const comment = /\bCOMMENT\b/i.exec(code.slice(afterEngine));
  return comment === null
    ? `${statement}\nSETTINGS ${setting}`
    : splice(statement, afterEngine + comment.index, 0, `SETTINGS ${setting}\n`);
}

function splice(text: string, at: number, length: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + length);
}
