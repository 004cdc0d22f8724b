import { describe, expect, it } from 'vitest';
import { parseProduceFlags } from '../../../cli/commands/produce-flags.ts';
import { InvalidInputError } from '../../../core/errors.ts';
import { defaultFaultShares } from '../../../producers/delivery/fault-shares.ts';

describe('the flags of produce', () => {
  it('have defaults', () => {
    expect(parseProduceFlags({})).toEqual({ rate: 100, durationMs: 60_000, seed: 1 });
  });

  it('name topics in one list or in several', () => {
    expect(parseProduceFlags({ only: 'payments, refunds' }).only).toEqual(['payments', 'refunds']);
    expect(parseProduceFlags({ only: ['payments', 'refunds,'] }).only).toEqual(['payments', 'refunds']);
    expect(parseProduceFlags({ only: ',' }).only).toEqual([]);
  });

  it.each([
    [{ rate: 0 }, '--rate: expected a number from 0.1 to 1000000'],
    [{ rate: -5 }, '--rate: expected a number from 0.1 to 1000000'],
    [{ rate: 1e9 }, '--rate: expected a number from 0.1 to 1000000'],
    [{ rate: Number.NaN }, '--rate: expected a number from 0.1 to 1000000'],
    [{ rate: 'fast' }, '--rate: expected a number from 0.1 to 1000000'],
    [{ rate: true }, '--rate: expected a number from 0.1 to 1000000'],
    [{ rate: [1, 2] }, '--rate: expected a number from 0.1 to 1000000'],
    [{ duration: 0 }, '--duration: expected a number from 0.1 to 604800'],
    [{ duration: Number.POSITIVE_INFINITY }, '--duration: expected a number from 0.1 to 604800'],
    [{ seed: 1.5 }, '--seed: expected a whole number from 0 to 4294967295'],
    [{ only: true }, '--only: expected the names of topics'],
    [{ listen: 65_536 }, '--listen: expected a whole number from 0 to 65535'],
    [{ listen: '' }, '--listen: expected a whole number from 0 to 65535'],
    [{ listen: 8099, schedule: '* * * * *' }, '--schedule: cannot be combined with --listen'],
    [{ listen: 8099, duration: 5 }, '--duration: cannot be combined with --listen'],
  ])('%j are refused', (options, problem) => {
    expect(problemsOf(options)).toEqual([problem]);
  });

  it('inject no faults unless they are asked for, and all of them when none is named', () => {
    expect(parseProduceFlags({}).faults).toBeUndefined();
    expect(parseProduceFlags({ faults: true }).faults).toEqual(defaultFaultShares);
    expect(parseProduceFlags({ faults: 'late=0.5' }).faults).toEqual({ late: 0.5 });
    expect(problemsOf({ faults: 0.5 })).toEqual(['0.5: there is no such fault']);
  });

  it('report everything that is wrong at once', () => {
    expect(problemsOf({ rate: 0, duration: 'x', seed: -1 })).toHaveLength(3);
  });
});

function problemsOf(options: Record<string, unknown>): string[] {
  try {
    parseProduceFlags(options);
  } catch (error) {
    if (error instanceof InvalidInputError) {
      return error.problems.map(({ path, message }) => `${path}: ${message}`);
    }
    throw error;
  }
  return [];
}
