/**
 * The process of the ClickHouse endpoint:
 *
 *     node --import tsx embedded/clickhouse/main.ts --port 8123 --data <folder> [--host 127.0.0.1] [--stop-deadline-ms 10000]
 *
 * CLICKHOUSE_USER (default "default") and CLICKHOUSE_PASSWORD (default: none is asked for) name its one user.
 * It prints one line when it is ready, ends on SIGTERM or SIGINT, and exits with 1 when it cannot start.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { PipelineError, messageOf } from '../../core/errors.ts';
import { endpointEnvironment, hasThreads } from './thread-pool.ts';

/** How long running requests may take to finish after SIGTERM, unless --stop-deadline-ms says otherwise. */
const defaultStopDeadlineMs = 10_000;

if (hasThreads(process.env)) await main();
else startWithThreads();

async function main(): Promise<void> {
  try {
    const { host, port, dataFolder, stopDeadlineMs } = readArguments();
    const { startEndpoint } = await import('./server.ts');
    const endpoint = await startEndpoint({
      host,
      port,
      dataFolder,
      credentials: {
        user: process.env['CLICKHOUSE_USER'] || 'default',
        password: process.env['CLICKHOUSE_PASSWORD'] ?? '',
      },
    });
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      // The engine's own threads may outlive it: the exit is explicit.
      void endpoint.stop(stopDeadlineMs).then(() => process.exit(0));
    };
    process.on('SIGTERM', stop).on('SIGINT', stop).once('disconnect', stop);
    process.stdout.write(`ClickHouse is ready on http://${host}:${endpoint.port}\n`);
  } catch (error) {
    report(error);
    process.exit(1);
  }
}

/**
 * Node sizes its thread pool from the environment when it is first used, which loading this file already did:
 * started without the setting, the process runs itself again with it.
 */
function startWithThreads(): void {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: endpointEnvironment(process.env),
    // The channel closes when this process dies, even by SIGKILL, and takes the endpoint with it.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', (exitCode, signal) => process.exit(exitCode ?? (signal === null ? 0 : 1)));
}

function readArguments(): { host: string; port: number; dataFolder: string; stopDeadlineMs: number } {
  const { values } = parseArguments();
  const port = Number(values.port);
  const stopDeadlineMs = Number(values['stop-deadline-ms'] ?? defaultStopDeadlineMs);
  const isPort = values.port !== undefined && Number.isInteger(port) && port >= 0 && port <= 65_535;
  if (!isPort || values.data === undefined || !(stopDeadlineMs >= 0)) throw usage();
  return { host: values.host, port, dataFolder: values.data, stopDeadlineMs };
}

function parseArguments() {
  try {
    return parseArgs({
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string' },
        data: { type: 'string' },
        'stop-deadline-ms': { type: 'string' },
      },
    });
  } catch {
    throw usage();
  }
}

function usage(): PipelineError {
  return new PipelineError('USAGE', {
    what: 'The ClickHouse endpoint needs --port <0-65535> and --data <folder>',
    todo: 'node --import tsx embedded/clickhouse/main.ts --port 8123 --data <folder>',
  });
}

function report(error: unknown): void {
  const lines =
    error instanceof PipelineError
      ? [error.message, error.todo ?? error.where]
      : [`The ClickHouse endpoint did not start: ${messageOf(error)}`];
  process.stderr.write(`${lines.filter(Boolean).join('\n')}\n`);
}
