import { describe, expect, it } from 'vitest';
import type { ScenarioSettings } from '../../../producers/scenario/settings.ts';
import { problemsWith } from './settings-problems.ts';

describe('loadScenarioSettings', () => {
  it.each<[string, (settings: ScenarioSettings) => void, string, RegExp]>([
    [
      'outcomes that do not add up',
      (s) => (s.payments.outcomes.failed = 0.2),
      'payments.outcomes',
      /add up to 1/,
    ],
    ['tiers that do not add up', (s) => (s.tiers.starter.share = 0.9), 'tiers', /add up to 1/],
    [
      'failure codes that do not add up',
      (s) => (s.payments.failureCodes.expired_card.share = 0.5),
      'payments.failureCodes',
      /add up to 1/,
    ],
    [
      'countries of a region that do not add up',
      (s) => delete s.countries['FR'],
      'countries',
      /europe must add up/,
    ],
    ['a share above 1', (s) => (s.invoices.late = 1.2), 'invoices.late', /<=1/],
    [
      'a currency that is not listed',
      (s) => (s.countries['US']!.currency = 'XYZ'),
      'countries.US.currency',
      /XYZ/,
    ],
    [
      'a time zone that does not exist',
      (s) => (s.countries['IE']!.places = { Dublin: 'Europe/Nowhere' }),
      'countries.IE.places.Dublin',
      /time zone/,
    ],
    [
      'a price range that ends before it starts',
      (s) => (s.plans['enterprise-month']!.prices[0]!.amount = [5, 1]),
      'plans.enterprise-month.prices[0].amount',
      /ends before/,
    ],
    [
      'prices out of the order of time',
      (s) => s.plans['standard-month']!.prices.reverse(),
      'plans.standard-month.prices',
      /begin after/,
    ],
    [
      'a price from a day that does not exist',
      (s) => (s.plans['starter-month']!.prices[0]!.from = '2023-02-30'),
      'plans.starter-month.prices[0].from',
      /date/,
    ],
    [
      'a plan without a price',
      (s) => (s.plans['starter-year']!.prices = []),
      'plans.starter-year.prices',
      /1/,
    ],
    ['a tier without a monthly plan', (s) => delete s.plans['starter-month'], 'plans', /starter needs one/],
    [
      'two plans of a tier with one interval',
      (s) => (s.plans['starter-month']!.interval = 'year'),
      'plans',
      /starter needs one/,
    ],
    [
      'changes that are too likely for a year',
      (s) => (s.subscriptions.monthlySeatsAdded = 0.5),
      'subscriptions',
      /more than once/,
    ],
    [
      'reasons to leave that do not add up',
      (s) => (s.subscriptions.cancelReasons.unused = 0.9),
      'subscriptions.cancelReasons',
      /add up to 1/,
    ],
    [
      'a pause that ends before it starts',
      (s) => (s.subscriptions.pauseMonths = [3, 1]),
      'subscriptions.pauseMonths',
      /ends before/,
    ],
    [
      'a discount of more than everything',
      (s) => (s.discounts.recurring.percentBps = [10_001]),
      'discounts.recurring.percentBps[0]',
      /10000/,
    ],
    [
      'brands that do not add up',
      (s) => (s.paymentMethods.cards['visa'] = 0),
      'paymentMethods.cards',
      /add up to 1/,
    ],
    [
      'seasonal factors that make more events',
      (s) => (s.seasonality.month[0] = 9),
      'seasonality.month',
      /average 1/,
    ],
    ['an hour too few', (s) => s.seasonality.hour.pop(), 'seasonality.hour', /24/],
    ['a setting that is not known', (s) => Object.assign(s.live, { speed: 1 }), 'live.speed', /unknown key/],
    [
      'a method that is not known',
      (s) => Object.assign(s.payments.methods, { cash: 0 }),
      'payments.methods.cash',
      /unknown key/,
    ],
    ['no soft reason left for transfers', forbidSoftFailures, 'payments.failureCodes', /every method/],
  ])('reports %s', (_, change, at, message) => {
    expect(problemsWith(change)).toContainEqual({
      path: at,
      message: expect.stringMatching(message) as string,
    });
  });

  it('reports everything at once', () => {
    const problems = problemsWith((settings) => {
      settings.payments.outcomes.failed = 0.2;
      settings.invoices.late = -1;
    });
    expect(problems.map((problem) => problem.path).sort()).toEqual(['invoices.late', 'payments.outcomes']);
  });
});

function forbidSoftFailures(settings: ScenarioSettings): void {
  for (const code of Object.values(settings.payments.failureCodes)) code.isCardOnly ||= code.isSoft;
}
