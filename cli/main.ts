import { setMaxListeners } from 'node:events';
import { cac } from 'cac';
import { InterruptedError, PipelineError, isAbort } from '../core/errors.ts';
import { resolveHome } from '../core/home.ts';
import { defaultTargetName, loadTarget } from '../targets/load-target.ts';
import type { CommandContext, Options } from './command.ts';
import { declarations, type Declaration } from './declarations.ts';
import { createOutput } from './output.ts';
import { splitPassThrough } from './pass-through.ts';
import { reportError } from './report-error.ts';

/** How long what a command left open may delay the end of the process. */
const exitGraceMs = 2000;

const { own, passed } = splitPassThrough(process.argv);
const cli = cac('npm run');
for (const { usage, summary, options = [], load } of declarations) {
  const command = cli.command(usage, summary);
  for (const [flags, description] of options) command.option(flags, description);
  command
    .option('--target <name>', 'Where to run: a file of targets/ (default: PIPELINE_TARGET, or embedded)')
    .option('--json', 'Print one JSON document on stdout; everything else goes to stderr')
    .option('--verbose', 'Print the stack trace of an error')
    .action(async (...parameters: unknown[]) => {
      // cac passes undefined for an optional argument that was not given, and the options last.
      const args = parameters
        .slice(0, -1)
        .flat()
        .filter((argument) => argument !== undefined);
      process.exitCode = await execute(load, parameters.at(-1) as Options, [...args.map(String), ...passed]);
    });
}
cli.help();

try {
  cli.parse(own, { run: false });
  if (cli.matchedCommand === undefined && cli.options['help'] !== true) {
    throw new PipelineError('UNKNOWN_COMMAND', {
      what: cli.args.length > 0 ? `There is no command "${String(cli.args[0])}"` : 'No command was named',
      todo: 'Run "npm run" for the list.',
    });
  }
  await cli.runMatchedCommand();
} catch (error) {
  // cac reports unknown flags and missing arguments with an error of its own.
  const known = error instanceof Error && error.name === 'CACError';
  process.exitCode = reportError(
    known
      ? new PipelineError('USAGE', { what: error.message, todo: 'Add --help for what this command takes.' })
      : error,
    process.argv.includes('--verbose'),
  );
}

function targetName(options: Options): string {
  const named = options['target'];
  return (typeof named === 'string' && named) || process.env['PIPELINE_TARGET'] || defaultTargetName;
}

// A library's forgotten timer or socket must not keep a finished command alive.
setTimeout(() => {
  process.exit();
}, exitGraceMs).unref();

async function execute(
  load: Declaration['load'],
  options: Options,
  args: readonly string[],
): Promise<number> {
  const interruption = new AbortController();
  // Every request that is under way listens to it, and Node takes more than ten for a leak.
  setMaxListeners(0, interruption.signal);
  const onSignal = (name: NodeJS.Signals) => {
    // The second signal is for somebody who does not want to wait for a clean end.
    if (interruption.signal.aborted) process.exit(128 + (name === 'SIGINT' ? 2 : 15));
    interruption.abort(new InterruptedError());
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const context: CommandContext = {
      env: process.env,
      home: resolveHome(process.env),
      signal: interruption.signal,
      output: createOutput(options['json'] === true),
      target: () => loadTarget(targetName(options)),
    };
    const { run } = await load();
    return await run(context, options, args);
  } catch (error) {
    const cause = isAbort(error) && !(error instanceof InterruptedError) ? new InterruptedError() : error;
    return reportError(cause, options['verbose'] === true);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
