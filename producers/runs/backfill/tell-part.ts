import { setImmediate } from 'node:timers/promises';
import type { Positions } from '../../delivery/routes.ts';
import type { Publisher } from '../../delivery/publisher.ts';
import type { BillingEvent } from '../../events.ts';
import type { Checkpoint } from './checkpoints.ts';

export interface TellPartOptions {
  /** The part's events, the same ones in the same order whenever it is called. */
  events: () => Iterable<BillingEvent[]>;
  publisher: Pick<Publisher, 'publish' | 'flush' | 'positions'>;
  /** Where the part's events can be at the earliest: the ends of the topics before the first of them was sent. */
  since: Positions;
  /** How far the part has come already. */
  checkpoint: Checkpoint | undefined;
  save: (checkpoint: Checkpoint) => void;
  /** Ids of those events after the checkpoint that the broker has. */
  findSent: (checkpoint: Checkpoint) => Promise<Set<string>>;
  /** A checkpoint is written whenever so many events have been told since the last one, or so much time passed. */
  every: { events: number; ms: number };
  /** Looked at often; the part ends at once with a last checkpoint. */
  isStopped: () => boolean;
  /** Called for each event that need not be sent again. */
  onFound: () => void;
}

/**
 * Sends the events of a part, from the checkpoint on and none that the broker has already. What is told and what
 * is not is exact whatever ended an earlier attempt: a checkpoint is written only after everything before it was
 * acknowledged, and what was sent after it is looked up on the broker.
 *
 * @returns whether the part is told to its end
 * @throws PipelineError what the publisher fails with, or `STATE_NOT_WRITABLE`
 */
export async function tellPart(options: TellPartOptions): Promise<boolean> {
  const { events, publisher, since, save, findSent, every, isStopped, onFound } = options;
  let checkpoint = options.checkpoint;
  if (checkpoint?.isComplete === true) return true;
  let sent = new Set<string>();
  if (checkpoint === undefined) {
    // Before the first event: whoever goes on has to know where it could be.
    checkpoint = {
      ...nothingTold,
      upTo: every.events,
      byTopic: {},
      positions: copyOf(publisher.positions(since)),
    };
    save(checkpoint);
  } else {
    sent = await findSent(checkpoint);
  }
  const already = checkpoint.told;
  const byTopic = new Map(Object.entries(checkpoint.byTopic));
  let { firstAt, lastAt } = checkpoint;
  let told = 0;
  let nextAt = already + every.events;
  let savedAtMs = performance.now();
  const keep = async (isComplete: boolean) => {
    await publisher.flush();
    const upTo = isComplete ? told : told + every.events;
    const positions = copyOf(publisher.positions(since));
    save({ told, upTo, byTopic: Object.fromEntries(byTopic), firstAt, lastAt, positions, isComplete });
    nextAt = upTo;
    savedAtMs = performance.now();
  };
  for (const day of events()) {
    if (told + day.length <= already) {
      told += day.length;
      // Messages and signals come in between.
      await setImmediate();
      if (isStopped()) return false;
      continue;
    }
    for (const event of day) {
      told += 1;
      if (told <= already) continue;
      byTopic.set(event.topic, (byTopic.get(event.topic) ?? 0) + 1);
      if (firstAt === null || event.at < firstAt) firstAt = event.at;
      if (lastAt === null || event.at > lastAt) lastAt = event.at;
      let hasWaited = false;
      if (sent.size > 0 && sent.delete(String(event.record['event_id']))) {
        onFound();
      } else {
        const full = publisher.publish(event);
        // Awaiting what is no promise would cost a turn of the event loop for every record.
        if (full !== undefined) {
          await full;
          hasWaited = true;
        }
      }
      if (hasWaited && isStopped()) {
        await keep(false);
        return false;
      }
      if (told === nextAt || (hasWaited && performance.now() - savedAtMs > every.ms)) await keep(false);
    }
  }
  await keep(true);
  return true;
}

const nothingTold = { told: 0, firstAt: null, lastAt: null, isComplete: false } as const;

function copyOf(positions: Positions): Record<string, number[]> {
  return Object.fromEntries(Object.entries(positions).map(([topic, offsets]) => [topic, [...offsets]]));
}
