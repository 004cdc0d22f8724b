import { InterruptedError } from '../../../core/errors.ts';
import { systemClock } from '../../scenario/scenario.ts';
import { chooseTopics } from './choose-topics.ts';
import { LiveRun } from './live-run.ts';
import { pace } from './pace.ts';
import { run, type ProduceResult, type RunOptions } from '../run.ts';

export interface LiveOptions extends RunOptions {
  /** Events per second. */
  rate: number;
  durationMs: number;
  /** How long after its end a stream that is behind goes on. Default 1000; infinite where each event counts. */
  graceMs?: number;
  /** Topics to produce, in full or without "billing."; what they refer to is produced as well. Default all. */
  only?: readonly string[];
  /** Told what the reader should know and what is no failure. */
  onNote?: (text: string) => void;
}

/**
 * Produces a stream of events that happen now, at a steady rate: customers of the histories produced so far go on
 * with their lives, and new ones sign up. It continues an earlier stream of the same topics that ended in an
 * orderly way; the customers of one that did not stay as they are.
 *
 * @throws InvalidInputError for topics that the catalog does not have; otherwise see {@link run}
 */
export async function produceLive(options: LiveOptions): Promise<ProduceResult> {
  const { rate, durationMs, graceMs, signal, catalog, clock = systemClock } = options;
  const { topics } = chooseTopics(catalog, options.only);
  const onNote = options.onNote ?? (() => undefined);
  return run({ ...options, catalog: { ...catalog, topics } }, async (tools) => {
    const names = topics.map(({ topic }) => topic);
    const live = new LiveRun(tools, { topics: names, clock, onNote });
    tools.whenSettled(() => {
      live.keep();
    });
    await tools.send(Math.round((rate * durationMs) / 1000), async (publish) => {
      const pacing = {
        rate,
        durationMs,
        ...(graceMs !== undefined && { graceMs }),
        ...(signal && { signal }),
      };
      for await (const due of pace(pacing)) {
        await live.prepare(publish);
        for (let sent = 0; sent < due; sent += 1) {
          // Before the event is made: what has happened must also be sent, or the stream could not be continued.
          if (signal?.aborted === true) throw new InterruptedError();
          const event = live.next();
          if (event === undefined) return;
          const full = publish(event);
          // Awaiting what is no promise would cost a turn of the event loop for every record.
          if (full !== undefined) await full;
        }
        tools.push();
      }
    });
  });
}
