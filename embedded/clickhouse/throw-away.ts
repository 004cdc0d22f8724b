import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PipelineError } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { waitFor } from '../../core/wait.ts';
import { endpointEnvironment } from './thread-pool.ts';

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/**
 * Runs `use` with the address of an empty ClickHouse, on a free port and in a temporary folder, and removes it
 * afterwards. Its user is `default`, without a password.
 *
 * @throws PipelineError `CLICKHOUSE_NOT_STARTED` with what it printed, and what `use` throws
 */
export async function withThrowAwayClickHouse<T>(
  use: (url: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'clickhouse-'));
  const main = path.join(projectRoot, 'embedded', 'clickhouse', 'main.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', main, '--port', '0', '--data', path.join(folder, 'data'), '--stop-deadline-ms', '0'],
    {
      cwd: projectRoot,
      env: {
        ...endpointEnvironment(process.env),
        CLICKHOUSE_USER: '',
        CLICKHOUSE_PASSWORD: '',
        TMPDIR: folder,
      },
      // It ends when the channel closes: with this process, however that ends.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const closed = once(child, 'close');
  try {
    const url = await waitFor(
      () => {
        if (child.exitCode !== null) throw notStarted(output);
        return /ready on (http:\S+)/.exec(output)?.[1];
      },
      { what: 'ClickHouse', timeoutMs: startTimeoutMs, ...(signal === undefined ? {} : { signal }) },
    );
    return await use(url);
  } finally {
    child.kill('SIGTERM');
    const giveUp = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await closed;
    clearTimeout(giveUp);
    await rm(folder, { recursive: true, force: true });
  }
}

function notStarted(output: string): PipelineError {
  return new PipelineError('CLICKHOUSE_NOT_STARTED', {
    what: 'The embedded ClickHouse did not start',
    todo: output.trim().split('\n').slice(-3).join('\n'),
  });
}
