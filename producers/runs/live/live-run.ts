import { messageOf } from '../../../core/errors.ts';
import type { BillingEvent } from '../../events.ts';
import type { LiveState, LiveStream } from '../../lives/live.ts';
import { withPresentPrices } from '../../lives/present-prices.ts';
import type { Clock } from '../../scenario/scenario.ts';
import { calendarPage, nextPageAt, turnPage } from './calendar.ts';
import { fingerprintOf } from '../fingerprint.ts';
import { saveLiveState, takeLiveState, type LiveStateOptions } from './live-state.ts';
import type { Publish, RunTools } from '../run.ts';
import { Supply } from './supply.ts';

/** Topic of whom every life tells first; whatever refers to it is chosen together with it. */
const customersTopic = 'billing.customers';
/** Events in a row of other topics than the chosen ones after which nothing more is expected of these. */
const maxMisses = 100_000;

export interface LiveRunOptions {
  /** Topics that are produced. */
  topics: readonly string[];
  clock: Clock;
  onNote: (text: string) => void;
}

/** A live stream in one run: where it comes from, what a new day brings, and how it is kept for the next run. */
export class LiveRun {
  readonly #tools: RunTools;
  readonly #topics: ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #onNote: (text: string) => void;
  readonly #stored: LiveStateOptions;
  readonly #supply: Supply;
  /** Undefined where no topic was chosen that customers have a part in. */
  #stream: LiveStream | undefined;
  #nextPageAt = 0;

  constructor(tools: RunTools, { topics, clock, onNote }: LiveRunOptions) {
    const { scenario, claims, folder } = tools;
    const fingerprint = fingerprintOf(scenario.settings);
    this.#tools = tools;
    this.#topics = new Set(topics);
    this.#clock = clock;
    this.#onNote = onNote;
    this.#stored = { folder, topics, fingerprint };
    this.#supply = new Supply({ claims, fingerprint, clock });
    if (!this.#topics.has(customersTopic)) return;
    this.#stream = this.#streamFrom(takeLiveState(this.#stored, onNote));
    if (this.#supply.isOutdated())
      onNote('Histories that another version of the scenario told are not gone on with.');
  }

  /**
   * To be called often. On a new day, the run's first one included, it tells what belongs to it and waits until the
   * broker has acknowledged that, for everything else refers to it.
   */
  async prepare(publish: Publish): Promise<void> {
    const now = this.#clock.now();
    if (now >= this.#nextPageAt) {
      const { scenario, claims, flush } = this.#tools;
      const page = calendarPage(scenario, claims.list(), this.#topics, now);
      for (const event of page.events) await publish(event);
      await flush();
      if (page.events.length > 0) turnPage(claims, page, now);
      this.#nextPageAt = nextPageAt(now);
      if (this.#stream !== undefined) this.#stream = this.#streamFrom(this.#stream.state());
    }
    if (this.#stream !== undefined) this.#supply.refill(this.#stream);
  }

  /** The stream's next event of the chosen topics; undefined when there seems to be none. */
  next(): BillingEvent | undefined {
    for (let misses = 0; this.#stream !== undefined && misses < maxMisses; misses += 1) {
      const event = this.#stream.next(this.#clock.now());
      if (this.#topics.has(event.topic)) return event;
    }
    this.#onNote(`Nothing more happens in ${this.#stored.topics.join(', ')}`);
    return undefined;
  }

  /** Stores the stream for the next run; only when all of its events are acknowledged. */
  keep(): void {
    if (this.#stream === undefined) return;
    try {
      saveLiveState(this.#stored, this.#stream.state());
    } catch (error) {
      // No failure of this run: all it has sent is acknowledged.
      this.#onNote(
        `The stream cannot be kept (${messageOf(error)}): the next run begins with other customers.`,
      );
    }
  }

  #streamFrom(state: LiveState | undefined): LiveStream {
    return this.#supply.open(withPresentPrices(this.#tools.scenario, this.#clock.now()), state);
  }
}
