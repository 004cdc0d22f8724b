import { transitions } from '../../../producers/scenario/state-machines.ts';
import type { ScenarioSettings } from '../../../producers/scenario/settings.ts';
import type { Catalog, CatalogTopic } from '../../../schemas/catalog.ts';
import { baseTypeOf, isUnion } from '../../../schemas/read-schema.ts';

/** The parts of docs/data-model.md that follow from the catalog, the state machines and the scenario, by name. */
export function dataModelSections(catalog: Catalog, settings: ScenarioSettings): Record<string, string> {
  return {
    entities: entityDiagram(catalog),
    topics: topicTable(catalog),
    'state-machines': stateDiagrams(),
    payments: paymentTables(settings),
    customers: customerTables(settings),
    geography: geographyTable(settings),
    shop: shopTables(settings),
    seasonality: seasonalityTables(settings),
  };
}

function entityDiagram({ topics }: Catalog): string {
  const ancestors = new Map<string, Set<string>>();
  for (const { topic, references } of topics) {
    // Parents come first in the catalog, so that theirs are known.
    const parents = Object.values(references);
    ancestors.set(topic, new Set(parents.flatMap((parent) => [parent, ...(ancestors.get(parent) ?? [])])));
  }
  const relations = topics.flatMap((child) => {
    const parents = Object.entries(child.references).map(([field, parent]) => {
      const type = child.fields.find(({ name }) => name === field)?.type;
      return { field, parent, isOptional: type !== undefined && isUnion(type) };
    });
    // Records repeat the ids of their parents' parents; lines to all of them would hide the shape.
    const isDistant = (parent: string) =>
      parents.some((other) => !other.isOptional && ancestors.get(other.parent)?.has(parent));
    return parents
      .filter(({ parent }) => !isDistant(parent))
      .map(({ field, parent, isOptional }) => {
        return `    ${entityOf(parent)} ${isOptional ? '|o' : '||'}--o{ ${entityOf(child.topic)} : ${field}`;
      });
  });
  const entities = topics.map((topic) => {
    const keys = topic.fields.filter(({ name }) => name === topic.id || name in topic.references);
    const lines = keys.map(({ name, type }) => {
      return `        ${baseTypeOf(type)} ${name} ${name === topic.id ? 'PK' : 'FK'}`;
    });
    return [`    ${entityOf(topic.topic)} {`, ...lines, '    }'].join('\n');
  });
  return mermaid(['erDiagram', ...relations, ...entities]);
}

function topicTable({ topics }: Catalog): string {
  const fields = (topic: CatalogTopic) =>
    topic.fields
      .slice(6)
      .map(({ name }) => name)
      .join(', ');
  return table(
    ['Topic', 'Key', 'Partitions', 'Raw table', 'Entity', 'Fields beside the envelope'],
    topics.map((topic) => [
      code(topic.topic),
      code(topic.key),
      `${topic.partitions}${topic.cleanup === 'compact' ? ', compacted' : ''}`,
      code(topic.rawTable),
      code(topic.id),
      fields(topic),
    ]),
  );
}

function stateDiagrams(): string {
  return Object.entries(transitions)
    .map(([machine, states]) => {
      const lines = Object.entries<readonly string[]>(states).flatMap(([from, next]) => {
        if (next.length === 0) return [`    ${from} --> [*]`];
        return next.map((to) => `    ${from === 'none' ? '[*]' : from} --> ${to}`);
      });
      return `### ${words(machine)}\n\n${mermaid(['stateDiagram-v2', ...lines])}`;
    })
    .join('\n\n');
}

function paymentTables({ payments }: ScenarioSettings): string {
  const { outcomes, successes, failures, methods, processors, failureCodes } = payments;
  const methodNames = Object.keys(methods) as (keyof typeof methods)[];
  return sections(
    ['Outcomes', shareTable('Outcome', outcomes)],
    ['How a payment succeeds', shareTable('Way', successes)],
    ['How a payment fails', shareTable('Way', failures)],
    [
      'Failure codes of cards and wallets; those of other methods are the rest, in proportion',
      table(
        ['Code', 'Share', 'Tried again', 'For cards and wallets only'],
        Object.entries(failureCodes).map(([name, { share, isSoft, isCardOnly }]) => [
          code(name),
          percent(share),
          yes(isSoft),
          yes(isCardOnly),
        ]),
      ),
    ],
    ['Methods', shareTable('Method', methods)],
    [
      'Processors',
      table(
        ['Processor', 'Share', 'Median latency', 'Spread', ...methodNames.map(words), 'Refund', 'Chargeback'],
        Object.entries(processors).map(([name, terms]) => [
          code(name),
          percent(terms.share),
          `${terms.latencyMs} ms`,
          `${terms.latencySpread}`,
          ...methodNames.map(
            (method) => `${percent(terms.fees[method].bps / 10_000)} + ${usd(terms.fees[method].fixed)}`,
          ),
          usd(terms.refundFee),
          usd(terms.chargebackFee),
        ]),
      ),
    ],
    ['Reasons to refund a subscription', shareTable('Reason', payments.refundReasons.subscription)],
    ['Reasons to refund an order', shareTable('Reason', payments.refundReasons.order)],
    ['Reasons to dispute', shareTable('Reason', payments.disputeReasons)],
  );
}

function customerTables({ customers, tiers, plans, marketing }: ScenarioSettings): string {
  return sections(
    [
      'Channels',
      table(
        ['Channel', 'Share of signups', 'Cost of a signup', 'Campaign'],
        Object.entries(marketing.channels).map(([name, { costPerSignup, campaign }]) => [
          code(name),
          percent(customers.channels[name as keyof typeof customers.channels]),
          usd(costPerSignup),
          campaign,
        ]),
      ),
    ],
    [
      'Tiers',
      table(
        ['Tier', 'Share of signups', 'Seats at first', 'Days to pay', 'Consumer'],
        Object.entries(tiers).map(([name, { share, seats, dueDays, isConsumer }]) => [
          code(name),
          percent(share),
          between(seats, String),
          `${dueDays}`,
          yes(isConsumer),
        ]),
      ),
    ],
    [
      'Plans',
      table(
        ['Plan', 'Tier', 'Interval', 'Trial', 'Price of a seat'],
        Object.entries(plans).map(([name, { tier, interval, trialDays, prices }]) => [
          code(name),
          code(tier),
          interval,
          `${trialDays} days`,
          prices.map(({ from, amount }) => `${between(amount, usd)} from ${from}`).join('; '),
        ]),
      ),
    ],
  );
}

function geographyTable({ regions, countries, currencies }: ScenarioSettings): string {
  return table(
    [
      'Region',
      'Country',
      'Share of customers',
      'Currency',
      'Decimals',
      'Price of a dollar',
      'Tax',
      'Time zones',
    ],
    Object.entries(countries).map(([name, { region, share, currency, taxBps, places }]) => [
      `${code(region)} (${percent(regions[region])})`,
      name,
      percent(share * regions[region]),
      currency,
      `${currencies[currency]?.exponent ?? ''}`,
      `${currencies[currency]?.perUsd ?? ''}`,
      percent(taxBps / 10_000),
      [...new Set(Object.values(places))].join(', '),
    ]),
  );
}

function shopTables({ products, orders }: ScenarioSettings): string {
  const counts = (shares: readonly number[]) =>
    table(
      ['', ...shares.map((_, index) => `${index + 1}`)],
      [['Share', ...shares.map((share) => percent(share))]],
    );
  return sections(
    [
      `Products, at the prices of ${products.since}`,
      table(
        ['SKU', 'Name', 'Category', 'Price', 'Weight', 'Popularity'],
        Object.entries(products.categories).flatMap(([category, list]) =>
          Object.entries(list).map(([sku, { name, unitPrice, weightGrams, popularity }]) => [
            code(sku),
            name,
            code(category),
            usd(unitPrice),
            `${weightGrams} g`,
            `${popularity}`,
          ]),
        ),
      ),
    ],
    ['Lines of an order', counts(orders.lines)],
    ['Pieces of a line', counts(orders.pieces)],
    [
      'Services',
      table(
        ['Service', 'Share', 'Days', 'Price'],
        Object.entries(orders.services).map(([name, { share, days, base, perKg }]) => [
          code(name),
          percent(share),
          between(days, String),
          `${usd(base)} + ${usd(perKg)} per kg`,
        ]),
      ),
    ],
    [
      'Carriers',
      table(
        ['Carrier', 'Share', 'Cost, of the price of the service', 'Late', 'By days on average'],
        Object.entries(orders.carriers).map(([name, { share, costBps, late, lateDays }]) => [
          code(name),
          percent(share),
          percent(costBps / 10_000),
          percent(late),
          `${lateDays}`,
        ]),
      ),
    ],
  );
}

function seasonalityTables({ seasonality: { month, weekday, hour } }: ScenarioSettings): string {
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  const factors = (name: string, heads: readonly string[], values: readonly number[]) =>
    table([name, ...heads], [['Factor', ...values.map(String)]]);
  const hours = (from: number) =>
    factors(
      'Hour',
      hour.slice(from, from + 12).map((_, index) => `${from + index}`),
      hour.slice(from, from + 12),
    );
  return [factors('Month', months, month), factors('Weekday', weekdays, weekday), hours(0), hours(12)].join(
    '\n\n',
  );
}

function sections(...parts: readonly (readonly [title: string, body: string])[]): string {
  return parts.map(([title, body]) => `#### ${title}\n\n${body}`).join('\n\n');
}

function shareTable(name: string, shares: Readonly<Record<string, number>>): string {
  return table(
    [name, 'Share'],
    Object.entries(shares).map(([value, share]) => [code(value), percent(share)]),
  );
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function mermaid(lines: readonly string[]): string {
  return ['```mermaid', ...lines, '```'].join('\n');
}

/** `billing.payment-methods` -> `payment_method` */
function entityOf(topic: string): string {
  return topic
    .replace(/^[a-z]+\./, '')
    .replace(/s$/, '')
    .replaceAll('-', '_');
}

/** `paymentMethod`, `payment_method` -> `Payment method` */
function words(name: string): string {
  const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function between<T extends number>([low, high]: readonly [T, T], format: (value: T) => string): string {
  return low === high ? format(low) : `${format(low)} - ${format(high)}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))} %`;
}

function usd(minor: number): string {
  return `${(minor / 100).toFixed(2)} USD`;
}

function yes(value: boolean): string {
  return value ? 'yes' : '';
}

function code(text: string): string {
  return `\`${text}\``;
}
