import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { IssuedCertificate } from './certificates.ts';

/** What encrypts the connections to a service, as a reverse proxy does where the service itself cannot. */
export interface TlsFront {
  url: string;
  close: () => Promise<void>;
}

/** @param login demanded as basic authentication, and not passed on; without it the service sees what came */
export async function startTlsFront(
  serviceUrl: string,
  { certificateFile, keyFile }: IssuedCertificate,
  login?: { username: string; password: string },
): Promise<TlsFront> {
  const { hostname, port } = new URL(serviceUrl);
  const expected = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const server = createServer(
    { cert: readFileSync(certificateFile), key: readFileSync(keyFile) },
    (incoming, answer) => {
      if (expected !== undefined && incoming.headers.authorization !== expected) {
        answer.writeHead(401, { 'content-type': 'application/json' });
        answer.end('{"error_code":40101,"message":"Unauthorized"}');
        return;
      }
      const { method, url, headers } = incoming;
      const onwards = request({ hostname, port, method, path: url, headers }, (from) => {
        answer.writeHead(from.statusCode ?? 502, from.headers);
        from.pipe(answer);
      });
      onwards.once('error', () => answer.destroy());
      incoming.pipe(onwards);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
