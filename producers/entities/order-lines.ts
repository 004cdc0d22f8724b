import type { BillingEvent, Entity } from '../events.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type OrderLineStatus } from '../scenario/state-machines.ts';
import type { Order } from './orders.ts';

export interface OrderLine extends Entity {
  id: string;
  order: Order;
  productId: string;
  lineNo: number;
  quantity: number;
  unitAmountMinor: number;
  status: OrderLineStatus;
}

/** A change of a line of an order that is about to happen. */
export interface OrderLineStep {
  kind: 'orderLine';
  line: OrderLine;
  to: OrderLineStatus;
}

/** Adds a line to an order that is not placed yet. */
export function addOrderLine(
  scenario: Scenario,
  order: Order,
  productId: string,
  quantity: number,
  unitAmountMinor: number,
  numbering: Numbering,
): OrderLine {
  const key = scenario.ids.next('orderLine', numbering);
  order.lineCount += 1;
  order.itemCount += quantity;
  order.subtotalMinor += quantity * unitAmountMinor;
  const lineNo = order.lineCount;
  return {
    key,
    version: 0,
    id: idOf(key),
    order,
    productId,
    lineNo,
    quantity,
    unitAmountMinor,
    status: 'none',
  };
}

export function changeOrderLine(scenario: Scenario, { line, to }: OrderLineStep, at: number): BillingEvent {
  const { customer } = line.order;
  assertLegal('orderLine', line.status, to);
  line.status = to;
  const version = (line.version += 1);
  const record = {
    event_id: scenario.ids.eventId(line.key, version, at),
    event_type: `order_line.${to}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    order_line_id: line.id,
    order_id: line.order.id,
    customer_id: customer.id,
    product_id: line.productId,
    line_no: line.lineNo,
    quantity: line.quantity,
    unit_amount_minor: line.unitAmountMinor,
    amount_minor: line.quantity * line.unitAmountMinor,
    currency: customer.place.currency,
    status: to,
  };
  return { topic: 'billing.order-lines', at, record };
}
