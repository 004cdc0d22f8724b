import path from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../core/home.ts';
import { parseWith, readYaml } from '../../core/parse.ts';
import { fxSettings, marketingSettings, orderSettings, productSettings } from './goods-settings.ts';
import { paymentSettings } from './payment-settings.ts';
import { addsUp, basisPoints, factor, factors, share, shares } from './setting-shapes.ts';
import {
  discountSettings,
  invoiceSettings,
  paymentMethodSettings,
  planSettings,
  regionNames,
  subscriptionSettings,
  tierSettings,
} from './subscription-settings.ts';

export const channelNames = ['organic', 'paid_search', 'social', 'referral', 'email', 'partner'] as const;
export type ChannelName = (typeof channelNames)[number];

const timezone = z.string().refine(isTimezone, { error: 'not an IANA time zone' });

const settingsSchema = z
  .strictObject({
    customers: z.strictObject({
      growth: z.number().min(0.01).max(1000),
      trialConversion: share,
      yearly: share,
      channels: shares(channelNames),
    }),
    tiers: tierSettings,
    plans: planSettings,
    subscriptions: subscriptionSettings,
    discounts: discountSettings,
    invoices: invoiceSettings,
    paymentMethods: paymentMethodSettings,
    payments: paymentSettings,
    products: productSettings,
    orders: orderSettings,
    fx: fxSettings,
    marketing: marketingSettings(channelNames),
    seasonality: z.strictObject({ month: factors(12), weekday: factors(7), hour: factors(24) }),
    live: z.strictObject({ signups: share, customers: z.int().min(1).max(1_000_000) }),
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
