/** How much a finding weighs: an error stops a change, a warning is for the reviewer to weigh, a note explains. */
export const findingLevels = ['error', 'warning', 'note'] as const;
export type FindingLevel = (typeof findingLevels)[number];

/** Who or what a change breaks. */
export const brokenParties = [
  'consumer on the old schema',
  'producer on the old schema',
  'sink',
  'table',
  'dbt',
  'dashboard',
] as const;
export type BrokenParty = (typeof brokenParties)[number];

/** What a rule looks for. Its id never changes: reports, suppressions and links are kept by it. */
export interface FindingRule {
  id: string;
  /** What is wrong when it finds something, in one sentence. */
  summary: string;
}

/** Rules that are kept as summaries by their ids. */
export function listRules(rules: Readonly<Record<string, string>>): FindingRule[] {
  return Object.entries(rules).map(([id, summary]) => ({ id, summary }));
}

/** One thing a check found, for a person who reviews a change. */
export interface Finding {
  /** Id of the rule that found it. */
  rule: string;
  level: FindingLevel;
  /** What it is about: a subject, a connector, a table, a dbt source. */
  subject: string;
  /** The field or column inside it, such as `address.city`; empty where it is about all of it. */
  path: string;
  /** What is the case, one sentence without a full stop. */
  what: string;
  breaks: readonly BrokenParty[];
  /** What to do instead. */
  todo: string;
  /** Path from the checkout's root, with slashes. */
  file: string;
  /** From 1. */
  line: number;
}
