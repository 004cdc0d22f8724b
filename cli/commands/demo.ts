import pc from 'picocolors';
import { PipelineError } from '../../core/errors.ts';
import { nameSink, runDemo, type DemoReport, type DemoStep } from '../../demo/run-demo.ts';
import { resolveStackSettings, stopStack } from '../../embedded/stack.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Target } from '../../targets/load-target.ts';
import { resolveServerSettings } from '../../superset/server/settings.ts';
import { stopSuperset } from '../../superset/server/start.ts';
import type { CommandContext, Run } from '../command.ts';
import type { Output } from '../output.ts';
import { renderAnswer } from '../render-answers.ts';
import { renderReconciliation } from '../render-reconciliation.ts';

/** Enough for every answer to be interesting, and for batches to be full. */
const history = { customers: 500, years: 5 } as const;
const live = { rate: 1000, durationMs: 15_000 } as const;
const seed = 1;

export const run: Run = async (context, options) => {
  const { env, output, signal } = context;
  const target = embeddedTarget(context);
  const settings = resolveStackSettings(env);
  const startedAt = performance.now();
  const report = await runDemo({
    settings,
    target,
    catalog: loadCatalog(),
    history,
    live,
    seed,
    withDashboards: options['dashboards'] === true,
    signal,
    onStep: stepPrinter(output),
  });
  const seconds = (performance.now() - startedAt) / 1000;
  printReport(output, report, target, seconds);
  if (options['down'] === true) {
    if (report.dashboards !== null) await stopSuperset(resolveServerSettings(env));
    await stopStack(settings);
    output.print('\nThe stack is down; its data is kept. "npm run up" starts it again.');
  }
  return 0;
};

function embeddedTarget(context: CommandContext): Target {
  const target = context.target();
  if (target.name === 'embedded') return target;
  throw new PipelineError('DEMO_IS_EMBEDDED', {
    what: `The demo runs on the embedded stack, not on the target "${target.name}"`,
    todo: 'Run it without --target and PIPELINE_TARGET.',
  });
}

/** Without a terminal, a line this often says that a long step goes on. */
const lineIntervalMs = 5000;

/** On a terminal a step's line is rewritten while it goes on; elsewhere each finished step is one line. */
function stepPrinter(output: Output): (step: DemoStep) => void {
  const isTerminal = process.stderr.isTTY;
  let lastLineAt = performance.now();
  return ({ name, seconds, detail }) => {
    const title = pc.bold(name.padEnd(12));
    if (seconds !== undefined) {
      if (isTerminal) process.stderr.write('\r\x1b[2K');
      output.note(`${pc.green('✓')} ${title} ${seconds.toFixed(1).padStart(5)} s  ${detail}`);
      lastLineAt = performance.now();
    } else if (isTerminal) {
      const width = Math.max(20, process.stderr.columns - 24);
      process.stderr.write(`\r\x1b[2K… ${title}          ${pc.dim(detail.slice(0, width))}`);
    } else if (detail !== '' && performance.now() - lastLineAt >= lineIntervalMs) {
      output.note(`… ${title}          ${detail}`);
      lastLineAt = performance.now();
    }
  };
}

function printReport(output: Output, report: DemoReport, target: Target, seconds: number): void {
  const { sink, history, live: streamed, partitions, answers, dashboards } = report;
  output.print(
    [
      '',
      pc.bold('Proof: produced = landed = reconciled'),
      renderReconciliation(partitions),
      '',
      ...answers.flatMap((answer) => [renderAnswer(answer), '']),
      pc.bold('Addresses'),
      `  Kafka            ${target.kafka.brokers.join(', ')}`,
      `  Schema Registry  ${target.schemaRegistry.url}`,
      `  Kafka Connect    ${target.connect.url}`,
      `  ClickHouse       ${target.clickhouse.url}`,
      `  Sink             the ${nameSink(sink)}`,
      ...(dashboards?.dashboards.map(({ title, url }) => `  ${title.padEnd(24)} ${url}`) ?? []),
      ...(dashboards?.admin == null
        ? []
        : [
            `  Log in as ${dashboards.admin.user} with ${pc.bold(dashboards.admin.password)}, which is shown this once`,
          ]),
      '',
      `Done in ${seconds.toFixed(0)} s. Next: npm run connectors:status, npm run answers -- 21, npm run down`,
    ].join('\n'),
  );
  output.document({ seconds, sink, history, live: streamed, partitions, answers, dashboards });
}
