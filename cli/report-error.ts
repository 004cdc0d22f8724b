import pc from 'picocolors';
import { InterruptedError, InvalidInputError, PipelineError } from '../core/errors.ts';

/** The shell's convention for a process stopped by SIGINT; the only exit code besides 0, 1 and 2. */
const interruptedExitCode = 130;

/** Prints `error` for a person and returns the process's exit code. The only place that turns errors into codes. */
export function reportError(error: unknown, verbose: boolean): number {
  process.stderr.write(`${describeError(error)}\n`);
  if (verbose && error instanceof Error) process.stderr.write(`${pc.dim(stackOf(error))}\n`);
  return error instanceof InterruptedError ? interruptedExitCode : 1;
}

/** What failed, where, what to do: two or three lines, plus one for each problem of an invalid input. */
export function describeError(error: unknown): string {
  if (error instanceof InvalidInputError) {
    return [
      `${pc.red('error')} ${error.message}`,
      `  at ${error.where ?? ''}`,
      ...error.problems.map(({ path, message }) => `  - ${path}: ${message}`),
      `  ${error.todo ?? 'Correct the lines above and run the command again.'}`,
    ].join('\n');
  }
  if (error instanceof InterruptedError) return `${pc.yellow('stopped')} ${error.message}`;
  if (error instanceof PipelineError) {
    const details = [error.where && `at ${error.where}`, error.todo].filter(
      (line) => line !== undefined && line !== '',
    );
    return [
      `${pc.red('error')} ${error.message}`,
      ...details.map((line) => `  ${String(line).replaceAll('\n', '\n  ')}`),
    ].join('\n');
  }
  const message = error instanceof Error ? error.message : String(error);
  return [
    `${pc.red('error')} Unexpected: ${message}`,
    '  This is a defect of the pipeline, not of your input: run again with --verbose and report what it prints.',
  ].join('\n');
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
