import { describe, expect, it } from 'vitest';
import type { ScenarioSettings } from '../../../producers/scenario/settings.ts';
import { problemsWith } from './settings-problems.ts';

describe('loadScenarioSettings', () => {
  it.each<[string, (settings: ScenarioSettings) => void, string, RegExp]>([
    [
      'a negative fee',
      (s) => (stripe(s).fees.card.fixed = -30),
      'payments.processors.stripe.fees.card.fixed',
      />=0/,
    ],
    [
      'a fee of more than everything',
      (s) => (stripe(s).fees.card.bps = 10_001),
      'payments.processors.stripe.fees.card.bps',
      /<=10000/,
    ],
    [
      'a method without a fee',
      (s) => delete (stripe(s).fees as Partial<Fees>).wallet,
      'payments.processors.stripe.fees.wallet',
      /./,
    ],
    ['a negative latency', (s) => (stripe(s).latencyMs = -1), 'payments.processors.stripe.latencyMs', />0/],
    ['processors that do not add up', (s) => (stripe(s).share = 0.9), 'payments.processors', /add up to 1/],
    [
      'reasons for refunds that do not add up',
      (s) => (s.payments.refundReasons.order.duplicate = 0.5),
      'payments.refundReasons.order',
      /add up to 1/,
    ],
    [
      'a subscription that is sent back',
      (s) => Object.assign(s.payments.refundReasons.subscription, { product_returned: 0 }),
      'payments.refundReasons.subscription.product_returned',
      /unknown key/,
    ],
    [
      'reasons for disputes that do not add up',
      (s) => (s.payments.disputeReasons.unrecognized = 1),
      'payments.disputeReasons',
      /add up to 1/,
    ],
    [
      'a product for nothing',
      (s) => (cable(s).unitPrice = 0),
      'products.categories.accessories.CABL-USBC.unitPrice',
      />=1/,
    ],
    [
      'a product without weight',
      (s) => (cable(s).weightGrams = 0),
      'products.categories.accessories.CABL-USBC.weightGrams',
      />=1/,
    ],
    [
      'a product that is never chosen',
      (s) => (cable(s).popularity = 0),
      'products.categories.accessories.CABL-USBC.popularity',
      />0/,
    ],
    [
      'a product in two categories',
      (s) => (s.products.categories['stands']!['CABL-USBC'] = cable(s)),
      'products.categories',
      /two categories/,
    ],
    [
      'a shop without products',
      (s) => (s.products.categories = { stands: {} }),
      'products.categories',
      /at least one/,
    ],
    [
      'an SKU nobody can print',
      (s) => (s.products.categories['stands']!['a b'] = cable(s)),
      'products.categories.stands.a b',
      /./,
    ],
    ['a day that does not exist', (s) => (s.products.since = '2010-02-30'), 'products.since', /./],
    [
      'rises that end before they start',
      (s) => (s.products.riseBps = [800, 200]),
      'products.riseBps',
      /ends before/,
    ],
    [
      'lines of orders that do not add up',
      (s) => (s.orders.lines = [0.5, 0.2]),
      'orders.lines',
      /add up to 1/,
    ],
    [
      'services that do not add up',
      (s) => (s.orders.services.express.share = 0.9),
      'orders.services',
      /add up to 1/,
    ],
    [
      'a service that never arrives',
      (s) => (s.orders.services.express.days = [0, 3]),
      'orders.services.express.days[0]',
      />=0.1/,
    ],
    [
      'carriers that do not add up',
      (s) => (s.orders.carriers['dhl']!.share = 0.9),
      'orders.carriers',
      /add up to 1/,
    ],
    [
      'more delays than deliveries',
      (s) => (s.orders.carriers['dhl']!.late = 1.1),
      'orders.carriers.dhl.late',
      /<=1/,
    ],
    ['orders several times a day', (s) => (s.orders.everyDays = 0.2), 'orders.everyDays', />=1/],
    ['rates that may fall below nothing', (s) => (s.fx.drift = 1), 'fx.drift', /<=0.5/],
    [
      'signups that bring money',
      (s) => (s.marketing.channels.email.costPerSignup = -1),
      'marketing.channels.email.costPerSignup',
      />=0/,
    ],
    [
      'a channel without a budget',
      (s) => delete (s.marketing.channels as Partial<Channels>).email,
      'marketing.channels.email',
      /./,
    ],
  ])('reports %s', (_, change, at, message) => {
    expect(problemsWith(change)).toContainEqual({
      path: at,
      message: expect.stringMatching(message) as string,
    });
  });

  it('reports what is wrong with money and goods at once', () => {
    const problems = problemsWith((settings) => {
      stripe(settings).fees.card.fixed = -30;
      settings.orders.lines = [0.5];
      settings.fx.dailyNoise = -1;
    });
    expect(problems.map(({ path }) => path).sort()).toEqual([
      'fx.dailyNoise',
      'orders.lines',
      'payments.processors.stripe.fees.card.fixed',
    ]);
  });
});

type Channels = ScenarioSettings['marketing']['channels'];
type Processor = ScenarioSettings['payments']['processors'][string];
type Fees = Processor['fees'];

function stripe(settings: ScenarioSettings): Processor {
  return settings.payments.processors['stripe']!;
}

function cable(settings: ScenarioSettings) {
  return settings.products.categories['accessories']!['CABL-USBC']!;
}
