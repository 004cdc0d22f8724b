import { z } from 'zod';
import {
  addsUp,
  basisPoints,
  days,
  factor,
  namedWithShares,
  range,
  share,
  usdMinor,
  withShares,
} from './setting-shapes.ts';

/** Speeds of delivery a customer can pay for. */
export const serviceNames = ['standard', 'express', 'overnight'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Shares of the counts 1, 2, 3 ... */
const countShares = z.array(share).min(1).max(100).refine(addsUp, { error: 'the shares must add up to 1' });

const product = z.strictObject({
  name: z.string().min(1),
  unitPrice: usdMinor.min(1),
  weightGrams: z.int().min(1).max(1_000_000),
  /** How often it is chosen, relative to the others. */
  popularity: factor,
});

const sku = z.string().regex(/^[A-Z0-9-]{3,20}$/, 'expected a stock keeping unit such as HUB-USBC-7');

export const productSettings = z.strictObject({
  since: z.iso.date(),
  yearlyRise: share,
  riseBps: range(basisPoints),
  /** By category, then by SKU. */
  categories: z
    .record(z.string().min(1), z.record(sku, product))
    .refine((categories) => Object.values(categories).some((list) => Object.keys(list).length > 0), {
      error: 'name at least one product',
    })
    .refine(hasNoSkuTwice, { error: 'a SKU is listed in two categories' }),
});

export const orderSettings = z.strictObject({
  buyers: share,
  everyDays: z.number().min(1).max(3650),
  lines: countShares,
  pieces: countShares,
  dueDays: days,
  freeShippingFrom: usdMinor,
  services: withShares(
    serviceNames,
    z.strictObject({ share, days: range(z.number().min(0.1).max(90)), base: usdMinor, perKg: usdMinor }),
  ),
  carriers: namedWithShares(
    z.strictObject({ share, costBps: basisPoints, late: share, lateDays: z.number().positive().max(60) }),
  ),
});

export const fxSettings = z.strictObject({
  drift: z.number().min(0).max(0.5),
  dailyNoise: z.number().min(0).max(0.1),
});

/** One entry per channel of the customers. */
export function marketingSettings<K extends string>(channels: readonly [K, ...K[]]) {
  const channel = z.strictObject({ costPerSignup: usdMinor, campaign: z.string().min(1) });
  return z.strictObject({
    dailySpread: z.number().min(0).max(2),
    channels: z.record(z.enum(channels), channel),
  });
}

function hasNoSkuTwice(categories: Readonly<Record<string, Readonly<Record<string, unknown>>>>): boolean {
  const skus = Object.values(categories).flatMap((list) => Object.keys(list));
  return new Set(skus).size === skus.length;
}
