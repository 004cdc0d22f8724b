import { passToDbt } from '../../dbt/run-dbt.ts';
import type { Run } from '../command.ts';

export const run: Run = async (context, _options, args) => {
  const { env, home, signal, output } = context;
  await passToDbt(args.length === 0 ? ['--help'] : args, {
    target: context.target(),
    home,
    env,
    signal,
    onProgress: (text) => {
      output.note(text);
    },
  });
  return 0;
};
