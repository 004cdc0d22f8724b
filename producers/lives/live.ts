import TinyQueue from 'tinyqueue';
import type { BillingEvent } from '../events.ts';
import { Random, type RandomState } from '../scenario/random.ts';
import { streams, type Scenario } from '../scenario/scenario.ts';
import { advance, startLife, type CustomerLife } from './customer-life.ts';
import { resumeLife, type HistoryRange } from './history.ts';
import { happen, type PlannedStep } from './steps.ts';

/** Consecutive indices of customers. */
export interface Block {
  first: number;
  count: number;
}

/** Whom a stream may tell of. What is granted to one stream is granted to no other, ever. */
export interface Grant {
  /** Customers whose history is on the broker from its first to its last event. */
  adopts: readonly HistoryRange[];
  /** Indices for customers who sign up during the stream. */
  signups: Block;
}

/** A customer under way. */
export interface Thread {
  life: CustomerLife;
  /** What is decided and has not happened yet, in the order of time. */
  pending: PlannedStep[];
  /** What has to be added to the life's own time to get the stream's. */
  shiftMs: number;
  /** When the next thing happens or is decided, in the stream's time. */
  dueAt: number;
  /** Who of two that are due at once goes first. */
  number: number;
}

/** All there is to a stream. Plain data but for each life's `random`. */
export interface LiveState {
  random: RandomState;
  /** How far the stream's time has come. */
  storyAt: number;
  told: number;
  met: number;
  /** In the order of the queue. */
  threads: Thread[];
  adopts: HistoryRange[];
  signups: Block[];
}

/** A stream that has nothing to tell yet. `number` is one that no other stream of the seed has. */
export function emptyLiveState({ seed }: Scenario, number: number): LiveState {
  const random = new Random(seed, streams.live, number).state();
  return { random, storyAt: 0, told: 0, met: 0, threads: [], adopts: [], signups: [] };
}

/** Resuming a life costs as much as a hundred events: this seldom it is not noticed. */
const eventsPerAdoption = 200;

/**
 * What goes on now: the lives of customers of the histories go on where their history ended, and new ones sign
 * up. Time passes faster than in reality, as fast as the rate asks for it, and for all at the same pace: whoever
 * is next to do something in the stream's time does it now. So the mix of events is that of a history.
 */
export class LiveStream {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #queue: TinyQueue<Thread>;
  readonly #adopts: HistoryRange[];
  readonly #signups: Block[];
  #storyAt: number;
  #told: number;
  #met: number;

  constructor(scenario: Scenario, state: LiveState) {
    this.#scenario = scenario;
    this.#random = Random.resume(state.random);
    // A queue in the order of a queue stays as it is.
    this.#queue = new TinyQueue(state.threads, byDue);
    this.#adopts = state.adopts;
    this.#signups = state.signups;
    this.#storyAt = state.storyAt;
    this.#told = state.told;
    this.#met = state.met;
  }

  /** The stream as it is now: one that is made from it goes on exactly like this one. */
  state(): LiveState {
    return {
      random: this.#random.state(),
      storyAt: this.#storyAt,
      told: this.#told,
      met: this.#met,
      threads: this.#queue.data,
      adopts: this.#adopts,
      signups: this.#signups,
    };
  }

  grant({ adopts, signups }: Grant): void {
    this.#adopts.push(...adopts.map((range) => ({ ...range })));
    if (signups.count > 0) this.#signups.push({ ...signups });
  }

  /** Customers of histories and newcomers that were granted and are not under way yet. */
  waiting(): { adopts: number; signups: number } {
    return { adopts: total(this.#adopts), signups: total(this.#signups) };
  }

  /** Goes on with the next customers of the histories, as many of `count` as were granted. */
  adopt(count: number): void {
    for (let adopted = 0; adopted < count; adopted += 1) {
      const range = this.#adopts[0];
      if (range === undefined) return;
      const { life, pending } = resumeLife(this.#scenario, range.first, range);
      takeFirst(this.#adopts);
      this.#meet(life, pending, this.#storyAt - range.endAt);
    }
  }

  /**
   * The next event, as of `at`.
   *
   * @throws Error when there is nobody to tell of: too little was granted
   */
  next(at: number): BillingEvent {
    const { signups, customers } = this.#scenario.settings.live;
    this.#told += 1;
    if (this.#queue.length < customers) {
      if (this.#told % eventsPerAdoption === 0) this.adopt(1);
      if (this.#random.chance(signups)) this.#signUp(at);
    }
    for (;;) {
      if (this.#queue.length === 0) this.#signUp(at);
      const thread = this.#queue.pop();
      if (thread === undefined) throw new Error('a live stream has nobody to tell of');
      const planned = this.#nextStep(thread);
      if (planned === undefined) continue;
      this.#storyAt = Math.max(this.#storyAt, planned.at + thread.shiftMs);
      const event = happen(this.#scenario, planned.step, at);
      this.#enqueue(thread);
      return event;
    }
  }

  /** Takes what happens next to a customer; undefined when nothing ever does. */
  #nextStep({ life, pending }: Thread): PlannedStep | undefined {
    while (life.nextAt <= (pending[0]?.at ?? Number.MAX_VALUE)) {
      pending.push(...advance(this.#scenario, life));
      // Sorting is stable: at the same moment a parent stays before its child.
      pending.sort(byTime);
    }
    return pending.shift();
  }

  #signUp(at: number): void {
    const index = takeFirst(this.#signups);
    if (index === undefined) return;
    const life = startLife(this.#scenario, index, { startAt: at, endAt: at + 1 });
    this.#meet(life, [], this.#storyAt - at);
  }

  #meet(life: CustomerLife, pending: PlannedStep[], shiftMs: number): void {
    this.#met += 1;
    this.#enqueue({ life, pending, shiftMs, dueAt: 0, number: this.#met });
  }

  /** Customers who are gone, with nothing under way, leave the stream here. */
  #enqueue(thread: Thread): void {
    const { life, pending, shiftMs } = thread;
    thread.dueAt = Math.min(life.nextAt, pending[0]?.at ?? Number.POSITIVE_INFINITY) + shiftMs;
    if (Number.isFinite(thread.dueAt)) this.#queue.push(thread);
  }
}

function byDue(a: Thread, b: Thread): number {
  return a.dueAt - b.dueAt || a.number - b.number;
}

function byTime(a: PlannedStep, b: PlannedStep): number {
  return a.at - b.at;
}

function total(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { count }) => sum + count, 0);
}

/** Takes the first index out of the blocks. */
function takeFirst(blocks: Block[]): number | undefined {
  const block = blocks[0];
  if (block === undefined) return undefined;
  const index = block.first;
  block.first += 1;
  block.count -= 1;
  if (block.count === 0) blocks.shift();
  return index;
}
