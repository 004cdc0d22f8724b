import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  body: string;
  authorization: string | undefined;
}

export interface ScriptedServer {
  url: string;
  /** Every request so far. */
  received: Received[];
  close: () => void;
}

/** Answers the n-th request; `json` and `html` write the usual forms. */
export type Script = (request: Received, response: ServerResponse, attempt: number) => void;

/** A server for the answers a healthy worker gives too rarely to wait for. */
export async function scriptedServer(script: Script): Promise<ScriptedServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      const one = { method, path, body, authorization: headers.authorization };
      received.push(one);
      script(one, response, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    received,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function html(response: ServerResponse, status: number): void {
  response
    .writeHead(status, { 'content-type': 'text/html;charset=iso-8859-1' })
    .end('<html>Not Found</html>');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
