import { changeCustomer, type CustomerStep } from '../entities/customers.ts';
import { changeDiscount, type DiscountStep } from '../entities/discounts.ts';
import { changeDispute, type DisputeStep } from '../entities/disputes.ts';
import { tellInvoiceLine, type InvoiceLineStep } from '../entities/invoice-lines.ts';
import { changeInvoice, type InvoiceStep } from '../entities/invoices.ts';
import { changeOrderLine, type OrderLineStep } from '../entities/order-lines.ts';
import { changeOrder, type OrderStep } from '../entities/orders.ts';
import { changePaymentMethod, type PaymentMethodStep } from '../entities/payment-methods.ts';
import { changePayment, type PaymentStep } from '../entities/payments.ts';
import { changeRefund, type RefundStep } from '../entities/refunds.ts';
import { changeShipment, type ShipmentStep } from '../entities/shipments.ts';
import { changeSubscription, type SubscriptionStep } from '../entities/subscriptions.ts';
import { tellTransaction, type TransactionStep } from '../entities/transactions.ts';
import type { BillingEvent } from '../events.ts';
import type { Scenario } from '../scenario/scenario.ts';

/** A change of any entity that is about to happen. A new entity adds its step here and below. */
export type Step =
  | CustomerStep
  | PaymentMethodStep
  | SubscriptionStep
  | DiscountStep
  | InvoiceStep
  | InvoiceLineStep
  | PaymentStep
  | TransactionStep
  | RefundStep
  | DisputeStep
  | OrderStep
  | OrderLineStep
  | ShipmentStep;

export interface PlannedStep {
  /** Milliseconds since 1970. A history keeps to it; a live stream keeps the order only. */
  at: number;
  step: Step;
}

/** Lets the step happen at `at` and returns the record of it. Steps of an entity happen in their order. */
export function happen(scenario: Scenario, step: Step, at: number): BillingEvent {
  switch (step.kind) {
    case 'customer':
      return changeCustomer(scenario, step, at);
    case 'paymentMethod':
      return changePaymentMethod(scenario, step, at);
    case 'subscription':
      return changeSubscription(scenario, step, at);
    case 'discount':
      return changeDiscount(scenario, step, at);
    case 'invoiceLine':
      return tellInvoiceLine(scenario, step, at);
    case 'invoice':
      return changeInvoice(scenario, step, at);
    case 'payment':
      return changePayment(scenario, step, at);
    case 'transaction':
      return tellTransaction(scenario, step, at);
    case 'refund':
      return changeRefund(scenario, step, at);
    case 'dispute':
      return changeDispute(scenario, step, at);
    case 'order':
      return changeOrder(scenario, step, at);
    case 'orderLine':
      return changeOrderLine(scenario, step, at);
    case 'shipment':
      return changeShipment(scenario, step, at);
  }
}
