import type { Target } from '../../../targets/load-target.ts';
import type { Acknowledged, DeliveryOptions, Publisher } from '../../delivery/publisher.ts';
import type { Positions, Routes } from '../../delivery/routes.ts';
import { createScenario } from '../../scenario/scenario.ts';
import type { ScenarioSettings } from '../../scenario/settings.ts';
import { eventsOfPart, type Told } from './events.ts';
import { Checkpoints } from './checkpoints.ts';
import { findSent } from './find-sent.ts';
import { tellPart } from './tell-part.ts';

/** All that telling a part takes. Plain data, so that it can be handed to a thread. */
export interface BackfillWork {
  target: Target;
  seed: number;
  settings: ScenarioSettings;
  routes: Routes;
  delivery: DeliveryOptions;
  told: Told;
  /** Folder of the checkpoints. */
  folder: string;
  /** Ends of the topics before this run sent anything. */
  since: Positions;
  /** Distance of two checkpoints. */
  every: { events: number; ms: number };
}

/** What somebody who tells parts has achieved in this run. */
export interface BackfillCounts extends Acknowledged {
  /** Events of an earlier run that the broker had although no checkpoint said so. */
  found: number;
}

/** Tells parts with one publisher, in the thread it is made in. */
export class PartTeller {
  readonly #work: BackfillWork;
  readonly #publisher: Publisher;
  readonly #isStopped: () => boolean;
  readonly #scenario;
  readonly #checkpoints: Checkpoints;
  #found = 0;

  constructor(work: BackfillWork, publisher: Publisher, isStopped: () => boolean) {
    this.#work = work;
    this.#publisher = publisher;
    this.#isStopped = isStopped;
    this.#scenario = createScenario(work.seed, work.settings);
    this.#checkpoints = new Checkpoints(work.folder);
  }

  counts(): BackfillCounts {
    return { ...this.#publisher.acknowledged(), found: this.#found };
  }

  /** Goes on with the part where it stopped; false when it was stopped again. */
  async tell(part: number): Promise<boolean> {
    const { target, routes, told, since, every } = this.#work;
    const events = () => eventsOfPart(this.#scenario, told, part);
    const isStopped = this.#isStopped;
    return tellPart({
      events,
      publisher: this.#publisher,
      since,
      checkpoint: this.#checkpoints.read(part),
      save: (checkpoint) => {
        this.#checkpoints.write(part, checkpoint);
      },
      findSent: async (checkpoint) =>
        findSent({ target, routes: routes.topics, events: events(), checkpoint, isStopped }),
      every,
      isStopped,
      onFound: () => (this.#found += 1),
    });
  }
}
