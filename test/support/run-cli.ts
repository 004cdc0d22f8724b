import { spawn } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../../core/home.ts';

export interface CliRun {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs one command of the command line in a process of its own, as `npm run <name> -- <flags>` does. */
export function runCli(env: NodeJS.ProcessEnv, name: string, ...flags: string[]): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const main = path.join(projectRoot, 'cli/main.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', main, name, ...flags], {
      cwd: projectRoot,
      // In CI colours are on even without a terminal, and would count as characters.
      env: { ...env, NO_COLOR: '1' },
    });
    const run: CliRun = { exitCode: null, stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => (run[stream] += chunk));
    }
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve({ ...run, exitCode });
    });
  });
}
