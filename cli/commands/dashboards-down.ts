import { resolveServerSettings } from '../../superset/server/settings.ts';
import { stopSuperset } from '../../superset/server/start.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ env, output }, options) => {
  const purge = options['purge'] === true;
  const outcome = await stopSuperset(resolveServerSettings(env), { purge });
  output.document({ outcome, purged: purge });
  const kept = purge ? 'What it kept is removed.' : 'What it keeps stays.';
  output.print(outcome === 'not running' ? `Superset does not run. ${kept}` : `Superset is down. ${kept}`);
  return 0;
};
