import { z } from 'zod';
import { InvalidInputError, type Problem } from '../../core/errors.ts';
import { check } from '../../core/parse.ts';

/**
 * What can be done to a stream on its way to the broker:
 * - `duplicates`: a record is sent a second time a little later, byte for byte
 * - `late`: an event is held back and sent thousands of events later, with the time it really happened
 * - `out-of-order`: two consecutive versions of an entity are swapped
 * - `malformed`: bytes that are no Avro are sent beside a record
 * - `unknown-schema`: a value that names a schema the registry does not have is sent beside a record
 * - `oversized`: a record that is larger than its topic allows comes up beside a record
 */
export const faultNames = [
  'duplicates',
  'late',
  'out-of-order',
  'malformed',
  'unknown-schema',
  'oversized',
] as const;
export type FaultName = (typeof faultNames)[number];

/** Share of all events that each fault befalls, 0 to 1; a fault that is not named does not occur. */
export type FaultShares = Readonly<Partial<Record<FaultName, number>>>;

/** What `--faults` without shares means. An oversized record is kept as a file of megabytes: few are enough. */
export const defaultFaultShares: Required<FaultShares> = {
  duplicates: 0.02,
  late: 0.01,
  'out-of-order': 0.01,
  malformed: 0.001,
  'unknown-schema': 0.001,
  oversized: 0.0005,
};

const share = z
  .string()
  .trim()
  .regex(/^(\d+\.?\d*|\.\d+)(e-?\d+)?$/i, 'expected a share from 0 to 1, as in 0.01')
  .transform(Number)
  .refine((value) => value <= 1, 'expected a share from 0 to 1, as in 0.01');

/**
 * Reads `duplicates=0.02,malformed=0.001`, or a fault's name alone for its default share; an empty text means
 * all faults with their default shares.
 *
 * @throws InvalidInputError with every problem, and the names there are
 */
export function parseFaultShares(text: string): FaultShares {
  if (text.trim() === '') return defaultFaultShares;
  const shares: Partial<Record<FaultName, number>> = {};
  const problems: Problem[] = [];
  for (const entry of text.split(',')) {
    const [given = '', value] = entry.split(/=(.*)/s, 2);
    const name = faultNames.find((known) => known === given.trim());
    const parsed = check(share, value ?? (name === undefined ? '0' : String(defaultFaultShares[name])));
    if (name === undefined)
      problems.push({ path: given.trim() || '(no name)', message: 'there is no such fault' });
    else if (name in shares) problems.push({ path: name, message: 'named twice' });
    else if (parsed.value !== undefined) shares[name] = parsed.value;
    problems.push(...parsed.problems.map(({ message }) => ({ path: given.trim(), message })));
  }
  const sum = Object.values(shares).reduce((total, value) => total + value, 0);
  // An event suffers one fault at most: only so is each share exact.
  if (sum > 1 + Number.EPSILON) problems.push({ path: 'all together', message: `${sum} is more than 1` });
  if (problems.length === 0) return shares;
  throw new InvalidInputError({
    what: 'The faults are not valid',
    where: '--faults',
    todo: `Name any of ${faultNames.join(', ')}, as in --faults duplicates=0.02,malformed=0.001.`,
    problems,
  });
}
