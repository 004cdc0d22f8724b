import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveHome } from '../core/home.ts';
import { portVariables } from '../embedded/settings.ts';
import { resolveStackSettings, startStack, stopStack, type StackSettings } from '../embedded/stack.ts';
import { loadTarget, type Target } from '../targets/load-target.ts';

export interface BenchStack {
  env: NodeJS.ProcessEnv;
  settings: StackSettings;
  target: Target;
}

/**
 * The environment of a stack of its own: free ports, an empty state folder, the checkout's jars. What runs
 * already on this machine is left alone, except that it shares the cores.
 */
export async function benchEnvironment(): Promise<NodeJS.ProcessEnv> {
  const variables = Object.values(portVariables);
  const servers = await Promise.all(variables.map(() => listen()));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return {
    ...process.env,
    PIPELINE_CACHE: resolveHome(process.env).cache,
    PIPELINE_HOME: await mkdtemp(path.join(tmpdir(), 'billing-bench-')),
    ...Object.fromEntries(variables.map((variable, index) => [variable, String(ports[index])])),
  };
}

/** Runs `work` against a fresh stack, and removes every trace of it afterwards. */
export async function withBenchStack<T>(
  signal: AbortSignal,
  work: (stack: BenchStack) => Promise<T>,
): Promise<T> {
  const env = await benchEnvironment();
  const settings = resolveStackSettings(env);
  try {
    await startStack(settings, { signal });
    return await work({ env, settings, target: loadTarget('embedded', env) });
  } finally {
    await stopStack(settings, { purge: true });
    await rm(settings.home.root, { recursive: true, force: true });
  }
}

async function listen() {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return server;
}
