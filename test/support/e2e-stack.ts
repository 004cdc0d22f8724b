import type { TestProject } from 'vitest/node';
import { runCli } from './run-cli.ts';
import { startTestStack } from './test-stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Environment of the end-to-end tests' stack: `{ ...process.env, ...inject('stackEnv') }`. */
    stackEnv: Record<string, string>;
    /** The sink its worker has. */
    sink: { kind: 'official' | 'stand-in'; version: string };
    /** What `connectors:apply` printed when everything was set up. */
    applied: string;
  }
}

/** One whole stack for all end-to-end tests, set up as the README says; removed after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = await startTestStack();
  const { sink } = stack.started;
  if (sink === undefined) throw new Error('The whole stack has a sink');
  process.stdout.write(`End-to-end tests run on the ${sink.kind} sink ${sink.version} (${sink.reason})\n`);
  try {
    project.provide('applied', await setUp({ ...process.env, ...stack.env }));
  } catch (error) {
    await stack.stop();
    throw error;
  }
  project.provide('stackEnv', stack.env);
  project.provide('sink', { kind: sink.kind, version: sink.version });
  return stack.stop;
}

async function setUp(env: NodeJS.ProcessEnv): Promise<string> {
  let printed = '';
  for (const name of ['schemas:register', 'topics:apply', 'clickhouse:migrate', 'connectors:apply']) {
    const { exitCode, stdout, stderr } = await runCli(env, name);
    if (exitCode !== 0) throw new Error(`${name} ended with ${String(exitCode)}: ${stderr}`);
    printed = stdout;
  }
  return printed;
}
