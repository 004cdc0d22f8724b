import { createInterface } from 'node:readline/promises';
import { InterruptedError, PipelineError } from '../core/errors.ts';
import type { CommandContext, Options } from './command.ts';

/**
 * Asks before something that cannot be taken back; `--yes` answers in advance.
 *
 * @throws PipelineError `NOT_CONFIRMED` where the answer is no, or where there is no terminal to ask on
 */
export async function confirm(
  question: string,
  { signal }: Pick<CommandContext, 'signal'>,
  options: Options,
): Promise<void> {
  if (options['yes'] === true) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new PipelineError('NOT_CONFIRMED', {
      what: `${question} There is no terminal to ask on, so nothing was done`,
      todo: 'Add --yes if that is meant.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C at the question goes to readline, not to the process.
  const interrupted = new Promise<never>((_, reject) => {
    terminal.once('SIGINT', () => {
      reject(new InterruptedError());
    });
  });
  try {
    const answer = await Promise.race([terminal.question(`${question} [y/N] `, { signal }), interrupted]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new PipelineError('NOT_CONFIRMED', { what: 'Nothing was done' });
}
