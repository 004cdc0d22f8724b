import type { ServiceName } from '../embedded/services/service.ts';
import { startTestStack, type TestStack } from '../test/support/test-stack.ts';

export type BenchStack = Pick<TestStack, 'env' | 'settings' | 'target'>;

/** Runs `work` against a stack of its own, or some of its services, started afresh, and removes every trace of it afterwards. */
export async function withBenchStack<T>(
  work: (stack: BenchStack) => Promise<T>,
  services?: readonly ServiceName[],
): Promise<T> {
  const stack = await startTestStack(services);
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}
