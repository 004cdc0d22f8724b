import { z } from 'zod';
import { InterruptedError } from '../../core/errors.ts';
import { parseWith } from '../../core/parse.ts';
import { passToDbt } from '../../dbt/run-dbt.ts';
import type { Run } from '../command.ts';

const defaultPort = 8091;

export const run: Run = async (context, options) => {
  const { env, home, signal, output } = context;
  const error = 'expected a port number';
  const { port } = parseWith(
    z.object({
      port: z.coerce.number({ error }).int(error).min(1, error).max(65_535, error).default(defaultPort),
    }),
    { port: options['port'] },
    'The options of dbt:docs are not valid',
    'the command line',
  );
  const dbt = {
    target: context.target(),
    home,
    env,
    signal,
    onProgress: (text: string) => {
      output.note(text);
    },
  };
  await passToDbt(['docs', 'generate', '--static'], dbt);
  output.note(`The documentation is on http://127.0.0.1:${port}; Ctrl-C ends it`);
  try {
    await passToDbt(['docs', 'serve', '--host', '127.0.0.1', '--port', String(port), '--no-browser'], dbt);
  } catch (cause) {
    // Ctrl-C is how serving ends.
    if (!(cause instanceof InterruptedError)) throw cause;
  }
  return 0;
};
