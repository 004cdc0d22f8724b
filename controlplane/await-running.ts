import { PipelineError, messageOf } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import type { ConnectorService, Pace } from './connector-service.ts';
import { judge, type Health } from './health.ts';
import type { Mask } from './secrets.ts';

export interface AwaitRunningOptions {
  pace: Pace;
  signal: AbortSignal | undefined;
  /** Called with one line when a connector has reached its end. */
  onProgress: ((line: string) => void) | undefined;
  /** Hides secrets in what servers say. */
  mask: Mask;
}

/** What was last seen of a connector, and since when. */
interface Seen {
  health: Health | undefined;
  since: number;
}

/**
 * Waits until each of the connectors runs, is paused or has failed, and has stayed so for `pace.settleMs`. All are
 * asked about with one request at a time, whatever their number.
 *
 * @returns why not, by name, for those that do not run; secrets masked
 */
export async function awaitRunning(
  service: ConnectorService,
  names: readonly string[],
  { pace, signal, onProgress, mask }: AwaitRunningOptions,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  const pending = new Map<string, Seen>(names.map((name) => [name, { health: undefined, since: 0 }]));
  if (pending.size === 0) return failures;
  const look = async () => {
    const live = await service.list(signal);
    const now = performance.now();
    for (const [name, last] of pending) {
      const isListed = live.has(name);
      const health = judge(live.get(name));
      const since = health.verdict === last.health?.verdict ? last.since : now;
      pending.set(name, { health, since });
      if (health.verdict === 'starting') continue;
      // A list may be behind what was just read back.
      if (now - since < (isListed ? pace.settleMs : pace.readBackTimeoutMs)) continue;
      pending.delete(name);
      if (health.cause !== null) failures.set(name, mask(`${health.cause}: ${health.reason ?? ''}`));
      else onProgress?.(`${health.verdict === 'healthy' ? 'running' : `left ${health.verdict}`} ${name}`);
    }
    return pending.size === 0;
  };
  try {
    await waitFor(look, {
      what: 'it to run',
      timeoutMs: pace.startTimeoutMs,
      pollIntervalMs: pace.pollIntervalMs,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code === 'INTERRUPTED') throw error;
    for (const [name, { health }] of pending) {
      failures.set(name, mask(`${messageOf(error)}: ${health?.reason ?? 'nothing was seen of it'}`));
    }
  }
  return failures;
}
