import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server in the test's own process that answers as it is told and counts what it is asked. */
export interface ReleaseServer {
  url: string;
  requests: string[];
  answer(listener: RequestListener): void;
  close(): Promise<void>;
}

export async function startReleaseServer(): Promise<ReleaseServer> {
  let listener: RequestListener = (_, response) => response.writeHead(500).end();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sink.zip`,
    requests,
    answer(next) {
      listener = next;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with all of `body`, and says its length. */
export function sends(body: Buffer): RequestListener {
  return (_, response) => response.writeHead(200, { 'content-length': body.length }).end(body);
}

/** Answers with all of `body` without saying its length. */
export function sendsInPieces(body: Buffer): RequestListener {
  return (_, response) => {
    response.write(body.subarray(0, body.length / 2));
    response.end(body.subarray(body.length / 2));
  };
}

/** Closes the connection in the middle of `body`. */
export function breaksOff(body: Buffer): RequestListener {
  return (_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  };
}

/** Sends `body` as if it were half of it, and then nothing. */
export function stallsAfter(body: Buffer): RequestListener {
  return (_, response) => {
    response.writeHead(200, { 'content-length': body.length * 2 });
    response.write(body);
  };
}
