import { Faker, base, en } from '@faker-js/faker';
import type { BillingEvent, Entity } from '../events.ts';
import { idOf } from '../scenario/ids.ts';
import { Random } from '../scenario/random.ts';
import { dealt, placeOf, streams, type Place, type Scenario } from '../scenario/scenario.ts';
import type { MethodName } from '../scenario/payment-settings.ts';
import type { ChannelName } from '../scenario/settings.ts';
import type { TierName } from '../scenario/subscription-settings.ts';
import { assertLegal, type CustomerStatus } from '../scenario/state-machines.ts';

export interface Customer extends Entity {
  /** Position in the scenario; everything about the customer follows from it and the seed. */
  index: number;
  id: string;
  place: Place;
  channel: ChannelName;
  /**
   * Tier and status are those of the latest change that happened. What is planned must not follow from them:
   * a live stream lets things happen later than a history does.
   */
  tier: TierName;
  status: CustomerStatus;
  signupAt: number;
  methodId: string;
  method: MethodName;
  processor: string;
  /** Made up when the customer is first written about: most that are only counted never are. */
  contact: Contact | undefined;
}

interface Contact {
  name: string;
  email: string;
  company: string | null;
}

/** A change of a customer that is about to happen. */
export interface CustomerStep {
  kind: 'customer';
  customer: Customer;
  verb:
    | 'created'
    | 'activated'
    | 'upgraded'
    | 'downgraded'
    | 'past_due'
    | 'recovered'
    | 'paused'
    | 'resumed'
    | 'canceled'
    | 'reactivated';
  to: CustomerStatus;
  tier: TierName;
}

export function createCustomer(scenario: Scenario, index: number, random: Random): Customer {
  const { ids, tables } = scenario;
  const key = ids.key('customer', index, 0);
  return {
    key,
    version: 0,
    index,
    id: idOf(key),
    place: placeOf(scenario, index, random),
    channel: dealt(scenario, 'channel', index, tables.channels),
    tier: dealt(scenario, 'tier', index, tables.tiers),
    status: 'none',
    signupAt: 0,
    methodId: idOf(ids.key('paymentMethod', index, 0)),
    method: dealt(scenario, 'method', index, tables.methods),
    processor: dealt(scenario, 'processor', index, tables.processors),
    contact: undefined,
  };
}

export function changeCustomer(scenario: Scenario, step: CustomerStep, at: number): BillingEvent {
  const { customer, verb, to, tier } = step;
  assertLegal('customer', customer.status, to);
  if (customer.status === 'none') customer.signupAt = at;
  customer.status = to;
  customer.tier = tier;
  const { country, region, city, timezone, currency } = customer.place;
  const { name, email, company } = (customer.contact ??= inventContact(scenario, customer));
  const version = (customer.version += 1);
  const record = {
    event_id: scenario.ids.eventId(customer.key, version, at),
    event_type: `customer.${verb}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    customer_id: customer.id,
    name,
    email,
    company,
    country,
    region,
    city,
    timezone,
    currency,
    channel: customer.channel,
    tier,
    signup_at: customer.signupAt,
    status: to,
  };
  return { topic: 'billing.customers', at, record };
}

let contactRandom = new Random(0);
const faker = new Faker({
  locale: [en, base],
  // faker draws from the stream of the customer whose contact is being invented.
  randomizer: { next: () => contactRandom.float(), seed: () => undefined },
});

function inventContact({ seed, settings }: Scenario, { index, tier }: Customer): Contact {
  contactRandom = new Random(seed, streams.name, index);
  const firstName = faker.person.firstName();
  const lastName = faker.person.lastName();
  const mailbox = faker.helpers.slugify(`${firstName}.${lastName}`).toLowerCase();
  return {
    name: `${firstName} ${lastName}`,
    // The index keeps namesakes apart; example.com (RFC 2606) belongs to nobody.
    email: `${mailbox}.${index}@example.com`,
    company: settings.tiers[tier].isConsumer ? null : faker.company.name(),
  };
}
