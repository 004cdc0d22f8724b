import { z } from 'zod';

/** Shapes that the sections of the scenario's settings are made of. */

export const share = z.number().min(0).max(1);
export const factor = z.number().positive();
export const basisPoints = z.int().min(0).max(10_000);
export const days = z.int().min(0).max(365);
/** An amount in minor units of USD; local prices follow from it. */
export const usdMinor = z.int().min(0).max(100_000_000);

const addUpMessage = { error: 'the shares must add up to 1' };

export function addsUp(values: readonly number[]): boolean {
  return Math.abs(values.reduce((sum, value) => sum + value, 0) - 1) < 1e-9;
}

/** Values with shares that have to add up to 1. */
export function shares<K extends string>(names: readonly [K, ...K[]]) {
  return z.record(z.enum(names), share).refine((group) => addsUp(Object.values(group)), addUpMessage);
}

/** The same for values that are named in the file only. */
export const namedShares = z
  .record(z.string().min(1), share)
  .refine((group) => addsUp(Object.values(group)), addUpMessage);

/** Entries of which each has a share, that have to add up to 1. */
export function withShares<K extends string, S extends z.ZodType<{ share: number }>>(
  names: readonly [K, ...K[]],
  entry: S,
) {
  return z.record(z.enum(names), entry).refine(shareOfEachAddsUp, addUpMessage);
}

/** The same for entries that are named in the file only. */
export function namedWithShares<S extends z.ZodType<{ share: number }>>(entry: S) {
  return z.record(z.string().min(1), entry).refine(shareOfEachAddsUp, addUpMessage);
}

function shareOfEachAddsUp(group: Readonly<Record<string, { share: number }>>): boolean {
  return addsUp(Object.values(group).map((value) => value.share));
}

/** A range, both ends included. */
export function range(bound: z.ZodNumber) {
  return z
    .tuple([bound, bound])
    .refine(([low, high]) => low <= high, { error: 'the range ends before it starts' });
}

/** Factors that move events around without making more of them. */
export function factors(count: number) {
  return z
    .array(factor)
    .length(count)
    .refine((values) => Math.abs(values.reduce((sum, value) => sum + value, 0) / count - 1) < 0.01, {
      error: 'the factors must average 1',
    });
}
