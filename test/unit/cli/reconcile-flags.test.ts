import { describe, expect, it } from 'vitest';
import { parseReconcileFlags } from '../../../cli/commands/reconcile-flags.ts';
import { formatAge, parseDuration, parseInstant } from '../../../cli/parse-time.ts';
import type { Options } from '../../../cli/command.ts';
import { InvalidInputError } from '../../../core/errors.ts';

const now = Date.UTC(2026, 2, 10, 12);
const known = ['billing.payments', 'billing.refunds'];
const parse = (options: Options, ...topics: string[]) => parseReconcileFlags(options, topics, known, now);

function problemsOf(options: Options): string[] {
  try {
    parse(options);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(({ path }) => path);
    throw error;
  }
  return [];
}

describe('the options of reconcile', () => {
  it('mean one look at everything where none is given', () => {
    expect(parse({})).toEqual({
      topics: undefined,
      sinceMs: undefined,
      lateAfterMs: 3_600_000,
      isQuick: false,
      watchMs: undefined,
      untilClean: false,
      repair: false,
      deadLetters: false,
      dryRun: false,
    });
  });

  it('take a time, a duration, an interval and topics', () => {
    expect(
      parse({ since: '24h', lateAfter: '2d', watch: 3, untilClean: true }, 'billing.refunds'),
    ).toMatchObject({
      topics: ['billing.refunds'],
      sinceMs: now - 24 * 3_600_000,
      lateAfterMs: 2 * 86_400_000,
      watchMs: 3000,
      isQuick: true,
      untilClean: true,
    });
    expect(parse({ watch: true })).toMatchObject({ watchMs: 5000 });
    expect(parse({ repair: true, dryRun: true, yes: true })).toMatchObject({ repair: true, dryRun: true });
  });

  it.each<[string, Options]>([
    ['--since', { since: 'yesterday' }],
    ['--since', { since: '2026-03-11' }],
    ['--since', { since: '2026-02-30' }],
    ['--since', { since: '-5h' }],
    ['--since', { since: 20_260_301 }],
    ['--since', { since: '30000d' }],
    ['--since', { since: true }],
    ['--late-after', { lateAfter: 'soon' }],
    ['--watch', { watch: 'often' }],
    ['--watch', { watch: 0 }],
    ['--watch', { watch: 1, repair: true }],
    ['--until-clean', { untilClean: true }],
    ['--dry-run', { dryRun: true }],
    ['--dead-letters', { deadLetters: true }],
    ['--yes', { yes: true }],
  ])('name %s in %o', (path, options) => {
    expect(problemsOf(options)).toEqual([path]);
  });

  it('tell all that is wrong at once', () => {
    expect(problemsOf({ since: 'x', lateAfter: 'y', watch: 'z', dryRun: true })).toEqual([
      '--since',
      '--late-after',
      '--watch',
      '--dry-run',
    ]);
  });

  it('refuse a topic that is not in the catalog, and name those that are', () => {
    expect(() => parse({}, 'billing.payment')).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_TOPIC',
        todo: expect.stringContaining('billing.payments') as string,
      }),
    );
  });
});

describe('times', () => {
  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['7', undefined],
    ['h', undefined],
    ['1h30m', undefined],
  ])('%s lasts %s ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    ['2026-03-01', Date.UTC(2026, 2, 1)],
    ['2026-03-01T12:30', Date.UTC(2026, 2, 1, 12, 30)],
    ['2026-03-01 12:30:15.5', Date.UTC(2026, 2, 1, 12, 30, 15, 500)],
    ['2026-03-01T12:30:00Z', Date.UTC(2026, 2, 1, 12, 30)],
    ['2026-03-01T12:30:00+02:00', Date.UTC(2026, 2, 1, 10, 30)],
    ['2026-13-01', undefined],
    ['2026-02-29', undefined],
    ['2026-03-01T25:00', undefined],
    ['', undefined],
  ])('"%s" is %s', (text, expected) => {
    expect(parseInstant(text, now)).toBe(expected);
  });

  it('are told in the unit that suits them', () => {
    expect([3000, 120_000, 7_200_000, 400_000_000].map(formatAge)).toEqual(['3 s', '2 min', '2.0 h', '5 d']);
  });
});
