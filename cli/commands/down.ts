import { resolveStackSettings, stopStack } from '../../embedded/stack.ts';
import { forgetRuns } from '../../producers/runs/claims.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ env, signal, output }, options) => {
  const purge = options['purge'] === true;
  const settings = resolveStackSettings(env);
  const { stopped } = await stopStack(settings, {
    purge,
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  if (purge) forgetRuns(settings.home, 'embedded');
  output.document({ stopped, purged: purge });
  const what = stopped.length === 0 ? 'Nothing was running' : `Stopped ${stopped.join(', ')}`;
  output.print(`${what}; the data is ${purge ? 'removed' : 'kept'}.`);
  return 0;
};
