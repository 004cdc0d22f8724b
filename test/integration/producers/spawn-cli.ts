import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../../core/home.ts';
import { waitFor } from '../../../core/wait.ts';

/** A command that is still running. */
export interface RunningCli {
  kill: (signal: NodeJS.Signals) => void;
  /** What it has written to the standard error so far. */
  stderr: () => string;
  stdout: () => string;
  /** Waits until the standard error holds `text`. */
  says: (text: string) => Promise<void>;
  ended: Promise<{ exitCode: number | null; stdout: string; stderr: string }>;
}

/** Starts one command of the command line, for a test that stops it. */
export function spawnCli(env: NodeJS.ProcessEnv, name: string, ...flags: string[]): RunningCli {
  const main = path.join(projectRoot, 'cli/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, name, ...flags], {
    cwd: projectRoot,
    env: { ...env, NO_COLOR: '1' },
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => (output[stream] += chunk));
  }
  const ended = new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (exitCode) => {
      resolve({ ...output, exitCode });
    });
  });
  return {
    kill: (signal) => child.kill(signal),
    stderr: () => output.stderr,
    stdout: () => output.stdout,
    says: async (text) => {
      await waitFor(() => output.stderr.includes(text) || child.exitCode !== null, {
        what: `"${text}"`,
        timeoutMs: 30_000,
      });
      if (!output.stderr.includes(text)) throw new Error(`it ended without "${text}":\n${output.stderr}`);
    },
    ended,
  };
}
