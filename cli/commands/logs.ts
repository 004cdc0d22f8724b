import path from 'node:path';
import { z } from 'zod';
import { isAbort, PipelineError } from '../../core/errors.ts';
import { check } from '../../core/parse.ts';
import { followLog, tailLog } from '../../embedded/follow-log.ts';
import { serviceNames } from '../../embedded/services/service.ts';
import { serviceName as superset } from '../../superset/server/start.ts';
import type { Run } from '../command.ts';

const logged = [...serviceNames, superset];

const defaultLines = 100;

export const run: Run = async ({ home, signal, output }, options, [service = '']) => {
  if (!logged.some((name) => name === service)) {
    throw new PipelineError('UNKNOWN_SERVICE', {
      what: `There is no service "${service}"`,
      todo: `Use one of: ${logged.join(', ')}.`,
    });
  }
  const file = path.join(home.logs, `${service}.log`);
  const { text, end } = await tailLog(file, lineCount(options['lines']));
  output.document({ service, file, lines: text.split('\n') });
  output.print(text);
  if (options['follow'] !== true) return 0;
  try {
    await followLog(file, end, output.json ? process.stderr : process.stdout, signal);
  } catch (error) {
    // Ctrl-C is how following ends.
    if (!isAbort(error)) throw error;
  }
  return 0;
};

function lineCount(given: unknown): number {
  const parsed = check(z.coerce.number().int().min(0).default(defaultLines), given);
  if (parsed.value !== undefined) return parsed.value;
  throw new PipelineError('USAGE', {
    what: `--lines takes a number of lines, not "${String(given)}"`,
    todo: 'For instance: npm run logs -- kafka --lines 50',
  });
}
