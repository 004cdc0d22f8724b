import { planInvoice } from './billing-cycle.ts';
import { advance, billOf, startLife, type CustomerLife } from './customer-life.ts';
import type { Numbering } from '../scenario/ids.ts';
import type { BillingEvent } from '../events.ts';
import type { HistoryRange } from './history.ts';
import { liveOwner } from '../scenario/ids.ts';
import { Random } from '../scenario/random.ts';
import { streams, type Scenario } from '../scenario/scenario.ts';
import { happen, type PlannedStep } from './steps.ts';

export interface LiveOptions {
  /** Number that no other run of the seed has. */
  run: number;
  /** Histories that are on the broker from their first to their last event. */
  histories: readonly HistoryRange[];
  /** Indices for the customers who sign up during the run. */
  signups: { first: number; count: number };
}

/** Something under way: what is still to happen, in its order. */
interface Thread {
  steps: PlannedStep[];
  /** The customer whose signup this is. */
  newcomer?: CustomerLife;
}

/** Attempts at finding a customer who can be billed before somebody has to sign up. */
const maxPicks = 30;

/**
 * What goes on now: customers of the histories are billed and pay, and new ones sign up. Each invoice goes
 * through the same states as in a history, only faster: the next event of the one or the other follows when the
 * rate asks for it, not days later.
 */
export class LiveStream {
  readonly #scenario: Scenario;
  readonly #options: LiveOptions;
  readonly #random: Random;
  readonly #numbering: Numbering;
  readonly #open: Thread[] = [];
  /** Customers who signed up during the run and can be billed. */
  readonly #newcomers: CustomerLife[] = [];
  #signedUp = 0;

  constructor(scenario: Scenario, options: LiveOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#random = new Random(scenario.seed, streams.live, options.run);
    this.#numbering = { owner: liveOwner(options.run), counts: {} };
  }

  /** The next event, as of `at`. */
  next(at: number): BillingEvent {
    const thread = this.#start(at) ?? this.#open[this.#random.integer(0, this.#open.length - 1)];
    const planned = thread?.steps.shift();
    if (thread === undefined || planned === undefined) throw new Error('a live stream has nothing under way');
    const event = happen(this.#scenario, planned.step, at);
    if (thread.steps.length === 0) {
      this.#open.splice(this.#open.indexOf(thread), 1);
      // Only now: nobody is billed before the customer itself has been told of.
      if (thread.newcomer?.phase === 'renewal') this.#newcomers.push(thread.newcomer);
    }
    return event;
  }

  /** Begins something new if it is time to, or if there is nothing else to go on with. */
  #start(at: number): Thread | undefined {
    const { signups, openInvoices } = this.#scenario.settings.live;
    const wantsSignup = this.#random.chance(signups);
    const wantsInvoice = this.#open.length < this.#random.integer(1, openInvoices);
    if (!wantsSignup && !wantsInvoice) return undefined;
    const life = wantsSignup ? undefined : this.#pickCustomer();
    const thread = life === undefined ? this.#signUp(at) : this.#bill(life, at);
    if (thread !== undefined) this.#open.push(thread);
    return thread;
  }

  #bill(life: CustomerLife, at: number): Thread {
    const bill = billOf(this.#scenario, life);
    return { steps: planInvoice(this.#scenario, this.#random, bill, this.#numbering, at).steps };
  }

  #signUp(at: number): Thread | undefined {
    const { first, count } = this.#options.signups;
    if (this.#signedUp >= count) return undefined;
    const life = startLife(this.#scenario, first + this.#signedUp, { startAt: at, endAt: at + 1 });
    this.#signedUp += 1;
    const steps = advance(this.#scenario, life);
    if (life.phase === 'trial_end') steps.push(...advance(this.#scenario, life));
    return { steps, newcomer: life };
  }

  #pickCustomer(): CustomerLife | undefined {
    const { histories } = this.#options;
    const told = histories.reduce((sum, { count }) => sum + count, 0);
    for (let pick = 0; pick < maxPicks && told + this.#newcomers.length > 0; pick += 1) {
      let position = this.#random.integer(0, told + this.#newcomers.length - 1);
      const range = histories.find(({ count }) => {
        if (position < count) return true;
        position -= count;
        return false;
      });
      const life =
        range === undefined ? this.#newcomers[position] : lifeAtEnd(this.#scenario, range, position);
      if (life?.phase === 'renewal') return life;
    }
    return undefined;
  }
}

/** Where a customer of a history stands when it ends. */
function lifeAtEnd(scenario: Scenario, range: HistoryRange, position: number): CustomerLife {
  const life = startLife(scenario, range.first + position, range);
  while (life.nextAt < range.endAt) advance(scenario, life);
  return life;
}
