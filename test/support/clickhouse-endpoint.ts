import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from '../../core/home.ts';
import { waitFor } from '../../core/wait.ts';
import { endpointEnvironment } from '../../embedded/clickhouse/thread-pool.ts';

/** A ClickHouse endpoint in a process of its own. */
export interface TestEndpoint {
  url: string;
  port: number;
  dataFolder: string;
  process: ChildProcess;
  /** What it has printed so far. */
  output: () => string;
  /** Ends it with SIGTERM and waits; returns its exit code. The data folder goes too, unless it was given. */
  stop: () => Promise<number | null>;
  /** Ends it with SIGKILL and waits. The data folder stays. */
  kill: () => Promise<void>;
}

/** Sends one request as curl would; `path` may hold a query string. */
export async function send(
  endpoint: Pick<TestEndpoint, 'url'>,
  path: string,
  body?: RequestInit['body'],
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(new URL(path, endpoint.url), {
    method: 'POST',
    ...(body === undefined ? {} : { body }),
    ...init,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The address of a request whose statement is in the URL. */
export function withQuery(query: string, parameters: Record<string, string> = {}): string {
  return `/?${new URLSearchParams({ query, ...parameters }).toString()}`;
}

/** What a statement answers; throws when it fails. */
export async function ask(
  endpoint: Pick<TestEndpoint, 'url'>,
  statement: string,
  path = '/',
): Promise<string> {
  const { status, text } = await send(endpoint, path, statement);
  if (status !== 200) throw new Error(text);
  return text.trimEnd();
}

export interface TestEndpointOptions {
  /** Default: a temporary folder, removed by `stop`. */
  dataFolder?: string;
  /** Default: any free port. */
  port?: number;
  env?: NodeJS.ProcessEnv;
  stopDeadlineMs?: number;
}

/** Starts an endpoint on a free port and returns when it is ready. */
export async function startClickHouseEndpoint(options: TestEndpointOptions = {}): Promise<TestEndpoint> {
  const temporary =
    options.dataFolder === undefined ? mkdtempSync(path.join(tmpdir(), 'endpoint-')) : undefined;
  const dataFolder = options.dataFolder ?? path.join(temporary ?? '', 'data');
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      'embedded/clickhouse/main.ts',
      '--port',
      String(options.port ?? 0),
      '--data',
      dataFolder,
      '--stop-deadline-ms',
      String(options.stopDeadlineMs ?? 10_000),
    ],
    {
      cwd: projectRoot,
      env: {
        ...endpointEnvironment(process.env),
        CLICKHOUSE_USER: '',
        CLICKHOUSE_PASSWORD: '',
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const exited = once(child, 'close');
  const port = await waitFor(
    () => {
      if (child.exitCode !== null) throw new Error(`The endpoint did not start:\n${output}`);
      return Number(/ready on http:\/\/[\d.]+:(\d+)/.exec(output)?.[1]) || undefined;
    },
    { what: 'the ClickHouse endpoint', timeoutMs: 30_000, pollIntervalMs: 20 },
  );
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    dataFolder,
    process: child,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      // Longer than the endpoint takes in any case.
      const giveUp = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await exited;
      clearTimeout(giveUp);
      if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
      return child.exitCode;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
