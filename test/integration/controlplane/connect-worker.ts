import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveHome } from '../../../core/home.ts';
import { resolveStackSettings, startStack, stopStack } from '../../../embedded/stack.ts';

/** A broker and a Connect worker of one test file's own. */
export interface ConnectWorker {
  url: string;
  pause(connector: string): Promise<void>;
  stop(): Promise<void>;
}

const services = ['kafka', 'connect'] as const;

export async function startConnectWorker(): Promise<ConnectWorker> {
  const home = mkdtempSync(path.join(tmpdir(), 'connect-worker-'));
  const [kafka, controller, connect] = await freePorts(3);
  const settings = resolveStackSettings({
    ...process.env,
    PIPELINE_HOME: home,
    PIPELINE_CACHE: resolveHome().cache,
    KAFKA_PORT: String(kafka),
    KAFKA_CONTROLLER_PORT: String(controller),
    CONNECT_PORT: String(connect),
  });
  await startStack(settings, { services });
  const url = `http://127.0.0.1:${String(connect)}`;
  return {
    url,
    pause: async (connector) => {
      await fetch(`${url}/connectors/${connector}/pause`, { method: 'PUT' });
    },
    stop: async () => {
      await stopStack(settings, { purge: true });
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Ports that were free a moment ago: all are held at once, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            resolve((server.address() as AddressInfo).port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
