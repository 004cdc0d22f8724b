import type { BillingEvent } from '../../../producers/events.ts';
import { monthOf, monthsBetween } from './recount/records.ts';

/**
 * A change of the seats of a subscription that is renewed in the month after: of that month's end, and of no other
 * one, it alone says what the subscription brings in.
 */
export function changeOfSeats(events: readonly BillingEvent[]): BillingEvent {
  const changes = events.filter(({ topic }) => topic === 'billing.subscriptions');
  const found = changes.find(({ record, at }) => {
    if (record['event_type'] !== 'subscription.quantity_changed' || record['interval'] !== 'month')
      return false;
    const [before, after] = [-1, 1].map((step) =>
      changes.find(
        ({ record: other }) =>
          other['subscription_id'] === record['subscription_id'] &&
          other['entity_version'] === Number(record['entity_version']) + step,
      ),
    );
    return (
      before?.record['status'] === 'active' &&
      before.record['mrr_minor'] !== record['mrr_minor'] &&
      after?.record['status'] === 'active' &&
      monthsBetween(monthOf(at), monthOf(after.at)).length === 2 &&
      at < Date.UTC(2024, 0)
    );
  });
  if (found === undefined) throw new Error('The history has no such change');
  return found;
}

/** Either of the two events of a subscription nobody ordered, which would bring something in from August 2025 on. */
export function mistakenSubscription(
  { topic, record }: BillingEvent,
  what: 'created' | 'deleted',
): BillingEvent {
  const isDeleted = what === 'deleted' ? 1 : 0;
  const at = Date.UTC(2025, 7 + isDeleted, 15);
  return {
    topic,
    at,
    record: {
      ...record,
      event_id: `00000000-0000-7000-8000-00000000000${isDeleted}`,
      event_type: `subscription.${what}`,
      subscription_id: 'sub_mistake',
      customer_id: 'cus_mistake',
      occurred_at: at,
      entity_version: isDeleted + 1,
      is_deleted: isDeleted,
    },
  };
}
