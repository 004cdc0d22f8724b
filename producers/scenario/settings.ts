import path from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../core/home.ts';
import { parseWith, readYaml } from '../../core/parse.ts';
import { fxSettings, marketingSettings, orderSettings, productSettings } from './goods-settings.ts';
import { paymentSettings } from './payment-settings.ts';
import { addsUp, basisPoints, days, factor, factors, share, shares, withShares } from './setting-shapes.ts';

export type { FailureCode, MethodName } from './payment-settings.ts';

/** Tiers a customer can be on, from the smallest to the largest. */
export const tierNames = ['standard', 'starter', 'professional', 'enterprise'] as const;
export type TierName = (typeof tierNames)[number];

export const regionNames = ['north_america', 'europe', 'asia_pacific'] as const;

const channelNames = ['organic', 'paid_search', 'social', 'referral', 'email', 'partner'] as const;
export type ChannelName = (typeof channelNames)[number];

const timezone = z.string().refine(isTimezone, { error: 'not an IANA time zone' });

const settingsSchema = z
  .strictObject({
    customers: z.strictObject({
      growth: z.number().min(0.01).max(1000),
      trialDays: days,
      trialConversion: share,
      yearly: share,
      monthlyChurn: share,
      monthlyUpgrade: share,
      channels: shares(channelNames),
    }),
    tiers: withShares(
      tierNames,
      z.strictObject({
        share,
        amount: z
          .tuple([z.int().min(1), z.int().min(1)])
          .refine(([low, high]) => low <= high, { error: 'the range ends before it starts' }),
        dueDays: days,
        isConsumer: z.boolean(),
      }),
    ),
    invoices: z.strictObject({
      yearlyMonths: z.int().min(1).max(12),
      discounted: share,
      discountBps: z.array(basisPoints).min(1),
      void: share,
      partial: share,
      late: share,
      recoveredLater: share,
      uncollectibleAfterDays: days,
    }),
    payments: paymentSettings,
    products: productSettings,
    orders: orderSettings,
    fx: fxSettings,
    marketing: marketingSettings(channelNames),
    seasonality: z.strictObject({ month: factors(12), weekday: factors(7), hour: factors(24) }),
    live: z.strictObject({ signups: share, openInvoices: z.int().min(1).max(100_000) }),
    currencies: z.record(
      z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code'),
      z.strictObject({ exponent: z.int().min(0).max(4), perUsd: factor }),
    ),
    regions: shares(regionNames),
    countries: z.record(
      z.string().regex(/^[A-Z]{2}$/, 'expected an ISO 3166-1 alpha-2 code'),
      z.strictObject({
        region: z.enum(regionNames),
        share,
        currency: z.string(),
        taxBps: basisPoints,
        places: z.record(z.string(), timezone).refine((places) => Object.keys(places).length > 0, {
          error: 'name at least one city',
        }),
      }),
    ),
  })
  .superRefine(({ countries, currencies, payments }, context) => {
    for (const [code, { currency }] of Object.entries(countries)) {
      if (currencies[currency] !== undefined) continue;
      const message = `"${currency}" is not listed in currencies`;
      context.addIssue({ code: 'custom', path: ['countries', code, 'currency'], message });
    }
    const codes = Object.values(payments.failureCodes).filter((code) => !code.isCardOnly && code.share > 0);
    if (!codes.some((code) => code.isSoft)) {
      const message = 'every method needs a soft reason to fail: add one that is not for cards only';
      context.addIssue({ code: 'custom', path: ['payments', 'failureCodes'], message });
    }
    for (const region of regionNames) {
      const inside = Object.values(countries).filter((country) => country.region === region);
      if (addsUp(inside.map((country) => country.share))) continue;
      const message = `the shares of the countries of ${region} must add up to 1`;
      context.addIssue({ code: 'custom', path: ['countries'], message });
    }
  });

/** Everything about the generated business that is a matter of choice; see scenario.yaml. */
export type ScenarioSettings = z.infer<typeof settingsSchema>;

/**
 * Loads and checks the scenario's settings.
 *
 * @throws InvalidInputError listing every problem, shares that don't add up among them
 */
export function loadScenarioSettings(
  file = path.join(projectRoot, 'producers', 'scenario', 'scenario.yaml'),
): ScenarioSettings {
  const what = 'The scenario is not valid';
  return parseWith(settingsSchema, readYaml(file, what), what, file);
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
