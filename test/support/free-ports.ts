import { createServer } from 'node:net';

/** Below the range that systems hand out to outgoing connections, which could take a port before its service does. */
const lowest = 10_000;
const highest = 31_999;

/** Files that run at once look in different parts of it: what one has found is taken only when its service starts. */
const parts = 4;
const width = Math.floor((highest - lowest + 1) / parts);
const first = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % parts) * width;

/** `count` different ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let attempt = 0; found.size < count; attempt += 1) {
    if (attempt > 1000) throw new Error('No free ports');
    const port = first + Math.floor(Math.random() * width);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
