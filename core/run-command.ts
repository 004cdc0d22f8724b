import { spawn } from 'node:child_process';
import { InterruptedError, PipelineError, codeOf } from './errors.ts';

export interface RunCommandOptions {
  /** What the command is for, as in "<purpose> failed". */
  purpose: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs: number;
  signal?: AbortSignal;
  /** What the command reads from its standard input; nothing by default. */
  input?: string;
  /** Called with each line the command prints, on either stream, as it comes. */
  onLine?: (line: string) => void;
  /** Shown when the command fails or is missing. */
  todo?: string;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end. A missing program, a non-zero exit, a timeout and an abort each throw a
 * {@link PipelineError}; the error of a failed command carries the last lines it printed.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  { purpose, cwd, env, timeoutMs, signal, input, onLine, todo }: RunCommandOptions,
): Promise<CommandResult> {
  if (signal?.aborted) throw new InterruptedError();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: env ?? process.env, stdio: 'pipe' });
    // A command that ends before it has read everything says why by itself.
    child.stdin.on('error', () => undefined).end(input);
    const output = { stdout: '', stderr: '' };
    let stopped: PipelineError | undefined;
    const stop = (error: PipelineError) => {
      stopped ??= error;
      child.kill('SIGTERM');
    };
    const timer = setTimeout(() => {
      stop(
        new PipelineError('COMMAND_TIMED_OUT', {
          what: `${purpose} did not finish within ${Math.round(timeoutMs / 1000)} s`,
          where: [file, ...args].join(' '),
        }),
      );
    }, timeoutMs);
    const onAbort = () => {
      stop(new InterruptedError());
    };
    signal?.addEventListener('abort', onAbort, { once: true });

    for (const name of ['stdout', 'stderr'] as const) {
      let rest = '';
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        output[name] += chunk;
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onLine?.(line);
      });
    }
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    child.once('error', (error) => {
      finish(() => {
        reject(
          new PipelineError(codeOf(error) === 'ENOENT' ? 'COMMAND_NOT_FOUND' : 'COMMAND_FAILED', {
            what:
              codeOf(error) === 'ENOENT'
                ? `${purpose} needs "${file}", which is not installed`
                : `${purpose} failed: ${error.message}`,
            todo: todo ?? 'Run "npm run doctor": it names what is missing and how to get it.',
            cause: error,
          }),
        );
      });
    });
    child.once('close', (exitCode, killedBy) => {
      finish(() => {
        if (stopped !== undefined) reject(stopped);
        else if (exitCode === 0) resolve(output);
        else {
          const said = (output.stderr.trim() || output.stdout.trim()).split('\n').slice(-5).join('\n');
          reject(
            new PipelineError('COMMAND_FAILED', {
              what: `${purpose} failed (${killedBy ?? `exit ${String(exitCode)}`})`,
              where: [file, ...args].join(' '),
              todo: [said, todo].filter(Boolean).join('\n'),
            }),
          );
        }
      });
    });
  });
}
