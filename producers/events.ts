import type { EntityKey } from './scenario/ids.ts';

/** One record for one topic. */
export interface BillingEvent {
  topic: string;
  /** `occurred_at` of the record, milliseconds since 1970. */
  at: number;
  /** Fields by the names of the topic's schema, written out in one literal: a spread costs ten times as much. */
  record: Readonly<Record<string, unknown>>;
}

/** What every generated entity has: who it is, and how often it changed. */
export interface Entity {
  key: EntityKey;
  /** `entity_version` of its latest event; 0 before the first. */
  version: number;
}
