import { z } from 'zod';
import { parseWith } from '../../core/parse.ts';
import {
  BackfillFailedError,
  BackfillInterruptedError,
  type BackfillResult,
} from '../../producers/runs/backfill/outcome.ts';
import { backfill, type BackfillBegin } from '../../producers/runs/backfill/backfill.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Options, Run } from '../command.ts';
import { renderTable, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';
import { describeRefresh, refreshWhenLanded } from '../refresh-models.ts';

/** Beyond them is a slip of the finger: ten million customers have four thousand million records. */
const limits = { years: 20, customers: 10_000_000, seed: 0xffff_ffff } as const;

export const run: Run = async (context, options) => {
  const flags = parseFlags(options);
  const { output, signal, home } = context;
  const progress = createProgress(output, 'records');
  try {
    const result = await backfill({
      ...flags,
      target: context.target(),
      catalog: loadCatalog(),
      home,
      signal,
      onBegin: (begin) => {
        if (begin.isResumed)
          output.note(`Continues at ${percent(begin)}: an earlier run was interrupted there.`);
      },
      onProgress: ({ already, done, expected, elapsedMs }) => {
        progress.show({ done, expected, elapsedMs, before: already });
      },
    });
    progress.stop();
    printResult(output, result);
    if (options['refresh'] === true) output.note(describeRefresh(await refreshWhenLanded(context)));
    return 0;
  } catch (error) {
    progress.stop();
    if (error instanceof BackfillFailedError || error instanceof BackfillInterruptedError) {
      output.document(error.stop);
    }
    throw error;
  }
};

function parseFlags(options: Options): { years: number; customers: number; seed: number } {
  const between = (low: number, high: number) => {
    const error = `expected a number from ${low} to ${high.toLocaleString('en-US')}`;
    return z.coerce.number({ error }).min(low, { error }).max(high, { error });
  };
  const whole = { error: 'expected a whole number' };
  const flags = z.object({
    '--years': between(0.1, limits.years).default(5),
    '--customers': between(1, limits.customers).int(whole),
    '--seed': between(0, limits.seed).int(whole).default(1),
  });
  const given = {
    '--years': options['years'],
    '--customers': options['customers'],
    '--seed': options['seed'],
  };
  const parsed = parseWith(flags, given, 'The options of backfill are not valid', 'the command line');
  return { years: parsed['--years'], customers: parsed['--customers'], seed: parsed['--seed'] };
}

function printResult(output: Output, result: BackfillResult): void {
  const { byTopic, total, sent, resumedFrom, firstAt, lastAt, elapsedMs } = result;
  const ratePerSecond = elapsedMs > 0 ? Math.round((sent * 1000) / elapsedMs) : 0;
  output.document({
    acknowledged: byTopic,
    total,
    sent,
    resumedFrom: resumedFrom ?? null,
    ratePerSecond,
    elapsedMs,
    firstOccurredAt: isoOf(firstAt),
    lastOccurredAt: isoOf(lastAt),
  });
  output.print(
    renderTable(
      [{ title: 'topic' }, { title: 'acknowledged', align: 'right' }],
      [...Object.entries(byTopic).sort(), ['total', total]],
    ),
  );
  const before =
    resumedFrom === undefined ? '' : `; ${(total - sent).toLocaleString('en-US')} were there before`;
  output.note(
    `${(elapsedMs / 1000).toFixed(1)} s, ${ratePerSecond.toLocaleString('en-US')} records/s${before}`,
  );
}

function percent({ already, expected }: BackfillBegin): string {
  return `${Math.floor((100 * already) / Math.max(expected, 1))} %`;
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
