import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { chooseTopics } from '../../../producers/runs/live/choose-topics.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';

const catalog = loadCatalog();

describe('choosing topics', () => {
  it('takes all of them where none is named', () => {
    expect(chooseTopics(catalog, undefined)).toEqual({ topics: catalog.topics, added: [] });
  });

  it('adds everything the chosen ones refer to, and all that that refers to', () => {
    const { topics, added } = chooseTopics(catalog, ['refunds', 'billing.payments']);
    const names = topics.map(({ topic }) => topic);
    expect(names).toEqual(
      expect.arrayContaining(['billing.customers', 'billing.invoices', 'billing.payments']),
    );
    for (const { references } of topics)
      for (const parent of Object.values(references)) expect(names).toContain(parent);
    expect(names).not.toContain('billing.transactions');
    expect(added).toEqual(names.filter((name) => !['billing.refunds', 'billing.payments'].includes(name)));
  });

  it('keeps parents before their children, whatever the order of the names', () => {
    const { topics } = chooseTopics(catalog, ['transactions', 'customers']);
    const order = catalog.topics.map(({ topic }) => topic);
    const positions = topics.map(({ topic }) => order.indexOf(topic));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  it.each([
    [
      ['payment', 'refunds', 'orderz'],
      ['there is no topic "payment"', 'there is no topic "orderz"'],
    ],
    [[], ['name at least one topic']],
  ])('refuses %j and lists the names there are', (names, messages) => {
    expect(() => chooseTopics(catalog, names)).toThrow(InvalidInputError);
    try {
      chooseTopics(catalog, names);
    } catch (error) {
      const { problems, todo } = error as InvalidInputError;
      expect(problems.map(({ message }) => message)).toEqual(messages);
      expect(todo).toContain('payments, refunds');
    }
  });
});
