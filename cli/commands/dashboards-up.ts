import pc from 'picocolors';
import { startSuperset } from '../../superset/server/start.ts';
import { resolveServerSettings } from '../../superset/server/settings.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ env, output, signal }, options) => {
  const superset = await startSuperset(resolveServerSettings(env), {
    resetPassword: options['resetPassword'] === true,
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  output.document(superset);
  output.print(`Superset is on ${pc.bold(superset.url)} (pid ${String(superset.pid)})`);
  if (superset.admin !== null) {
    const { user, password } = superset.admin;
    output.print(
      [
        `Log in as ${pc.bold(user)} with the password ${pc.bold(password)}`,
        'It is shown this once; "npm run dashboards:up -- --reset-password" makes another one.',
      ].join('\n'),
    );
  }
  return 0;
};
