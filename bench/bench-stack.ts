import { startTestStack, type TestStack } from '../test/support/test-stack.ts';

export type BenchStack = Pick<TestStack, 'env' | 'settings' | 'target'>;

/** Runs `work` against a stack of its own, started afresh, and removes every trace of it afterwards. */
export async function withBenchStack<T>(work: (stack: BenchStack) => Promise<T>): Promise<T> {
  const stack = await startTestStack();
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}
