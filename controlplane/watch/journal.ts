import type { Mask } from '../secrets.ts';

export const eventLevels = ['info', 'warn', 'error'] as const;

/** One thing the watcher did or noticed. */
export interface JournalEvent {
  level: (typeof eventLevels)[number];
  /** Stable, such as `restart`, `hold`, `verdict`, `server`, `drift`, `alert`. */
  event: string;
  /** One sentence for people. */
  message: string;
  /** The connector or server it is about. */
  subject?: string;
  task?: number | null;
  cause?: string;
  reason?: string;
}

export type JournalEntry = JournalEvent & { at: string };

/** The log of actions; its newest entries are kept for those who look. */
export interface Journal {
  record(event: JournalEvent): void;
  /** Oldest first. */
  entries(): readonly JournalEntry[];
}

const kept = 200;

/**
 * @param write called with each entry, such as to print it as one line of JSON
 * @param mask applied to every text before anybody sees it: servers repeat what they were sent
 */
export function createJournal(write: (entry: JournalEntry) => void, mask: () => Mask): Journal {
  const entries: JournalEntry[] = [];
  return {
    record: (event) => {
      const hide = mask();
      const hidden = Object.fromEntries(
        Object.entries(event).map(([key, value]) => [key, typeof value === 'string' ? hide(value) : value]),
      ) as unknown as JournalEvent;
      const entry = { at: new Date().toISOString(), ...hidden };
      entries.push(entry);
      if (entries.length > kept) entries.shift();
      write(entry);
    },
    entries: () => entries,
  };
}
