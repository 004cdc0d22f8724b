import { planInvoice } from './billing-cycle.ts';
import type { Customer } from '../entities/customers.ts';
import type { Bill, BillLine } from '../entities/invoices.ts';
import { addOrderLine, type OrderLine } from '../entities/order-lines.ts';
import { createOrder, type Order } from '../entities/orders.ts';
import { localPrice } from '../entities/products.ts';
import { createShipment } from '../entities/shipments.ts';
import type { ServiceName } from '../scenario/goods-settings.ts';
import type { Numbering } from '../scenario/ids.ts';
import { Random } from '../scenario/random.ts';
import type { Product } from '../scenario/product-prices.ts';
import { activityAt, streams, type Scenario } from '../scenario/scenario.ts';
import type { OrderLineStatus } from '../scenario/state-machines.ts';
import type { PlannedStep, Step } from './steps.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** From payment to the carrier's pick-up, at the longest; a delivery is promised for this plus the service's days. */
const packedWithinMs = 2 * day;

/** A line of an order, and the product it is for: lines hold ids only, because a live stream stores them. */
interface Chosen {
  product: Product;
  line: OrderLine;
}

/**
 * When the customer orders next; Infinity for those who never do. Orders come at random, more of them when the
 * customer's part of the world is busy.
 */
export function nextOrderAt(scenario: Scenario, random: Random, customer: Customer, after: number): number {
  const { buyers, everyDays } = scenario.settings.orders;
  // Follows from the customer alone, so that it need not be remembered.
  if (!new Random(scenario.seed, streams.buyers, customer.index).chance(buyers))
    return Number.POSITIVE_INFINITY;
  // Thinning (Lewis and Shedler): candidates come at the rate of the busiest hour, and quiet hours drop some.
  const meanMs = (everyDays * day) / scenario.peakFactor;
  let at = after;
  do at += 1 + Math.round(random.exponential(meanMs));
  while (!random.chance(activityAt(scenario, customer.place.timezone, at)));
  return at;
}

/**
 * Draws how an order that is placed at `at` goes: its invoice, and once that is paid, its delivery. An order that
 * is never paid is canceled. A shipment comes back if, and only if, the payment is refunded because of it; the
 * order is then canceled and its lines are returned.
 */
export function planOrder(
  scenario: Scenario,
  random: Random,
  customer: Customer,
  numbering: Numbering,
  at: number,
): PlannedStep[] {
  const { settings, tables } = scenario;
  const order = createOrder(scenario, customer, numbering);
  const lines = chooseLines(scenario, random, order, numbering, at);
  const service = random.draw(tables.services);
  const weightGrams = lines.reduce((sum, { product, line }) => sum + product.weightGrams * line.quantity, 0);
  const listMinor = shippingPrice(scenario, customer, service, weightGrams);
  const isFree = service === 'standard' && order.subtotalMinor >= freeFrom(scenario, customer);
  order.shippingMinor = isFree ? 0 : listMinor;

  const steps: PlannedStep[] = [{ at, step: { kind: 'order', order, to: 'placed' } }];
  for (const { line } of lines) steps.push({ at, step: { kind: 'orderLine', line, to: 'placed' } });
  const {
    steps: billed,
    paidAt,
    givenUpAt,
  } = planInvoice(scenario, random, billOf(scenario, order, lines), numbering, at);
  steps.push(...billed);
  if (paidAt === undefined) {
    end(steps, givenUpAt ?? billed.at(-1)?.at ?? at, order, 'canceled', lines, 'canceled');
    return inOrder(steps);
  }

  const carrier = random.draw(tables.carriers);
  const [fastest, slowest] = settings.orders.services[service].days;
  const { costBps = 0, late = 0, lateDays = 0 } = settings.orders.carriers[carrier] ?? {};
  const parcel = {
    order,
    carrier,
    service,
    weightGrams,
    costMinor: Math.round((listMinor * costBps) / 10_000),
    promisedMs: packedWithinMs + Math.ceil(slowest * day),
  };
  const shipment = createShipment(scenario, parcel, numbering);
  const packAt = paidAt + random.integer(1, 60) * minute;
  const shippedAt = packAt + Math.round(random.float() * (packedWithinMs - 1 * hour));
  steps.push({ at: paidAt, step: { kind: 'order', order, to: 'paid' } });
  steps.push({ at: packAt, step: { kind: 'shipment', shipment, to: 'pending' } });
  steps.push({ at: shippedAt, step: { kind: 'shipment', shipment, to: 'shipped' } });

  const onTheWayDays = fastest + random.float() * (slowest - fastest);
  const delayDays = random.chance(late) ? random.exponential(lateDays) : 0;
  const arrivedAt = shippedAt + Math.round((onTheWayDays + delayDays) * day);
  const refundedAt = billed.find(({ step }) => isReturn(step))?.at;
  if (refundedAt === undefined) {
    steps.push({ at: arrivedAt, step: { kind: 'shipment', shipment, to: 'delivered' } });
    end(steps, arrivedAt, order, 'fulfilled', lines, 'fulfilled');
  } else {
    // A parcel nobody accepted is back a little before the money is given back.
    const backAt = Math.max(shippedAt, refundedAt - random.integer(1, 24) * hour);
    steps.push({ at: backAt, step: { kind: 'shipment', shipment, to: 'returned' } });
    end(steps, backAt, order, 'canceled', lines, 'returned');
  }
  return inOrder(steps);
}

/** Sorting is stable: what comes first at a moment stays first. */
function inOrder(steps: PlannedStep[]): PlannedStep[] {
  return steps.sort((a, b) => a.at - b.at);
}

function isReturn(step: Step): boolean {
  return step.kind === 'refund' && step.refund.reason === 'product_returned';
}

function end(
  steps: PlannedStep[],
  at: number,
  order: Order,
  to: 'fulfilled' | 'canceled',
  lines: readonly Chosen[],
  lineTo: OrderLineStatus,
): void {
  steps.push({ at, step: { kind: 'order', order, to } });
  for (const { line } of lines) steps.push({ at, step: { kind: 'orderLine', line, to: lineTo } });
}

/** Different products, so that a draw that repeats itself makes the order shorter. */
function chooseLines(
  scenario: Scenario,
  random: Random,
  order: Order,
  numbering: Numbering,
  at: number,
): Chosen[] {
  const { products, orderLines, pieces } = scenario.tables;
  const lines: Chosen[] = [];
  for (let wanted = random.draw(orderLines); wanted > 0; wanted -= 1) {
    const product = random.draw(products);
    if (lines.some((chosen) => chosen.product === product)) continue;
    const unitAmountMinor = localPrice(product, order.customer.place, at);
    const quantity = random.draw(pieces);
    const line = addOrderLine(scenario, order, product.id, quantity, unitAmountMinor, numbering);
    lines.push({ product, line });
  }
  return lines;
}

function billOf({ settings }: Scenario, order: Order, lines: readonly Chosen[]): Bill {
  const billed: BillLine[] = lines.map(({ product, line }) => ({
    kind: 'product',
    description: product.name,
    planId: null,
    productId: product.id,
    quantity: line.quantity,
    unitAmountMinor: line.unitAmountMinor,
  }));
  if (order.shippingMinor > 0) {
    billed.push({
      kind: 'shipping',
      description: 'Shipping',
      planId: null,
      productId: null,
      quantity: 1,
      unitAmountMinor: order.shippingMinor,
    });
  }
  return {
    customer: order.customer,
    lines: billed,
    subscription: null,
    order,
    discountMinor: 0,
    months: 0,
    dueDays: settings.orders.dueDays,
  };
}

/** List price of a delivery in local minor units. */
function shippingPrice(
  { settings }: Scenario,
  { place }: Customer,
  service: ServiceName,
  weightGrams: number,
): number {
  const { base, perKg } = settings.orders.services[service];
  return Math.round((base + (perKg * weightGrams) / 1000) * place.minorPerUsdMinor);
}

function freeFrom({ settings }: Scenario, { place }: Customer): number {
  return settings.orders.freeShippingFrom * place.minorPerUsdMinor;
}
