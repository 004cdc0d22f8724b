import { resolveStackSettings, stopStack } from '../../embedded/stack.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ env, signal, output }, options) => {
  const purge = options['purge'] === true;
  const { stopped } = await stopStack(resolveStackSettings(env), {
    purge,
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  output.document({ stopped, purged: purge });
  const what = stopped.length === 0 ? 'Nothing was running' : `Stopped ${stopped.join(', ')}`;
  output.print(`${what}; the data is ${purge ? 'removed' : 'kept'}.`);
  return 0;
};
