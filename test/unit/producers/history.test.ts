import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BillingEvent } from '../../../producers/events.ts';
import { customersFor } from '../../../producers/lives/history.ts';
import { isLegal, type Machine } from '../../../producers/scenario/state-machines.ts';
import { createEncoder, type Encode } from '../../../producers/delivery/wire-format.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { endAt, historyOf, rangeOf, scenarioOf } from './small-scenario.ts';

const { topics } = loadCatalog();
const seeds = Array.from({ length: 20 }, (_, index) => 1 + index * 7919);

/** Names of the fields that hold ids, per topic: its own, and its parents' with their topics. */
const entities: Readonly<Record<string, { machine: Machine; id: string; parents: Record<string, string> }>> =
  {
    'billing.customers': { machine: 'customer', id: 'customer_id', parents: {} },
    'billing.invoices': {
      machine: 'invoice',
      id: 'invoice_id',
      parents: { customer_id: 'billing.customers' },
    },
    'billing.payments': {
      machine: 'payment',
      id: 'payment_id',
      parents: { customer_id: 'billing.customers', invoice_id: 'billing.invoices' },
    },
  };

describe('a history', () => {
  it.each(seeds)('of seed %i breaks no rule of the domain', (seed) => {
    expect(violationsOf(historyOf(seed, 60))).toEqual([]);
  });

  it('fits the schemas, whatever happens to a customer', () => {
    const byTopic = new Map(topics.map(({ topic, type }) => [topic, type]));
    const misfits = historyOf(3, 400).filter(
      ({ topic, record }) => byTopic.get(topic)?.isValid(record) !== true,
    );
    expect(misfits).toEqual([]);
  });

  it('is the same, byte by byte, for the same seed and clock', () => {
    expect(digestOf(historyOf(42, 50))).toBe(digestOf(historyOf(42, 50)));
    expect(digestOf(historyOf(42, 50))).not.toBe(digestOf(historyOf(43, 50)));
  });

  it('tells the same of a customer whoever else it tells of', () => {
    const whole = historyOf(5, 30);
    const alone = historyOf(5, 10, 10);
    const customers = new Set(alone.map(({ record }) => record['customer_id']));
    expect(customers.size).toBe(10);
    expect(alone).toEqual(whole.filter(({ record }) => customers.has(record['customer_id'])));
  });

  it('has as many customers as it takes for the events that are asked for, and no more', () => {
    const scenario = scenarioOf(1);
    const count = customersFor(scenario, 10, rangeOf(0, 0), 2000);
    expect(historyOf(1, count, 10).length).toBeGreaterThanOrEqual(2000);
    expect(historyOf(1, count - 1, 10).length).toBeLessThan(2000);
  });

  it('gives no two events the same id, over seeds, customers and versions', () => {
    const ids = [1, 2, 3].flatMap((seed) => historyOf(seed, 300).map(({ record }) => record['event_id']));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('gives events UUIDs of version 7 that carry their time', () => {
    for (const { at, record } of historyOf(9, 20)) {
      const id = String(record['event_id']);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(at);
    }
  });

  it('bills in currencies without decimals and with three', () => {
    const invoices = historyOf(1, 1500).filter(({ topic }) => topic === 'billing.invoices');
    const standardPrice = (currency: string) =>
      new Set(
        invoices
          .filter(({ record }) => record['currency'] === currency)
          .map((i) => i.record['subtotal_minor']),
      );
    // 15.49 USD at the prices of scenario.yaml: 2354 yen, 4.802 dinars.
    expect(standardPrice('JPY')).toContain(2354);
    expect(standardPrice('KWD')).toContain(4802);
  });
});

/** Everything that must never be found in a stream of events; empty when all is well. */
function violationsOf(events: readonly BillingEvent[]): string[] {
  const violations: string[] = [];
  const latest = new Map<string, BillingEvent['record']>();
  const captured = new Map<string, number>();
  let now = 0;
  for (const { topic, at, record } of events) {
    const { machine, id, parents } = entities[topic]!;
    const name = `${topic} ${String(record[id])}`;
    const complain = (what: string) =>
      violations.push(`${name} v${String(record['entity_version'])}: ${what}`);
    const before = latest.get(name);
    const from = before === undefined ? 'none' : String(before['status']);
    const to = String(record['status']);
    if (at < now || at >= endAt || record['occurred_at'] !== at) complain('out of the order of time');
    if (!isLegal(machine, from, to)) complain(`${from} -> ${to}`);
    if (record['entity_version'] !== Number(before?.['entity_version'] ?? 0) + 1)
      complain('a version is missing');
    for (const [field, parent] of Object.entries(parents)) {
      if (!latest.has(`${parent} ${String(record[field])}`)) complain(`${field} does not exist yet`);
    }
    if (topic === 'billing.invoices') checkInvoice(record, captured, complain);
    if (topic === 'billing.payments') checkPayment(record, before, captured, complain);
    latest.set(name, record);
    now = at;
  }
  return violations;
}

type Complain = (what: string) => void;

function checkInvoice(
  invoice: BillingEvent['record'],
  captured: Map<string, number>,
  complain: Complain,
): void {
  const amount = (name: string) => invoice[`${name}_minor`] as number;
  if (amount('total') !== amount('subtotal') - amount('discount') + amount('tax'))
    complain('does not add up');
  if (amount('paid') !== (captured.get(String(invoice['invoice_id'])) ?? 0))
    complain('paid is not what was captured');
  if ((invoice['status'] === 'paid') !== (invoice['paid_at'] !== null)) complain('paid without a time');
  if (invoice['status'] === 'paid' && amount('paid') !== amount('total')) complain('paid in part only');
  for (const name of ['subtotal', 'discount', 'tax', 'total', 'paid']) {
    if (!Number.isSafeInteger(amount(name)) || amount(name) < 0) complain(`${name} is no amount`);
  }
}

function checkPayment(
  payment: BillingEvent['record'],
  before: BillingEvent['record'] | undefined,
  captured: Map<string, number>,
  complain: Complain,
): void {
  const to = payment['status'];
  const amountMinor = payment['amount_minor'] as number;
  const refundedMinor = payment['refunded_minor'] as number;
  const invoice = String(payment['invoice_id']);
  if (to === 'captured') captured.set(invoice, (captured.get(invoice) ?? 0) + amountMinor);
  if (payment['previous_status'] !== (before?.['status'] ?? 'none')) complain('previous_status is wrong');
  if (before !== undefined && before['initiated_at'] !== payment['initiated_at'])
    complain('initiated_at changed');
  if (payment['attempt_no'] !== Number(before?.['attempt_no'] ?? 1) + (to === 'retrying' ? 1 : 0)) {
    complain('attempt_no is wrong');
  }
  if ((to === 'failed' || to === 'abandoned') !== (payment['failure_code'] !== 'none'))
    complain('failure_code is wrong');
  if (refundedMinor > amountMinor || (to === 'refunded' && refundedMinor !== amountMinor))
    complain('refund is wrong');
}

function digestOf(events: readonly BillingEvent[]): string {
  const encoders = new Map<string, Encode>(topics.map(({ topic, type }) => [topic, createEncoder(type, 1)]));
  const hash = createHash('sha256');
  for (const { topic, record } of events) hash.update(encoders.get(topic)!(record));
  return hash.digest('hex');
}
