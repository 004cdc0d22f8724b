import { describe, expect, it } from 'vitest';
import { historyOf } from './small-scenario.ts';

describe('a history', () => {
  it('tells the same of a customer whoever else it tells of', () => {
    const whole = historyOf(5, 30);
    const alone = historyOf(5, 10, 10);
    const customers = new Set(alone.map(({ record }) => record['customer_id']));
    expect(customers.size).toBe(10);
    expect(alone).toEqual(whole.filter(({ record }) => customers.has(record['customer_id'])));
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
