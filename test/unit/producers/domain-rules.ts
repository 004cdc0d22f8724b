import type { BillingEvent } from '../../../producers/events.ts';
import { isLegal, transitions, type Machine } from '../../../producers/scenario/state-machines.ts';
import { loadCatalog, type CatalogTopic } from '../../../schemas/catalog.ts';
import { MoneyRules } from './money-rules.ts';

export type Fields = BillingEvent['record'];

const topics = new Map(loadCatalog().topics.map((entry) => [entry.topic, describe(entry)]));

/** What the rules need to know of a topic. */
function describe({ topic, id, references, fields }: CatalogTopic) {
  const name = topic.replace(/^billing\./, '').replace(/s$/, '');
  const machine = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const names = new Set(fields.map((field) => field.name));
  return {
    id,
    references: Object.entries(references).map(([field, parent]) => ({
      field,
      parent,
      isOptional: Array.isArray(fields.find((candidate) => candidate.name === field)?.type),
    })),
    machine: machine in transitions ? (machine as Machine) : undefined,
    hasPrevious: names.has('previous_status'),
  };
}

/** Topics whose entities have a state machine. */
export const machines = new Map(
  [...topics].flatMap(([topic, { machine }]) => (machine ? [[topic, machine]] : [])),
);

/** Everything that must never be found in a stream of events, gathered as the events pass by. */
export class DomainRules {
  /** Empty when all is well; no more than a hundred. */
  readonly violations: string[] = [];
  /** `<machine>: <from> -> <to>`, as far as they were seen. */
  readonly seen = new Set<string>();
  /** Latest record of every entity, by topic and id. */
  readonly #latest = new Map<string, Map<string, Fields>>(
    [...topics.keys()].map((topic) => [topic, new Map()]),
  );
  /** When each of them was first told of. */
  readonly #createdAt = new Map<string, number>();
  readonly #eventIds = new Set<string>();
  readonly #money = new MoneyRules();

  check({ topic, at, record }: BillingEvent): void {
    const described = topics.get(topic);
    if (described === undefined) return void this.violations.push(`${topic} is not in the catalog`);
    const { id, references, machine, hasPrevious } = described;
    const entity = String(record[id]);
    const before = this.#latest.get(topic)!.get(entity);
    const complain = (what: string) => {
      const name = `${topic} ${entity} v${String(record['entity_version'])}`;
      if (this.violations.length < 100) this.violations.push(`${name}: ${what}`);
    };

    if (this.#eventIds.has(String(record['event_id']))) complain('its event_id is used twice');
    this.#eventIds.add(String(record['event_id']));
    if (record['occurred_at'] !== at) complain('occurred_at is another moment');
    if (before !== undefined && Number(before['occurred_at']) > at) complain('changed before it was created');
    if (record['entity_version'] !== Number(before?.['entity_version'] ?? 0) + 1)
      complain('a version is missing');
    if (machine !== undefined) {
      const from = String(before?.['status'] ?? 'none');
      const to = String(record['status']);
      if (!isLegal(machine, from, to)) complain(`${from} -> ${to}`);
      this.seen.add(`${machine}: ${from} -> ${to}`);
      if (hasPrevious && record['previous_status'] !== from) complain('previous_status is wrong');
    }
    for (const { field, parent, isOptional } of references) {
      const reference = record[field];
      if (reference === null && isOptional) continue;
      const createdAt = this.#createdAt.get(`${parent} ${String(reference)}`);
      if (createdAt === undefined) complain(`${field} does not exist yet`);
      else if (createdAt > at) complain(`${field} exists only later`);
    }
    for (const [field, value] of Object.entries(record)) {
      if (!field.endsWith('_minor') || value === null) continue;
      if (!Number.isSafeInteger(value) || Number(value) < 0)
        complain(`${field} is no amount: ${String(value)}`);
    }
    this.#money.check(topic, record, before, complain);
    this.#latest.get(topic)!.set(entity, record);
    if (before === undefined) this.#createdAt.set(`${topic} ${entity}`, at);
  }

  /** What can be judged only when nothing more comes. */
  finish(): string[] {
    this.#money.finish((violation) => this.violations.push(violation));
    return this.violations;
  }

  count(topic: string): number {
    return this.#latest.get(topic)?.size ?? 0;
  }
}
