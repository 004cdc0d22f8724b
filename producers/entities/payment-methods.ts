import type { BillingEvent, Entity } from '../events.ts';
import { addMonths } from '../scenario/local-time.ts';
import type { Random } from '../scenario/random.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type PaymentMethodStatus } from '../scenario/state-machines.ts';
import type { Customer } from './customers.ts';

/**
 * What a customer pays with. A card that replaces another one keeps the id of the method, as issuers update
 * cards on file in place; brand and kind stay as well.
 */
export interface PaymentMethod extends Entity {
  id: string;
  customer: Customer;
  brand: string;
  last4: string;
  /** What is printed on the card, month 1 to 12; null where nothing expires. */
  expMonth: number | null;
  expYear: number | null;
  status: PaymentMethodStatus;
}

/** A change of a payment method that is about to happen. */
export interface PaymentMethodStep {
  kind: 'paymentMethod';
  method: PaymentMethod;
  verb: 'attached' | 'expired' | 'updated';
  /** Months until the card that comes with this change expires; 0 where none does. */
  validMonths: number;
  /** Of what comes with this change; null where nothing does. */
  last4: string | null;
}

export function createPaymentMethod(scenario: Scenario, random: Random, customer: Customer): PaymentMethod {
  return {
    key: scenario.ids.key('paymentMethod', customer.index, 0),
    version: 0,
    id: customer.methodId,
    customer,
    brand: drawBrand(scenario, random, customer),
    last4: '',
    expMonth: null,
    expYear: null,
    status: 'none',
  };
}

/** Whether the customer pays with something that expires: wallets hold cards. */
export function holdsACard({ method }: Customer): boolean {
  return method === 'card' || method === 'wallet';
}

export function drawLast4(random: Random): string {
  return String(random.integer(0, 9999)).padStart(4, '0');
}

export function changePaymentMethod(scenario: Scenario, step: PaymentMethodStep, at: number): BillingEvent {
  const { method, verb, validMonths } = step;
  const { customer } = method;
  const to = verb === 'expired' ? 'expired' : 'active';
  assertLegal('paymentMethod', method.status, to);
  method.status = to;
  if (step.last4 !== null) method.last4 = step.last4;
  if (validMonths > 0) {
    const expiry = new Date(addMonths(at, validMonths));
    method.expMonth = expiry.getUTCMonth() + 1;
    method.expYear = expiry.getUTCFullYear();
  }
  const version = (method.version += 1);
  const record = {
    event_id: scenario.ids.eventId(method.key, version, at),
    event_type: `payment_method.${verb}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    payment_method_id: method.id,
    customer_id: customer.id,
    type: customer.method,
    brand: method.brand,
    country: customer.place.country,
    exp_month: method.expMonth,
    exp_year: method.expYear,
    last4: method.last4,
    status: to,
  };
  return { topic: 'billing.payment-methods', at, record };
}

function drawBrand({ tables, settings }: Scenario, random: Random, { method, place }: Customer): string {
  switch (method) {
    case 'card':
      return random.draw(tables.cards);
    case 'wallet':
      return random.draw(tables.wallets);
    case 'direct_debit':
    case 'bank_transfer':
      return settings.paymentMethods.schemes[place.region][method];
  }
}
