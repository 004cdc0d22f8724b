import type { Finding } from '../core/finding.ts';
import type { DocumentPath } from '../core/line-of.ts';
import type { ContractRule } from './rules.ts';

/** Where a finding belongs, before it is a file and a line. */
export type Place =
  /** In the .avsc of a topic, relative to `schemas/`. */
  | { in: 'schema'; file: string; at: DocumentPath }
  /** In the migration that made a column, or the table where there is no column. */
  | { in: 'migrations'; table: string; column?: string }
  /** In a connector's configuration. */
  | { in: 'connector'; name: string; key: string }
  | { in: 'catalog'; topic: string }
  /** In a YAML of dbt, from the checkout's root. */
  | { in: 'file'; file: string; at: DocumentPath };

/** A finding before its place is looked up. */
export interface Judgement extends Omit<Finding, 'rule' | 'file' | 'line'> {
  rule: ContractRule;
  place: Place;
}
