import { z } from 'zod';
import {
  basisPoints,
  days,
  namedShares,
  range,
  share,
  shares,
  usdMinor,
  withShares,
} from './setting-shapes.ts';

/** Tiers a customer can be on, from the smallest to the largest. */
export const tierNames = ['standard', 'starter', 'professional', 'enterprise'] as const;
export type TierName = (typeof tierNames)[number];

export const regionNames = ['north_america', 'europe', 'asia_pacific'] as const;
export type RegionName = (typeof regionNames)[number];

/** Why customers leave by themselves. */
const voluntaryReasons = ['too_expensive', 'missing_features', 'switched_provider', 'unused'] as const;
export type VoluntaryReason = (typeof voluntaryReasons)[number];
export type CancelReason = VoluntaryReason | 'payment_failed' | 'trial_not_converted';

export const intervalMonths = { month: 1, year: 12 } as const;
export type Interval = keyof typeof intervalMonths;

export const tierSettings = withShares(
  tierNames,
  z.strictObject({ share, seats: range(z.int().min(1).max(10_000)), dueDays: days, isConsumer: z.boolean() }),
);

const plan = z.strictObject({
  tier: z.enum(tierNames),
  interval: z.enum(['month', 'year']),
  trialDays: days,
  /** Of one seat for one interval in minor units of USD, each from its day on. */
  prices: z
    .array(z.strictObject({ from: z.iso.date(), amount: range(z.int().min(1).max(100_000_000)) }))
    .min(1)
    .refine(
      (prices) => prices.every(({ from }, index) => index === 0 || from > (prices[index - 1]?.from ?? '')),
      {
        error: 'each price must begin after the one before it',
      },
    ),
});

export const planSettings = z
  .record(z.string().regex(/^[a-z][a-z0-9-]{2,40}$/, 'expected a code such as starter-month'), plan)
  .superRefine((plans, context) => {
    for (const tier of tierNames) {
      const intervals = Object.values(plans).flatMap((each) => (each.tier === tier ? [each.interval] : []));
      if (intervals.includes('month') && new Set(intervals).size === intervals.length) continue;
      const message = `${tier} needs one plan by the month, and no two with the same interval`;
      context.addIssue({ code: 'custom', message });
    }
  });

/** Chances are per month; a year's are what twelve months come to. */
export const subscriptionSettings = z
  .strictObject({
    monthlyChurn: share,
    cancelReasons: shares(voluntaryReasons),
    monthlyUpgrade: share,
    monthlyDowngrade: share,
    monthlySeatsAdded: share,
    monthlySeatsRemoved: share,
    seatsChanged: range(z.int().min(1).max(1000)),
    monthlyPause: share,
    pauseMonths: range(z.int().min(1).max(24)),
    canceledAfterPause: share,
    unpaidDays: days,
    reactivated: share,
    reactivatedAfterMonths: range(z.int().min(1).max(60)),
  })
  .refine(
    ({ monthlyUpgrade, monthlyDowngrade, monthlySeatsAdded, monthlySeatsRemoved }) =>
      [monthlyUpgrade, monthlyDowngrade, monthlySeatsAdded, monthlySeatsRemoved]
        .map((monthly) => chanceWithin(intervalMonths.year, monthly))
        .reduce((sum, yearly) => sum + yearly, 0) <= 1,
    { error: 'a yearly subscription would change more than once at a renewal: lower the chances of changes' },
  );

/** What the chance of a month comes to over several. */
export function chanceWithin(months: number, monthly: number): number {
  return 1 - (1 - monthly) ** months;
}

export const discountSettings = z.strictObject({
  recurring: z.strictObject({
    share,
    percentBps: z.array(basisPoints).min(1),
    months: z.array(z.int().min(1).max(60)).min(1),
  }),
  once: z.strictObject({
    share,
    percentBps: z.array(basisPoints).min(1),
    /** Of these: an amount is taken off instead. */
    amountShare: share,
    amounts: z.array(usdMinor.min(1)).min(1),
  }),
});

export const invoiceSettings = z.strictObject({
  void: share,
  partial: share,
  late: share,
  retried: share,
  maxRetries: z.int().min(0).max(10),
  retryAfterDays: range(z.int().min(1).max(60)),
  uncollectibleAfterDays: days,
});

const brand = z.string().min(1);

export const paymentMethodSettings = z.strictObject({
  cards: namedShares,
  wallets: namedShares,
  /** How banks move money, by region. */
  schemes: z.record(z.enum(regionNames), z.strictObject({ direct_debit: brand, bank_transfer: brand })),
  /** From being put on file to expiring: of the first card, and of one that replaces another. */
  validMonths: range(z.int().min(1).max(120)),
  replacedValidMonths: range(z.int().min(1).max(120)),
  /** Days without a valid card, once it has expired. */
  replacedAfterDays: range(z.int().min(0).max(60)),
});
