import type { HistoryRange } from '../../lives/history.ts';
import { LiveStream, emptyLiveState, type Block, type Grant, type LiveState } from '../../lives/live.ts';
import type { Clock, Scenario } from '../../scenario/scenario.ts';
import { firstFreeIndex, type Claim, type Claims, type NumberedClaim } from '../claims.ts';

/** Customers of histories that a stream takes over at once: at most, and at least where there are as many. */
const maxAdopts = 1000;
const minAdopts = 50;
/** A stream takes this share of what is left, so that others beside it find some. */
const adoptShare = 0.25;
/** Customers a new stream begins with: enough for every kind of event, resumed in a fraction of a second. */
const initialAdopts = 500;
/** Indices for newcomers are there in plenty. */
const signupsAtOnce = 10_000;
/** With fewer of them left a stream asks for more. */
const fewSignups = 1000;

export interface SupplyOptions {
  claims: Claims;
  /** What lives follow from; see fingerprint.ts. */
  fingerprint: string;
  clock: Clock;
}

/** Provides a live stream with customers of its own, each claimed before anything is told of it. */
export class Supply {
  readonly #options: SupplyOptions;
  /** False once no history had anybody left. */
  #hasAdoptable = true;

  constructor(options: SupplyOptions) {
    this.#options = options;
  }

  /** Goes on with a stream, or begins one. */
  open(scenario: Scenario, state: LiveState | undefined): LiveStream {
    if (state !== undefined) return new LiveStream(scenario, state);
    const { number, grant } = this.#claim(true);
    const stream = new LiveStream(scenario, emptyLiveState(scenario, number));
    stream.grant(grant);
    stream.adopt(initialAdopts);
    return stream;
  }

  /** To be called often: claims more customers when the stream has few left. */
  refill(stream: LiveStream): void {
    const { adopts, signups } = stream.waiting();
    const { claims, fingerprint } = this.#options;
    const needsSignups = signups < fewSignups;
    if (adopts === 0 && this.#hasAdoptable)
      this.#hasAdoptable = adoptable(claims.list(), fingerprint).length > 0;
    if (needsSignups || (adopts === 0 && this.#hasAdoptable)) stream.grant(this.#claim(needsSignups).grant);
  }

  /** True where there are histories, and none that lives can be resumed from. */
  isOutdated(): boolean {
    const { claims, fingerprint } = this.#options;
    const histories = claims.list().filter((claim) => claim.kind === 'history' && claim.isComplete);
    return histories.length > 0 && histories.every((claim) => claim.fingerprint !== fingerprint);
  }

  #claim(withSignups: boolean): { number: number; grant: Grant } {
    const { claims, fingerprint, clock } = this.#options;
    const now = clock.now();
    let adopts: HistoryRange[] = [];
    const { number, first, count } = claims.add((previous): Claim => {
      adopts = chooseAdopts(adoptable(previous, fingerprint));
      return {
        kind: 'live',
        first: firstFreeIndex(previous),
        count: withSignups ? signupsAtOnce : 0,
        startAt: now,
        endAt: now,
        adopts: adopts.map((range) => ({ first: range.first, count: range.count })),
        fingerprint,
      };
    });
    return { number, grant: { adopts, signups: { first, count } } };
  }
}

/** Customers of complete histories that no stream has taken over. */
export function adoptable(claims: readonly NumberedClaim[], fingerprint: string): HistoryRange[] {
  const taken = claims.flatMap(({ adopts = [] }) => adopts).sort((a, b) => a.first - b.first);
  return claims
    .filter((claim) => claim.kind === 'history' && claim.isComplete && claim.fingerprint === fingerprint)
    .flatMap(({ first, count, startAt, endAt }) =>
      without({ first, count }, taken).map((block) => ({ ...block, startAt, endAt })),
    );
}

/** The part of what is left that one stream takes at once. */
function chooseAdopts(left: readonly HistoryRange[]): HistoryRange[] {
  const available = left.reduce((sum, { count }) => sum + count, 0);
  let wanted = Math.min(maxAdopts, Math.max(minAdopts, Math.ceil(available * adoptShare)));
  return left.flatMap((range) => {
    const count = Math.min(wanted, range.count);
    wanted -= count;
    return count === 0 ? [] : [{ ...range, count }];
  });
}

/** The parts of `block` that none of the blocks `taken`, in their order, covers. */
function without(block: Block, taken: readonly Block[]): Block[] {
  const end = block.first + block.count;
  const parts: Block[] = [];
  let { first } = block;
  for (const other of taken) {
    if (other.first + other.count <= first || other.first >= end) continue;
    if (other.first > first) parts.push({ first, count: other.first - first });
    first = other.first + other.count;
  }
  if (first < end) parts.push({ first, count: end - first });
  return parts;
}
