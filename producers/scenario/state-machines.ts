/**
 * The state machines of data-model.md, each as one table: from -> every state it may turn into. The generators
 * apply no other transition, so an illegal one cannot be emitted.
 */

/** A state that is listed among its own successors can be kept by a change of something else. */
const customerTransitions = {
  none: ['trialing', 'active'],
  trialing: ['active', 'canceled'],
  active: ['active', 'past_due', 'paused', 'canceled'],
  past_due: ['active', 'canceled'],
  paused: ['active', 'canceled'],
  canceled: ['active'],
} as const satisfies Record<string, readonly string[]>;

/** Customers who leave by themselves are canceled right away: active or paused -> canceled. */
const subscriptionTransitions = {
  none: ['trialing', 'active'],
  trialing: ['active', 'expired'],
  active: ['active', 'past_due', 'paused', 'canceled'],
  past_due: ['past_due', 'active', 'unpaid'],
  unpaid: ['canceled'],
  paused: ['active', 'canceled'],
  canceled: ['reactivated'],
  reactivated: ['active'],
  expired: [],
} as const satisfies Record<string, readonly string[]>;

const paymentMethodTransitions = {
  none: ['active'],
  active: ['expired'],
  expired: ['active'],
} as const satisfies Record<string, readonly string[]>;

const discountTransitions = {
  none: ['active'],
  active: ['ended'],
  ended: [],
} as const satisfies Record<string, readonly string[]>;

const invoiceTransitions = {
  none: ['draft'],
  draft: ['open'],
  open: ['paid', 'partially_paid', 'void', 'uncollectible'],
  partially_paid: ['paid'],
  paid: [],
  void: [],
  uncollectible: [],
} as const satisfies Record<string, readonly string[]>;

const paymentTransitions = {
  none: ['initiated'],
  initiated: ['requires_action', 'authorized', 'failed'],
  requires_action: ['authorized'],
  authorized: ['captured', 'voided', 'expired', 'failed'],
  failed: ['retrying'],
  retrying: ['captured', 'abandoned'],
  captured: ['settled', 'partially_refunded', 'disputed'],
  partially_refunded: ['refunded'],
  disputed: ['won', 'lost'],
  settled: [],
  voided: [],
  expired: [],
  abandoned: [],
  refunded: [],
  won: [],
  lost: [],
} as const satisfies Record<string, readonly string[]>;

const refundTransitions = {
  none: ['pending'],
  pending: ['succeeded'],
  succeeded: [],
} as const satisfies Record<string, readonly string[]>;

const disputeTransitions = {
  none: ['needs_response'],
  needs_response: ['under_review'],
  under_review: ['won', 'lost'],
  won: [],
  lost: [],
} as const satisfies Record<string, readonly string[]>;

const orderTransitions = {
  none: ['placed'],
  placed: ['paid', 'canceled'],
  paid: ['fulfilled', 'canceled'],
  fulfilled: [],
  canceled: [],
} as const satisfies Record<string, readonly string[]>;

const orderLineTransitions = {
  none: ['placed'],
  placed: ['fulfilled', 'returned', 'canceled'],
  fulfilled: [],
  returned: [],
  canceled: [],
} as const satisfies Record<string, readonly string[]>;

const shipmentTransitions = {
  none: ['pending'],
  pending: ['shipped'],
  shipped: ['delivered', 'returned'],
  delivered: [],
  returned: [],
} as const satisfies Record<string, readonly string[]>;

export const transitions = {
  customer: customerTransitions,
  paymentMethod: paymentMethodTransitions,
  subscription: subscriptionTransitions,
  discount: discountTransitions,
  invoice: invoiceTransitions,
  payment: paymentTransitions,
  refund: refundTransitions,
  dispute: disputeTransitions,
  order: orderTransitions,
  orderLine: orderLineTransitions,
  shipment: shipmentTransitions,
} as const;

export type Machine = keyof typeof transitions;
export type CustomerStatus = keyof typeof customerTransitions;
export type PaymentMethodStatus = keyof typeof paymentMethodTransitions;
export type SubscriptionStatus = keyof typeof subscriptionTransitions;
export type DiscountStatus = keyof typeof discountTransitions;
export type InvoiceStatus = keyof typeof invoiceTransitions;
export type PaymentStatus = keyof typeof paymentTransitions;
export type RefundStatus = keyof typeof refundTransitions;
export type DisputeStatus = keyof typeof disputeTransitions;
export type OrderStatus = keyof typeof orderTransitions;
export type OrderLineStatus = keyof typeof orderLineTransitions;
export type ShipmentStatus = keyof typeof shipmentTransitions;

/** Whether an entity of `machine` may turn from one state into another. */
export function isLegal(machine: Machine, from: string, to: string): boolean {
  const table: Readonly<Record<string, readonly string[]>> = transitions[machine];
  return table[from]?.includes(to) === true;
}

/** @throws Error for a transition that the table does not have: a defect of a generator, never of an input */
export function assertLegal(machine: Machine, from: string, to: string): void {
  if (!isLegal(machine, from, to)) throw new Error(`illegal transition of a ${machine}: ${from} -> ${to}`);
}
