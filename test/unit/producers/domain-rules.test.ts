import { beforeAll, describe, expect, it } from 'vitest';
import type { BillingEvent } from '../../../producers/events.ts';
import { referenceEvents } from '../../../producers/lives/reference.ts';
import { DomainRules } from './domain-rules.ts';
import { endAt, historyOf, scenarioOf } from './small-scenario.ts';

type Tamper = (events: BillingEvent[]) => void;

/** A rule that never complains proves nothing: each one has to notice what it is there for. */
describe('the rules of the domain', () => {
  let events: BillingEvent[];
  beforeAll(() => {
    events = [...referenceEvents(scenarioOf(4), endAt), ...historyOf(4, 80)];
  });

  it('accept what really happens', () => {
    expect(violationsAfter(() => undefined)).toEqual([]);
  });

  it.each<[string, Tamper, string]>([
    ['a topic nobody knows', set(0, { topic: 'billing.gossip' }), 'is not in the catalog'],
    ['an event id used twice', (e) => e.push({ ...e[0]! }), 'its event_id is used twice'],
    ['another moment', change('billing.customers', { occurred_at: 1 }), 'occurred_at is another moment'],
    ['a missing version', remove('billing.payments', 'authorized'), 'a version is missing'],
    ['an illegal transition', remove('billing.payments', 'captured'), 'authorized -> settled'],
    ['a wrong previous_status', change('billing.disputes', { previous_status: 'won' }), 'previous_status'],
    ['a customer told of too late', moveToEnd('billing.customers'), 'customer_id does not exist yet'],
    ['a product nobody sells', change('billing.order-lines', { product_id: 'prd_0' }), 'product_id does not'],
    ['a customer left out', change('billing.invoices', { customer_id: null }), 'customer_id does not'],
    ['a negative amount', change('billing.transactions', { fee_minor: -1 }), 'fee_minor is no amount: -1'],
    ['a broken amount', change('billing.shipments', { cost_minor: 0.5 }), 'cost_minor is no amount: 0.5'],
    ['an invoice that does not add up', bump('billing.invoices', 'tax_minor'), 'does not add up'],
    ['a line too few', remove('billing.invoice-lines'), 'of the lines is not'],
    ['a line that does not add up', bump('billing.invoice-lines', 'quantity'), 'amount is wrong'],
    [
      'an order of more than its lines',
      bump('billing.orders', 'subtotal_minor'),
      'lines are not its subtotal',
    ],
    ['a capture at the processor too few', removeTransaction('capture'), 'capture is not'],
    ['a refund at the processor too few', removeTransaction('refund'), 'refund is not'],
    ['a chargeback too few', removeTransaction('chargeback'), 'chargeback is not'],
    ['a voided authorization that is kept', removeTransaction('reversal'), 'reversal is not'],
    ['a refund of more than was captured', bump('billing.refunds', 'amount_minor', 1e9), 'more is refunded'],
    ['a dispute of another amount', bump('billing.disputes', 'amount_minor'), 'disputes another amount'],
    ['a transaction of another attempt', bump('billing.transactions', 'attempt_no'), 'attempt_no is not'],
    [
      'a delivery without its time',
      change('billing.shipments', { delivered_at: 1 }),
      'delivered_at is wrong',
    ],
  ])('notice %s', (_, tamper, complaint) => {
    expect(violationsAfter(tamper)).toContainEqual(expect.stringContaining(complaint));
  });

  function violationsAfter(tamper: Tamper): string[] {
    const copy = [...events];
    tamper(copy);
    const rules = new DomainRules();
    for (const event of copy) rules.check(event);
    return rules.finish();
  }
});

/** The first event of a topic, with that status if one is given. */
function find(events: BillingEvent[], topic: string, status?: string): number {
  const index = events.findIndex(
    (event) => event.topic === topic && (status === undefined || event.record['status'] === status),
  );
  expect(index, `an event of ${topic}`).toBeGreaterThanOrEqual(0);
  return index;
}

function set(index: number, change: Partial<BillingEvent>): Tamper {
  return (events) => (events[index] = { ...events[index]!, ...change });
}

function change(topic: string, fields: BillingEvent['record']): Tamper {
  return (events) => {
    const index = find(events, topic);
    set(index, { record: { ...events[index]!.record, ...fields } })(events);
  };
}

function bump(topic: string, field: string, by = 1): Tamper {
  return (events) => {
    events.forEach((event, index) => {
      if (event.topic !== topic) return;
      set(index, { record: { ...event.record, [field]: Number(event.record[field]) + by } })(events);
    });
  };
}

function remove(topic: string, status?: string): Tamper {
  return (events) => void events.splice(find(events, topic, status), 1);
}

function removeTransaction(kind: string): Tamper {
  return (events) => {
    const index = events.findIndex(
      ({ topic, record }) =>
        topic === 'billing.transactions' && record['kind'] === kind && record['status'] === 'succeeded',
    );
    expect(index, `a ${kind}`).toBeGreaterThanOrEqual(0);
    events.splice(index, 1);
  };
}

function moveToEnd(topic: string): Tamper {
  return (events) => {
    const [event] = events.splice(find(events, topic), 1);
    events.push(event!);
  };
}
