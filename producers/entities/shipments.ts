import type { BillingEvent, Entity } from '../events.ts';
import type { ServiceName } from '../scenario/goods-settings.ts';
import { idOf, type Numbering } from '../scenario/ids.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { assertLegal, type ShipmentStatus } from '../scenario/state-machines.ts';
import type { Order } from './orders.ts';

export interface Shipment extends Entity {
  id: string;
  order: Order;
  carrier: string;
  service: ServiceName;
  weightGrams: number;
  costMinor: number;
  /** From the order's payment to the promised delivery. */
  promisedMs: number;
  promisedAt: number;
  shippedAt: number | null;
  deliveredAt: number | null;
  status: ShipmentStatus;
}

/** A change of a shipment that is about to happen. */
export interface ShipmentStep {
  kind: 'shipment';
  shipment: Shipment;
  to: ShipmentStatus;
}

/** What is sent, and how. */
type Parcel = Pick<Shipment, 'order' | 'carrier' | 'service' | 'weightGrams' | 'costMinor' | 'promisedMs'>;

export function createShipment(scenario: Scenario, parcel: Parcel, numbering: Numbering): Shipment {
  const key = scenario.ids.next('shipment', numbering);
  return {
    key,
    version: 0,
    id: idOf(key),
    order: parcel.order,
    carrier: parcel.carrier,
    service: parcel.service,
    weightGrams: parcel.weightGrams,
    costMinor: parcel.costMinor,
    promisedMs: parcel.promisedMs,
    promisedAt: 0,
    shippedAt: null,
    deliveredAt: null,
    status: 'none',
  };
}

export function changeShipment(scenario: Scenario, { shipment, to }: ShipmentStep, at: number): BillingEvent {
  const { order, status: previous } = shipment;
  const { id: customerId, place } = order.customer;
  assertLegal('shipment', previous, to);
  if (previous === 'none') shipment.promisedAt = at + shipment.promisedMs;
  if (to === 'shipped') shipment.shippedAt = at;
  if (to === 'delivered') shipment.deliveredAt = at;
  shipment.status = to;
  const version = (shipment.version += 1);
  const record = {
    event_id: scenario.ids.eventId(shipment.key, version, at),
    event_type: `shipment.${previous === 'none' ? 'created' : to}`,
    occurred_at: at,
    produced_at: scenario.clock.now(),
    entity_version: version,
    is_deleted: 0,
    shipment_id: shipment.id,
    order_id: order.id,
    customer_id: customerId,
    carrier: shipment.carrier,
    service: shipment.service,
    address_country: place.country,
    address_city: place.city,
    weight_grams: shipment.weightGrams,
    cost_minor: shipment.costMinor,
    currency: place.currency,
    promised_at: shipment.promisedAt,
    shipped_at: shipment.shippedAt,
    delivered_at: shipment.deliveredAt,
    status: to,
    previous_status: previous,
  };
  return { topic: 'billing.shipments', at, record };
}
