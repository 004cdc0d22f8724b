import { PipelineError, messageOf } from '../../core/errors.ts';
import { chooseTopics } from '../../producers/runs/live/choose-topics.ts';
import {
  produceOnSchedule,
  produceOnTrigger,
  type BatchOptions,
  type BatchesResult,
} from '../../producers/runs/orchestrate/orchestrate.ts';
import { produceLive } from '../../producers/runs/live/produce.ts';
import { ProduceFailedError, ProduceInterruptedError, type ProduceResult } from '../../producers/runs/run.ts';
import { checkToken } from '../../producers/runs/orchestrate/trigger-server.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { CommandContext, ExitCode, Run } from '../command.ts';
import { renderTable, type Output } from '../output.ts';
import { createProgress } from '../progress.ts';
import { refreshBeside } from '../refresh-models.ts';
import { parseProduceFlags, type ProduceFlags } from './produce-flags.ts';

export const run: Run = async (context, options) => {
  const flags = parseProduceFlags(options);
  const { output, signal, home } = context;
  const catalog = loadCatalog();
  const { added } = chooseTopics(catalog, flags.only);
  if (added.length > 0) output.note(`Produced as well, as the others refer to it: ${added.join(', ')}`);
  const common: BatchOptions = {
    target: context.target(),
    catalog,
    seed: flags.seed,
    signal,
    home,
    onNote: (text) => {
      output.note(text);
    },
    onRefused: ({ topic, eventId, bytes, maxBytes, file }) => {
      const sizes = `${bytes.toLocaleString('en-US')} bytes, the topic takes ${maxBytes.toLocaleString('en-US')}`;
      output.note(`Not sent: ${eventId} of ${topic} (${sizes}). Kept as ${file}`);
    },
    ...(flags.only === undefined ? {} : { only: flags.only }),
    ...(flags.faults === undefined ? {} : { faults: flags.faults }),
  };
  return refreshBeside(context, flags.refresh, () => {
    if (flags.listen !== undefined) return listen(context, flags, flags.listen, common);
    if (flags.schedule !== undefined) return followSchedule(context, flags, flags.schedule, common);
    return produceOnce(context, flags, common);
  });
};

async function produceOnce(
  { output }: CommandContext,
  { rate, durationMs }: ProduceFlags,
  common: BatchOptions,
): Promise<ExitCode> {
  const progress = createProgress(output, 'records');
  try {
    const result = await produceLive({
      ...common,
      rate,
      durationMs,
      onProgress: ({ acknowledged, expected, elapsedMs }) => {
        progress.show({ done: acknowledged, expected, elapsedMs });
      },
    });
    progress.stop();
    printResult(output, result);
    warnOfLowRate(output, result.total, Math.round((rate * durationMs) / 1000));
    // What was injected to be refused is no failure; a record of the stream that did not reach the broker is.
    return result.refused.length > (result.faults?.oversized ?? 0) ? 2 : 0;
  } catch (error) {
    progress.stop();
    if (error instanceof ProduceFailedError || error instanceof ProduceInterruptedError) {
      printResult(output, error.result);
    }
    throw error;
  }
}

async function followSchedule(
  { output }: CommandContext,
  { rate, durationMs }: ProduceFlags,
  schedule: string,
  common: BatchOptions,
): Promise<ExitCode> {
  const result = await produceOnSchedule({
    ...common,
    schedule,
    rate,
    durationMs,
    onNext: (at) => {
      output.note(`Next batch at ${at.toISOString()}; Ctrl-C ends the schedule`);
    },
    onSkipped: (count) => {
      output.note(`${count} ${count === 1 ? 'firing was' : 'firings were'} skipped while the batch ran`);
    },
    onBatchEnd: (outcome) => {
      if (outcome instanceof PipelineError) output.note(`Batch failed: ${messageOf(outcome)}`);
      else
        output.note(`Batch done: ${describe(outcome.total)} in ${(outcome.elapsedMs / 1000).toFixed(1)} s`);
    },
  });
  return printBatches(output, result);
}

async function listen(
  { output, env }: CommandContext,
  { rate }: ProduceFlags,
  port: number,
  common: BatchOptions,
): Promise<ExitCode> {
  const result = await produceOnTrigger({
    ...common,
    port,
    token: checkToken(env['PRODUCE_TOKEN']),
    rate,
    onListening: (url) => {
      output.note(`Listening on ${url}; Ctrl-C ends it`);
    },
    onBatchEnd: ({ id, state, total, failure }) => {
      const reason = failure === null ? '' : `: ${failure.message}`;
      output.note(`Batch ${id} ${state} with ${describe(total)}${reason}`);
    },
  });
  return printBatches(output, result);
}

/** @throws PipelineError `BATCHES_FAILED`, so that whoever started the command hears of it at its end */
function printBatches(output: Output, { batches, failed, byTopic, total }: BatchesResult): 0 {
  output.document({ batches, failed, acknowledged: byTopic, total });
  if (total > 0) output.print(renderCounts(byTopic, total));
  output.note(`${batches} batches, ${failed} of them failed`);
  if (failed === 0) return 0;
  throw new PipelineError('BATCHES_FAILED', {
    what: `${failed} of ${batches} batches failed`,
    todo: 'The reason of each was printed when it happened.',
  });
}

function printResult(output: Output, result: ProduceResult): void {
  const { byTopic, total, firstAt, lastAt, elapsedMs, faults, refused } = result;
  const ratePerSecond = elapsedMs > 0 ? Math.round((total * 1000) / elapsedMs) : 0;
  output.document({
    acknowledged: byTopic,
    total,
    ratePerSecond,
    elapsedMs,
    firstOccurredAt: isoOf(firstAt),
    lastOccurredAt: isoOf(lastAt),
    faults,
    refused,
  });
  output.print(renderCounts(byTopic, total));
  if (faults !== null) {
    output.print(
      renderTable([{ title: 'fault' }, { title: 'injected', align: 'right' }], Object.entries(faults)),
    );
  }
  output.note(`${(elapsedMs / 1000).toFixed(1)} s, ${ratePerSecond.toLocaleString('en-US')} records/s`);
}

function renderCounts(byTopic: ProduceResult['byTopic'], total: number): string {
  return renderTable(
    [{ title: 'topic' }, { title: 'acknowledged', align: 'right' }],
    [...Object.entries(byTopic).sort(), ['total', total]],
  );
}

function warnOfLowRate(output: Output, total: number, expected: number): void {
  if (total >= expected * 0.95) return;
  output.note(
    `The rate was not held: ${total.toLocaleString('en-US')} of ${expected.toLocaleString('en-US')} records.`,
  );
}

function describe(records: number): string {
  return `${records.toLocaleString('en-US')} records`;
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
