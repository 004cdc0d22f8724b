import { stackStatus } from '../../embedded/stack-status.ts';
import { resolveStackSettings } from '../../embedded/stack.ts';
import type { Run } from '../command.ts';
import { renderStatus } from '../stack-text.ts';

export const run: Run = async ({ env, output }) => {
  const status = await stackStatus(resolveStackSettings(env));
  output.document(status);
  output.print(renderStatus(status));
  return status.services.every(({ ready }) => ready) ? 0 : 2;
};
