import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PipelineError, codeOf, messageOf } from '../../core/errors.ts';
import type { WatchMetrics } from './metrics.ts';
import { contentSecurityPolicy, readPageFiles } from './page-files.ts';
import { isLoopback, type ServerSettings } from './settings.ts';
import type { Snapshot } from './snapshot.ts';

export interface WatchServer {
  /** Where it answers. */
  url: string;
  close(): Promise<void>;
}

export interface WatchServerOptions {
  settings: ServerSettings;
  metrics: Pick<WatchMetrics, 'expose' | 'contentType'>;
  snapshot: () => Snapshot | undefined;
  /** Without a finished look for so long, `/healthz` says so. */
  staleAfterMs: number;
}

interface Page {
  status: number;
  type: string;
  body: string;
}

type Route = (query: URLSearchParams) => Page | Promise<Page>;

/**
 * Serves what the watcher knows: a page for people, `/metrics` for Prometheus, `/healthz` for whoever restarts it,
 * `/snapshot.json` for scripts and for the page.
 *
 * @throws PipelineError `WATCH_PORT_TAKEN`
 */
export async function startWatchServer(options: WatchServerOptions): Promise<WatchServer> {
  const { settings, metrics, snapshot } = options;
  const routes: Readonly<Record<string, Route>> = {
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.expose() }),
    '/healthz': () => healthOf(snapshot(), options.staleAfterMs),
    '/snapshot.json': (query) => {
      const current = snapshot();
      if (current === undefined) return json(503, { error: 'no look has been finished yet' });
      return json(200, newerThan(current, Number(query.get('since') ?? 0)));
    },
  };
  const files = readPageFiles();
  const server = createServer((request, response) => {
    respond(request, settings, { routes, files })
      .catch((error: unknown): Page => json(500, { error: messageOf(error) }))
      .then((page) => {
        write(response, page, request.method === 'HEAD');
      })
      .catch(() => response.destroy());
  });
  // A client that sends half a request and waits must not hold a connection for ever.
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(portError(error, settings));
    });
    server.listen(settings.port, settings.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return {
    url: `http://${host}:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  settings: ServerSettings,
  { routes, files }: { routes: Readonly<Record<string, Route>>; files: ReturnType<typeof readPageFiles> },
): Promise<Page> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return json(405, { error: 'only GET is answered' });
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://watch');
  const file = files.get(pathname);
  // Who keeps the watcher alive asks without a token; what it learns is a yes or a no. A browser has none for the
  // files of the page, which say nothing of what is watched: the page asks for it and sends it with its requests.
  const isOpen = pathname === '/healthz' || (file !== undefined && settings.token !== null);
  if (!isOpen && !isAllowed(request, settings)) {
    return json(401, { error: 'send the token of WATCH_TOKEN as "Authorization: Bearer ..."' });
  }
  if (file !== undefined) return { status: 200, ...file };
  const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
  return route?.(searchParams) ?? json(404, { error: `there are /, ${Object.keys(routes).join(', ')}` });
}

/**
 * With a token, whoever knows it. Without one, whoever asks this machine by a name of its own: a page from
 * elsewhere whose name was pointed at 127.0.0.1 is a stranger, although the connection is local.
 */
function isAllowed({ headers }: IncomingMessage, { token }: ServerSettings): boolean {
  if (token === null) {
    const host = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(headers.host ?? '');
    return isLoopback(host?.[1] ?? host?.[2] ?? '');
  }
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function healthOf(snapshot: Snapshot | undefined, staleAfterMs: number): Page {
  if (snapshot === undefined) return json(503, { status: 'starting' });
  const ageMs = Date.now() - Date.parse(snapshot.at);
  const isFresh = ageMs < staleAfterMs;
  return json(isFresh ? 200 : 503, { status: isFresh ? 'watching' : 'stuck', lastLookMs: ageMs });
}

/**
 * A snapshot without the history and the actions that the reader has already: two looks differ in little. A reader
 * from before the clock was set back gets all of it.
 */
function newerThan(snapshot: Snapshot, sinceMs: number): Snapshot {
  if (!(sinceMs > 0) || sinceMs > Date.parse(snapshot.at)) return snapshot;
  return {
    ...snapshot,
    history: snapshot.history.filter(({ atMs }) => atMs > sinceMs),
    journal: snapshot.journal.filter(({ at }) => Date.parse(at) > sinceMs),
  };
}

function json(status: number, value: unknown): Page {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

function write(response: ServerResponse, { status, type, body }: Page, headersOnly: boolean): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  });
  response.end(headersOnly ? undefined : body);
}

function portError(error: unknown, { host, port }: ServerSettings): PipelineError {
  const isTaken = codeOf(error) === 'EADDRINUSE';
  return new PipelineError(isTaken ? 'WATCH_PORT_TAKEN' : 'WATCH_NOT_LISTENING', {
    what: isTaken
      ? 'Somebody else listens where the watcher wants to'
      : `The watcher cannot listen: ${messageOf(error)}`,
    where: `${host}:${String(port)}`,
    todo: isTaken
      ? 'Is another watcher running? Otherwise choose a port with WATCH_PORT.'
      : 'Correct WATCH_HOST.',
    cause: error,
  });
}
