import { resolveStackSettings, startStack } from '../../embedded/stack.ts';
import { describeSink } from '../stack-text.ts';
import type { Run } from '../command.ts';
import { renderTable } from '../output.ts';

export const run: Run = async ({ env, signal, output }) => {
  const stack = await startStack(resolveStackSettings(env), {
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  output.document(stack);
  output.print(
    renderTable(
      [{ title: 'Service' }, { title: 'Address' }, { title: 'Pid', align: 'right' }],
      stack.services.map(({ name, port, pid }) => [name, `127.0.0.1:${port}`, String(pid)]),
    ),
  );
  if (stack.sink !== undefined) output.print(describeSink(stack.sink));
  return 0;
};
