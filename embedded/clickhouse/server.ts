import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { PipelineError, codeOf, messageOf } from '../../core/errors.ts';
import { sleep } from '../../core/wait.ts';
import type { Resources } from './answer-statement.ts';
import type { Credentials } from './credentials.ts';
import { engineArguments } from './engine-limits.ts';
import { Engine } from './engine.ts';
import { folderOwner } from './folder-lock.ts';
import { handleRequest } from './handle-request.ts';
import { RequestFiles } from './request-files.ts';
import { ResultPipes } from './result-pipes.ts';
import { Slots } from './slots.ts';
import { StickySessions } from './sticky-sessions.ts';
import { maxRunningStatements } from './thread-pool.ts';

export interface EndpointSettings {
  host: string;
  /** 0 takes a free port. */
  port: number;
  dataFolder: string;
  credentials: Credentials;
}

export interface RunningEndpoint {
  port: number;
  /** Lets running requests finish for at most `deadlineMs`, then closes everything. */
  stop(deadlineMs: number): Promise<void>;
}

/** Clients keep connections for some tens of seconds; Node's default of 5 s would close them under a request. */
const keepAliveTimeoutMs = 60_000;

/** How long cancelled queries, and after them the engine, may take to end. */
const cancelDeadlineMs = 3000;

/** Statements may come in the URL; this is ClickHouse's own limit. */
const maxHeaderBytes = 1024 * 1024;

/** Opens the data folder and serves it over ClickHouse's HTTP protocol. */
export async function startEndpoint(settings: EndpointSettings): Promise<RunningEndpoint> {
  const engine = await openEngine(settings.dataFolder);
  try {
    const files = new RequestFiles(settings.dataFolder);
    const resources: Resources = {
      engine,
      files,
      pipes: await ResultPipes.create(files.folder, maxRunningStatements),
      slots: new Slots(maxRunningStatements),
      sticky: new StickySessions(engine),
    };
    const running = new Set<Promise<void>>();
    const server = createServer({
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      requestTimeout: 0,
    });
    server.on('request', (request, response) => {
      const answered = handleRequest(resources, settings.credentials, request, response).catch(
        (error: unknown) => {
          // A defect of ours costs this request, not the process.
          process.stderr.write(`A request could not be answered: ${messageOf(error)}\n`);
          response.destroy();
        },
      );
      running.add(answered);
      void answered.finally(() => running.delete(answered));
    });
    const port = await listen(server, settings);
    return { port, stop: (deadlineMs) => stop(server, resources, running, deadlineMs) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function openEngine(dataFolder: string): Promise<Engine> {
  const folder = path.resolve(dataFolder);
  const owner = folderOwner(folder);
  if (owner !== undefined) {
    throw new PipelineError('DATA_FOLDER_LOCKED', {
      what: `Another process (${owner}) has the ClickHouse data folder ${folder} open`,
      where: folder,
      todo: 'Stop that process (npm run down), or choose another folder.',
    });
  }
  try {
    return await Engine.open(folder, engineArguments);
  } catch (error) {
    // The engine has written its own reason to the standard error; the binding only says that it failed.
    throw new PipelineError('ENGINE_NOT_STARTED', {
      what: `The ClickHouse engine did not start: ${messageOf(error)}`,
      where: folder,
      todo: 'Check that no other process has the folder open, that it can be written to and that its disk has space.',
      cause: error,
    });
  }
}

function listen(server: Server, { host, port }: EndpointSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = codeOf(error) === 'EADDRINUSE';
      reject(
        new PipelineError(isTaken ? 'PORT_TAKEN' : 'CANNOT_LISTEN', {
          what: isTaken ? `Port ${port} is taken by another process` : `Cannot listen: ${messageOf(error)}`,
          where: `${host}:${port}`,
          todo: 'Stop the other process, or set CLICKHOUSE_PORT to a free port.',
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function stop(
  server: Server,
  { engine, sticky }: Resources,
  running: ReadonlySet<Promise<void>>,
  deadlineMs: number,
): Promise<void> {
  server.close();
  server.closeIdleConnections();
  sticky.close();
  await endWithin(deadlineMs, running);
  // For a request, this is its client going away: its query is cancelled.
  server.closeAllConnections();
  await endWithin(cancelDeadlineMs, running);
  sticky.close();
  // An engine that still computes something nobody can cancel is left to the end of the process.
  await endWithin(cancelDeadlineMs, [engine.close()]);
}

async function endWithin(deadlineMs: number, work: Iterable<Promise<void>>): Promise<void> {
  const waiting = new AbortController();
  const deadline = sleep(deadlineMs, waiting.signal).catch(() => undefined);
  await Promise.race([Promise.allSettled(work), deadline]);
  waiting.abort();
}
