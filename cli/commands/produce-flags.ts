import { z } from 'zod';
import { parseWith } from '../../core/parse.ts';
import { InvalidInputError } from '../../core/errors.ts';
import { parseFaultShares, type FaultShares } from '../../producers/delivery/fault-shares.ts';
import type { Options } from '../command.ts';

const limits = { rate: 1_000_000, durationS: 7 * 86_400, seed: 0xffff_ffff } as const;
const defaults = { rate: 100, durationS: 60, seed: 1 } as const;

/** What `produce` was asked for. */
export interface ProduceFlags {
  rate: number;
  durationMs: number;
  seed: number;
  /** Undefined: every topic. */
  only: string[] | undefined;
  /** CRON expression, where batches follow a schedule. */
  schedule: string | undefined;
  /** CRON expression by which the models are refreshed beside; undefined: they are not. */
  refresh: string | undefined;
  /** Port, where batches follow requests. */
  listen: number | undefined;
  /** Undefined: none. */
  faults: FaultShares | undefined;
}

const where = 'the command line';
const what = 'The options of produce are not valid';

/** @throws InvalidInputError with everything that is wrong */
export function parseProduceFlags(options: Options): ProduceFlags {
  const flags = parseWith(
    z.object({
      '--rate': between(0.1, limits.rate),
      '--duration': between(0.1, limits.durationS),
      '--seed': between(0, limits.seed, 'whole'),
      '--only': names,
      // cac turns what looks like a number into one.
      '--schedule': z.coerce.string().optional(),
      '--refresh': z.coerce.string().optional(),
      '--listen': between(0, 65_535, 'whole'),
      // Without a value it is true: all of them.
      '--faults': z.coerce.string().optional(),
    }),
    {
      '--rate': options['rate'],
      '--duration': options['duration'],
      '--seed': options['seed'],
      '--only': options['only'],
      '--schedule': options['schedule'],
      '--refresh': options['refresh'],
      '--listen': options['listen'],
      '--faults': options['faults'] === true ? '' : options['faults'],
    },
    what,
    where,
  );
  const { '--listen': listen, '--schedule': schedule, '--faults': faults } = flags;
  if (listen !== undefined) {
    // Each request says how many events it wants.
    const others = (['--schedule', '--duration'] as const).filter((name) => flags[name] !== undefined);
    if (others.length > 0) {
      const problems = others.map((path) => ({ path, message: 'cannot be combined with --listen' }));
      throw new InvalidInputError({ what, where, problems });
    }
  }
  return {
    rate: flags['--rate'] ?? defaults.rate,
    durationMs: (flags['--duration'] ?? defaults.durationS) * 1000,
    seed: flags['--seed'] ?? defaults.seed,
    only: flags['--only'],
    schedule,
    refresh: flags['--refresh'],
    listen,
    faults: faults === undefined ? undefined : parseFaultShares(faults),
  };
}

function between(low: number, high: number, kind?: 'whole') {
  const error = `expected a ${kind === undefined ? '' : 'whole '}number from ${low} to ${high}`;
  // A number where cac finds one, a word elsewhere; a flag without a value is true.
  return z
    .union([z.number(), z.string().min(1).pipe(z.coerce.number())], { error })
    .refine((value) => value >= low && value <= high && (kind === undefined || Number.isInteger(value)), {
      error,
    })
    .optional();
}

/** `payments,refunds`; the flag may also be repeated. */
const names = z
  .union([z.string(), z.array(z.string())], { error: 'expected the names of topics' })
  .transform((value) => [value].flat().flatMap((part) => part.split(',').map((name) => name.trim())))
  .transform((value) => value.filter((name) => name !== ''))
  .optional();
