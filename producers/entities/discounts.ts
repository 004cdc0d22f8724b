import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type DiscountStatus } from '../scenario/state-machines.ts';
import type { Customer } from './customers.ts';
import type { Invoice } from './invoices.ts';
import type { Subscription } from './subscriptions.ts';

export interface Discount extends Entity {
  id: string;
  customer: Customer;
  /** What it is taken off: one invoice, or each one of the subscription while it lasts. */
  from: { invoice: Invoice } | { subscription: Subscription };
  coupon: string;
  /** The one or the other. The amount is in minor units of the customer's currency. */
  percentBps: number | null;
  amountMinor: number | null;
  startAt: number;
  endAt: number;
  status: DiscountStatus;
}

/** The beginning or the end of a discount. */
export interface DiscountStep {
  kind: 'discount';
  discount: Discount;
  to: DiscountStatus;
  /** How long a discount that begins is going to last. */
  lastsMs: number;
}

/** What a coupon takes off. */
export type Reduction = Pick<Discount, 'coupon' | 'percentBps' | 'amountMinor'>;

export function createDiscount(
  scenario: Scenario,
  customer: Customer,
  from: Discount['from'],
  { coupon, percentBps, amountMinor }: Reduction,
  numbering: Numbering,
): Discount {
  const key = scenario.ids.next('discount', numbering);
  return {
    key,
    version: 0,
    id: idOf(key),
    customer,
    from,
    coupon,
    percentBps,
    amountMinor,
    startAt: 0,
    endAt: 0,
    status: 'none',
  };
}

export function changeDiscount(scenario: Scenario, step: DiscountStep, at: number): BillingEvent {
  const { discount, to } = step;
  const { customer, from } = discount;
  assertLegal('discount', discount.status, to);
  if (to === 'active') {
    discount.startAt = at;
    discount.endAt = at + step.lastsMs;
  } else discount.endAt = at;
  discount.status = to;
  const version = (discount.version += 1);
  const record = {
    event_id: scenario.ids.eventId(discount.key, version, at),
    event_type: to === 'active' ? 'discount.created' : 'discount.ended',
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    discount_id: discount.id,
    customer_id: customer.id,
    coupon: discount.coupon,
    percent_bps: discount.percentBps,
    amount_minor: discount.amountMinor,
    currency: customer.place.currency,
    invoice_id: 'invoice' in from ? from.invoice.id : null,
    subscription_id: 'subscription' in from ? from.subscription.id : null,
    start_at: discount.startAt,
    end_at: discount.endAt,
    status: to,
  };
  return { topic: 'billing.discounts', at, record };
}
