import type { BillingEvent } from '../../../producers/events.ts';
import { isLegal, transitions, type Machine } from '../../../producers/scenario/state-machines.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';

interface Seen {
  version: number;
  status: string;
}

/**
 * What a reader of all topics knows. Each event is checked against it: parents first, versions without gaps,
 * legal transitions, no event twice.
 */
export class Integrity {
  readonly problems: string[] = [];
  readonly #topics = new Map(loadCatalog().topics.map((entry) => [entry.topic, entry]));
  readonly #entities = new Map<string, Seen>();
  readonly #events = new Set<string>();

  readonly #isRead: (topic: string) => boolean;

  /** @param isRead which topics are read at all */
  constructor(isRead: (topic: string) => boolean = () => true) {
    this.#isRead = isRead;
  }

  read(events: Iterable<BillingEvent>): this {
    for (const event of events) this.#read(event);
    return this;
  }

  #read({ topic, record }: BillingEvent): void {
    const entry = this.#topics.get(topic);
    if (entry === undefined) throw new Error(`no topic ${topic}`);
    const name = `${topic} ${String(record[entry.id])}`;
    for (const [field, parent] of Object.entries(entry.references)) {
      const id = record[field];
      if (typeof id !== 'string' || !this.#isRead(parent) || this.#entities.has(`${parent} ${id}`)) continue;
      this.problems.push(`${name}: no ${parent} ${id}`);
    }
    const before = this.#entities.get(name) ?? { version: 0, status: 'none' };
    const version = Number(record['entity_version']);
    if (version !== before.version + 1)
      this.problems.push(`${name}: version ${version} after ${before.version}`);
    const status = String(record['status']);
    const machine = topic.replace(/^billing\./, '').replace(/s$/, '');
    if (machine in transitions && !isLegal(machine as Machine, before.status, status)) {
      this.problems.push(`${name}: ${before.status} -> ${status}`);
    }
    const id = String(record['event_id']);
    if (this.#events.has(id)) this.problems.push(`${name}: event ${id} twice`);
    this.#events.add(id);
    this.#entities.set(name, { version, status });
  }
}
