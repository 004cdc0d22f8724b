/**
 * Threads of Node's pool. The binding runs each statement on one of them from start to end, and files and
 * compression use the same pool: with the default of four, four long queries stop everything.
 */
export const threadPoolSize = 40;

/** Statements that run at once; the threads above that stay free for files, compression and KILL QUERY. */
export const maxRunningStatements = 24;

/** True when Node's pool, which is sized once and for all when it is first used, is large enough. */
export function hasThreads(env: NodeJS.ProcessEnv): boolean {
  return Number(env['UV_THREADPOOL_SIZE'] ?? 4) >= threadPoolSize;
}

/** The environment for a process that runs the endpoint. */
export function endpointEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return hasThreads(env) ? env : { ...env, UV_THREADPOOL_SIZE: String(threadPoolSize) };
}
