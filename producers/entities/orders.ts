import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type OrderStatus } from '../scenario/state-machines.ts';
import type { Customer } from './customers.ts';

export interface Order extends Entity {
  id: string;
  number: string;
  customer: Customer;
  lineCount: number;
  itemCount: number;
  subtotalMinor: number;
  shippingMinor: number;
  placedAt: number;
  status: OrderStatus;
}

/** A change of an order that is about to happen. */
export interface OrderStep {
  kind: 'order';
  order: Order;
  to: OrderStatus;
}

/** An order without lines yet: its totals grow as they are added. */
export function createOrder(scenario: Scenario, customer: Customer, numbering: Numbering): Order {
  const key = scenario.ids.next('order', numbering);
  return {
    key,
    version: 0,
    id: idOf(key),
    number: `O-${key.high.toString(36).toUpperCase().padStart(7, '0')}-${String(numbering.counts.order).padStart(4, '0')}`,
    customer,
    lineCount: 0,
    itemCount: 0,
    subtotalMinor: 0,
    shippingMinor: 0,
    placedAt: 0,
    status: 'none',
  };
}

export function changeOrder(scenario: Scenario, { order, to }: OrderStep, at: number): BillingEvent {
  const { customer, status: previous } = order;
  assertLegal('order', previous, to);
  if (previous === 'none') order.placedAt = at;
  order.status = to;
  const version = (order.version += 1);
  const record = {
    event_id: scenario.ids.eventId(order.key, version, at),
    event_type: `order.${to}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    order_id: order.id,
    customer_id: customer.id,
    number: order.number,
    line_count: order.lineCount,
    item_count: order.itemCount,
    subtotal_minor: order.subtotalMinor,
    shipping_minor: order.shippingMinor,
    currency: customer.place.currency,
    country: customer.place.country,
    region: customer.place.region,
    placed_at: order.placedAt,
    status: to,
    previous_status: previous,
  };
  return { topic: 'billing.orders', at, record };
}
