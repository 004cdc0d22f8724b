import type { CauseClass } from '../trace-causes.ts';
import type { TopicOffsets } from '../topic-offsets.ts';
import type { LetterAccount } from './account-entries.ts';
import { groupBy } from './group-by.ts';
import type { DeadLetter } from './letters.ts';

/** One dead letter topic as `dlq list` shows it. */
export interface DlqSummary {
  topic: string;
  /** Letters the broker holds. */
  retained: number;
  /** Of these, how many nobody has replayed. */
  waiting: number;
  replayed: number;
  /** Offsets that are gone: drained, or removed by retention. */
  drained: number;
  /** Time of day, milliseconds; null where there is none. */
  oldestMs: number | null;
  newestMs: number | null;
  groups: LetterGroup[];
}

/** Letters that failed in the same way. */
export interface LetterGroup {
  /** Topic of the records; null where no header tells. */
  source: string | null;
  cause: CauseClass;
  exception: string;
  letters: number;
  waiting: number;
}

/** Pure. The largest groups come first. */
export function summarize(
  { topic, partitions }: TopicOffsets,
  all: readonly DeadLetter[],
  account: ReadonlyMap<string, LetterAccount>,
): DlqSummary {
  const own = all.filter((letter) => letter.topic === topic);
  const isWaiting = ({ id }: DeadLetter) => account.get(id)?.replayed === undefined;
  const times = own.map(({ atMs }) => atMs);
  const waiting = own.filter(isWaiting).length;
  const groups = groupBy(own, ({ source, cause, exception }) =>
    JSON.stringify([source?.topic ?? null, cause, exception]),
  );
  return {
    topic,
    retained: own.length,
    waiting,
    replayed: own.length - waiting,
    drained: partitions.reduce((sum, { low }) => sum + low, 0),
    // A spread of so many arguments as there may be letters would overflow the stack.
    oldestMs: times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b)),
    newestMs: times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b)),
    groups: [...groups]
      .map(([key, letters]): LetterGroup => {
        const [source, cause, exception] = JSON.parse(key) as [string | null, CauseClass, string];
        return {
          source,
          cause,
          exception,
          letters: letters.length,
          waiting: letters.filter(isWaiting).length,
        };
      })
      .sort((a, b) => b.letters - a.letters),
  };
}
