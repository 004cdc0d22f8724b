import { customersFor, historyEvents } from '../lives/history.ts';
import { LiveStream } from '../lives/live.ts';
import { systemClock } from '../scenario/scenario.ts';
import { firstFreeIndex } from './claims.ts';
import { fingerprintOf } from './fingerprint.ts';
import { pace } from './pace.ts';
import { run, type ProduceResult, type RunOptions } from './run.ts';

const yearMs = 365.25 * 86_400_000;

export interface HistoryOptions extends RunOptions {
  /** At least this many events are produced: whole lives, so usually a few more. */
  events: number;
  /** How far back the history goes from now. Default 2. */
  years?: number;
}

export interface LiveOptions extends RunOptions {
  /** Events per second. */
  rate: number;
  durationMs: number;
}

/**
 * Produces the history of new customers up to now, in the order of time. A second call tells of other customers.
 *
 * @throws see {@link run}
 */
export async function produceHistory(options: HistoryOptions): Promise<ProduceResult> {
  const { events, years = 2, clock = systemClock } = options;
  return run(options, async ({ scenario, claims, send }) => {
    const endAt = clock.now();
    const period = { startAt: Math.round(endAt - years * yearMs), endAt };
    const claim = claims.add((previous) => {
      const first = firstFreeIndex(previous);
      const count = customersFor(scenario, first, period, events);
      return { kind: 'history', first, count, ...period, fingerprint: fingerprintOf(scenario.settings) };
    });
    await send(events, async (publish) => {
      for (const day of historyEvents(scenario, claim)) {
        for (const event of day) {
          const full = publish(event);
          // Awaiting what is no promise would cost a turn of the event loop for every record.
          if (full !== undefined) await full;
        }
      }
    });
    claims.complete(claim);
  });
}

/**
 * Produces a stream of events that happen now, at a steady rate: customers of the histories produced so far are
 * billed and pay, and new ones sign up.
 *
 * @throws see {@link run}
 */
export async function produceLive(options: LiveOptions): Promise<ProduceResult> {
  const { rate, durationMs, signal, clock = systemClock } = options;
  return run(options, async ({ scenario, claims, send, push }) => {
    const now = clock.now();
    const expected = Math.round((rate * durationMs) / 1000);
    const claim = claims.add((previous) => ({
      kind: 'live',
      first: firstFreeIndex(previous),
      // Twice the expected signups, and enough for a run that finds no customers at all.
      count: 100 + Math.ceil(2 * expected * scenario.settings.live.signups),
      startAt: now,
      endAt: now,
    }));
    const stream = new LiveStream(scenario, {
      run: claim.number,
      histories: claims.list().filter(({ kind, isComplete }) => kind === 'history' && isComplete),
      signups: claim,
    });
    await send(expected, async (publish) => {
      for await (const due of pace({ rate, durationMs, ...(signal === undefined ? {} : { signal }) })) {
        for (let sent = 0; sent < due; sent += 1) {
          const full = publish(stream.next(clock.now()));
          if (full !== undefined) await full;
        }
        push();
      }
    });
    claims.complete(claim);
  });
}
