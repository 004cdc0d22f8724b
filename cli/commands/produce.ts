import { z } from 'zod';
import { parseWith } from '../../core/parse.ts';
import { produceLive } from '../../producers/runs/produce.ts';
import { ProduceFailedError, ProduceInterruptedError, type ProduceResult } from '../../producers/runs/run.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Options, Run } from '../command.ts';
import { renderTable, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';

const limits = { rate: 1_000_000, durationS: 7 * 86_400, seed: 0xffff_ffff } as const;

export const run: Run = async (context, options) => {
  const { rate, duration, seed } = parseFlags(options);
  const { output, signal, home } = context;
  const target = context.target();
  const catalog = loadCatalog();
  const progress = createProgress(output, 'records');
  try {
    const result = await produceLive({
      target,
      catalog,
      rate,
      durationMs: duration * 1000,
      seed,
      signal,
      home,
      onProgress: ({ acknowledged, ...rest }) => {
        progress.show({ done: acknowledged, ...rest });
      },
    });
    progress.stop();
    printResult(output, result);
    warnOfLowRate(output, result.total, Math.round(rate * duration));
    return 0;
  } catch (error) {
    progress.stop();
    if (error instanceof ProduceFailedError || error instanceof ProduceInterruptedError) {
      printResult(output, error.result);
    }
    throw error;
  }
};

function parseFlags(options: Options) {
  const between = (low: number, high: number) => {
    const error = `expected a number from ${low} to ${high}`;
    return z.coerce.number({ error }).min(low, { error }).max(high, { error });
  };
  const flags = z.object({
    '--rate': between(0.1, limits.rate).default(100),
    '--duration': between(0.1, limits.durationS).default(60),
    '--seed': between(0, limits.seed).int({ error: 'expected a whole number' }).default(1),
  });
  const given = {
    '--rate': options['rate'],
    '--duration': options['duration'],
    '--seed': options['seed'],
  };
  const parsed = parseWith(flags, given, 'The options of produce are not valid', 'the command line');
  return { rate: parsed['--rate'], duration: parsed['--duration'], seed: parsed['--seed'] };
}

function printResult(output: Output, result: ProduceResult): void {
  const { byTopic, total, firstAt, lastAt, elapsedMs } = result;
  const ratePerSecond = elapsedMs > 0 ? Math.round((total * 1000) / elapsedMs) : 0;
  output.document({
    acknowledged: byTopic,
    total,
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
  output.note(`${(elapsedMs / 1000).toFixed(1)} s, ${ratePerSecond.toLocaleString('en-US')} records/s`);
}

function warnOfLowRate(output: Output, total: number, expected: number): void {
  if (total >= expected * 0.95) return;
  output.note(
    `The rate was not held: ${total.toLocaleString('en-US')} of ${expected.toLocaleString('en-US')} records.`,
  );
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
