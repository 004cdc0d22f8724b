import type { TestProject } from 'vitest/node';
import { startTestStack } from './test-stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Environment of the end-to-end tests' stack: `{ ...process.env, ...inject('stackEnv') }`. */
    stackEnv: Record<string, string>;
    /** The sink its worker has. */
    sink: { kind: 'official' | 'stand-in'; version: string };
  }
}

/** One whole stack for all end-to-end tests: ready before the first, removed after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startTestStack();
  const { sink } = stack.started;
  if (sink === undefined) throw new Error('The whole stack has a sink');
  process.stdout.write(`End-to-end tests run on the ${sink.kind} sink ${sink.version} (${sink.reason})\n`);
  project.provide('stackEnv', stack.env);
  project.provide('sink', { kind: sink.kind, version: sink.version });
  return stack.stop;
}
