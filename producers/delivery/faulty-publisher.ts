import type { Catalog } from '../../schemas/catalog.ts';
import type { BillingEvent } from '../events.ts';
import type { FaultShares } from './fault-shares.ts';
import { FaultInjector, type Delivery, type FaultCounts } from './faults.ts';
import type { Publisher } from './publisher.ts';

export interface FaultyPublisherOptions {
  shares: FaultShares;
  catalog: Catalog;
  /** Seed of the scenario, and number of the run within it. */
  seed: number;
  run: number;
}

/** A publisher whose stream suffers faults on its way. */
export class FaultyPublisher {
  readonly #publisher: Publisher;
  readonly #injector: FaultInjector;

  constructor(publisher: Publisher, { catalog, ...options }: FaultyPublisherOptions) {
    this.#publisher = publisher;
    const topics = catalog.topics.map(
      ({ topic, id }) => [topic, { idField: id, ...publisher.formatOf(topic) }] as const,
    );
    this.#injector = new FaultInjector({ ...options, topics: new Map(topics) });
  }

  get counts(): FaultCounts {
    return this.#injector.counts;
  }

  /** See {@link Publisher.publish}. */
  publish(event: BillingEvent): Promise<void> | undefined {
    return this.#send(this.#injector.pass(event));
  }

  /** Publishes what is held back, without which a run is not at its end. */
  release(): Promise<void> | undefined {
    return this.#send(this.#injector.drain());
  }

  /** Takes everything over before it waits for anything: a run that is stopped meanwhile still sends it. */
  #send(deliveries: readonly Delivery[]): Promise<void> | undefined {
    const waits: Promise<void>[] = [];
    try {
      for (const { event, value } of deliveries) {
        const full = this.#publisher.publish(event, value);
        if (full !== undefined) waits.push(full);
      }
    } finally {
      // Where publishing throws, nobody waits for these any more.
      for (const wait of waits) wait.catch(() => undefined);
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }
}
