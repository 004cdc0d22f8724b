import type { Home } from '../core/home.ts';
import type { Target } from '../targets/load-target.ts';
import type { Output } from './output.ts';

/** 0 clean, 1 failure, 2 changes pending or unhealthy. Failures are thrown, so a command returns 0 or 2. */
export type ExitCode = 0 | 2;

/** What every command gets. Values are read when asked for, so a command that needs no target works without one. */
export interface CommandContext {
  env: NodeJS.ProcessEnv;
  home: Home;
  /** Aborts on SIGINT and SIGTERM. */
  signal: AbortSignal;
  output: Output;
  /** The target named by `--target`, `PIPELINE_TARGET` or the default. */
  target: () => Target;
}

/** Values of a command's flags, as cac parses them: `--base-ref x` is `options['baseRef']`. */
export type Options = Readonly<Record<string, unknown>>;

/** What each file of `cli/commands/` exports as `run`. */
export type Run = (context: CommandContext, options: Options, args: readonly string[]) => Promise<ExitCode>;
