import type { BillingEvent } from '../../../producers/events.ts';
import { isLegal, transitions, type Machine } from '../../../producers/scenario/state-machines.ts';
import { loadCatalog, type CatalogTopic } from '../../../schemas/catalog.ts';
import { MoneyRules } from './money-rules.ts';

export type Fields = BillingEvent['record'];

/** What the rules need to know of a topic. */
interface Described {
  id: string;
  references: { field: string; parent: string; isOptional: boolean }[];
  amounts: string[];
  machine: Machine | undefined;
  hasPrevious: boolean;
}

const topics = new Map(loadCatalog().topics.map((entry) => [entry.topic, describe(entry)]));

function describe({ topic, id, references, fields }: CatalogTopic): Described {
  const name = topic.replace(/^billing\./, '').replace(/s$/, '');
  const machine = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const names = fields.map((field) => field.name);
  return {
    id,
    references: Object.entries(references).map(([field, parent]) => ({
      field,
      parent,
      isOptional: Array.isArray(fields.find((candidate) => candidate.name === field)?.type),
    })),
    amounts: names.filter((field) => field.endsWith('_minor')),
    machine: machine in transitions ? (machine as Machine) : undefined,
    hasPrevious: names.includes('previous_status'),
  };
}

/** Topics whose entities have a state machine. */
export const machines = new Map(
  [...topics].flatMap(([topic, { machine }]) => (machine ? [[topic, machine]] : [])),
);

interface Told {
  latest: Fields;
  createdAt: number;
}

/** Everything that must never be found in a stream of events, gathered as the events pass by. */
export class DomainRules {
  /** Empty when all is well; no more than a hundred. */
  readonly violations: string[] = [];
  /** `<machine>: <from> -> <to>`, as far as they were seen. */
  readonly seen = new Set<string>();
  /** Every entity by topic and id: its latest record, and when it was first told of. */
  readonly #told = new Map([...topics.keys()].map((topic) => [topic, new Map<string, Told>()]));
  readonly #eventIds = new Set<string>();
  readonly #money = new MoneyRules();

  check({ topic, at, record }: BillingEvent): void {
    const described = topics.get(topic);
    if (described === undefined) return void this.violations.push(`${topic} is not in the catalog`);
    const { id, references, amounts, machine, hasPrevious } = described;
    const entity = String(record[id]);
    const known = this.#told.get(topic)!.get(entity);
    const before = known?.latest;
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
      const from = before === undefined ? 'none' : String(before['status']);
      const to = String(record['status']);
      if (!isLegal(machine, from, to)) complain(`${from} -> ${to}`);
      this.seen.add(`${machine}: ${from} -> ${to}`);
      if (hasPrevious && record['previous_status'] !== from) complain('previous_status is wrong');
    }
    for (const { field, parent, isOptional } of references) {
      const reference = record[field];
      if (reference === null && isOptional) continue;
      const createdAt = this.#told.get(parent)?.get(String(reference))?.createdAt;
      if (createdAt === undefined) complain(`${field} does not exist yet`);
      else if (createdAt > at) complain(`${field} exists only later`);
    }
    for (const field of amounts) {
      const value = record[field];
      if (value === null) continue;
      if (!Number.isSafeInteger(value) || Number(value) < 0)
        complain(`${field} is no amount: ${Number(value)}`);
    }
    this.#money.check(topic, record, before, complain);
    if (known === undefined) this.#told.get(topic)!.set(entity, { latest: record, createdAt: at });
    else known.latest = record;
  }

  /** What can be judged only when nothing more comes. */
  finish(): string[] {
    this.#money.finish((violation) => this.violations.push(violation));
    return this.violations;
  }

  count(topic: string): number {
    return this.#told.get(topic)?.size ?? 0;
  }
}
