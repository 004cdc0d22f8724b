import type { ConnectorService } from '../controlplane/connector-service.ts';
import { defaultRestartLimits } from '../controlplane/watch/restart-policy.ts';
import { waitFor } from '../core/wait.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, type Measurement } from './measurement.ts';
import { mock, mostRestartsInAMinute, watch, withMocks } from './watched-fleet.ts';

/** Connectors of one task each: Kafka's mock sink has no more. */
const tasks = 100;
const budget = defaultRestartLimits.fleetPerMinute;
/** From the first connector on; what is left of it for the last is longer than the budget takes, so that none fails twice. */
const failsAfterMs = 300_000;
const expectedSeconds = (Math.ceil(tasks / budget) - 1) * 60 + 30;

/** A hundred tasks of the real worker that fail within seconds of each other, as they do on one broken pipe. */
export async function measureRestartStorm(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const mocks = Array.from({ length: tasks }, (_, index) => mock(index, failsAfterMs));
  const failAt = performance.now() + failsAfterMs;
  // Making them takes a while: the later one is made, the sooner it fails.
  const failTogether = ({ config }: (typeof mocks)[number]) => ({
    ...config,
    delay_ms: String(Math.round(failAt - performance.now())),
  });
  const measure = async (service: ConnectorService, folder: string) => {
    const { restarts, stop } = watch(stack, { topics: [], deadLetterTopics: [] }, folder);
    const count = async (state: string) => {
      const live = await service.list(signal);
      return mocks.flatMap(({ name }) => live.get(name)?.tasks ?? []).filter((task) => task.state === state)
        .length;
    };
    const wait = { pollIntervalMs: 250, signal };
    try {
      const what = 'the tasks to fail';
      await waitFor(async () => (await count('FAILED')) > 0.9 * tasks - budget, {
        ...wait,
        what,
        timeoutMs: failsAfterMs + 120_000,
      });
      const failedAt = performance.now();
      await waitFor(async () => (await count('RUNNING')) === tasks, {
        ...wait,
        what: 'every task to run again',
        timeoutMs: failsAfterMs,
      });
      const seconds = (performance.now() - failedAt) / 1000;
      const most = mostRestartsInAMinute(restarts);
      return [
        {
          name: `${integer(tasks)} tasks fail at once: most restarts in a minute`,
          value: integer(most),
          target: `<= ${integer(budget)}`,
          ok: most > 0 && most <= budget,
        },
        {
          name: `the same: until all run again, with ${integer(restarts.length)} restarts`,
          value: `${seconds.toFixed(0)} s`,
          // What the budget itself takes for them, and half a minute for the backoff and the last restart.
          target: `<= ${integer(expectedSeconds)} s`,
          ok: seconds <= expectedSeconds,
        },
      ];
    } finally {
      await stop();
    }
  };
  return withMocks(stack, mocks, measure, failTogether);
}
